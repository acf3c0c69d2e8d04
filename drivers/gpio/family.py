"""What a profile calls a pin: `GPIO17`, or `!GPIO17` where low means on. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drivers.budget import Request
from drivers.family import Family

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drivers.line.settings import LineSettings
    from drivers.profile import Profile

_ITEM = re.compile(r"(!?)GPIO(\d{1,3})")
_LOOK = 0.0001  # seconds, about what looking at a pin takes


@dataclass(frozen=True, slots=True)
class Pin:
    """One pin by its Broadcom number."""

    number: int
    inverted: bool = False  # low is on: a relay board that pulls in at 0 V, a contact to ground


def parse(item: str) -> Pin:
    """Return the pin an item names. Raises ValueError that says what is right."""
    match = _ITEM.fullmatch(item)
    if match is None:
        raise ValueError(f"{item!r} is no pin: write GPIO17, or !GPIO17 where low means on")
    return Pin(int(match[2]), inverted=bool(match[1]))


def check_item(item: str) -> str:
    """Return "" or what is wrong with an item."""
    try:
        parse(item)
    except ValueError as error:
        return str(error)
    return ""


def address(given: int | str) -> int | str:
    """Return the name of a device among the pins: anything that tells it from the others."""
    return given


def requests(profile: Profile, names: Sequence[str], line: LineSettings) -> tuple[Request, ...]:
    """Return what reading these points costs: next to nothing."""
    del line
    return tuple(Request(profile.points[n].item, (n,), 0, 0.0, 0.0, _LOOK) for n in names)


FAMILY: Final = Family("gpio", check_item)
