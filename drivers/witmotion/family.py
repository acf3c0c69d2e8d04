"""WitMotion's stream as a family: items are axes of frames, and there is no address. Pure."""

from __future__ import annotations

from typing import Final

from drivers.family import Family
from drivers.witmotion.stream import ADDRESS, ITEMS


def check_item(item: str) -> str:
    """Return "" for an item of the stream, else what is wrong."""
    if item in ITEMS:
        return ""
    return f"the stream carries angle.x, acceleration.y.max, shock, temperature and so on, not {item!r}"


def address(given: int | str) -> int:
    """Return the one address there is. Raises ValueError."""
    if given != ADDRESS:
        raise ValueError(f"must be {ADDRESS}: the stream carries no address, so a line has one device")
    return ADDRESS


def _check_write(item: str) -> str:
    return f"{item} is only told; set the sensor up with its maker's program"


FAMILY: Final = Family("witmotion", check_item, _check_write)
