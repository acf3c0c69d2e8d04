"""Inclinometers set to speak by themselves (0x77: `77 05 00 0C 01 12`, five times a second). Pure.

Their sum has eight bits like WitMotion's, so what counts is the middle of three readings, axis by axis, and
one word is told per period. Items: `x`, `y`, `z` (degrees, or g for gravity), `temperature`.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from drivers.conversation import NOTHING, Heard, Raw, Silent, Told
from drivers.family import Family as ProtocolFamily
from drivers.tilt.frame import Family, TiltError, cutter
from drivers.tilt.values import decode_tilt

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.conversation import Listeners, Who
    from drivers.tilt.values import Tilt
    from gateway.model import Instant

ITEMS: Final = ("x", "y", "z", "temperature")
NEIGHBOURS: Final = 3


def check_item(item: str) -> str:
    """Return "" for an item an inclinometer tells, else what is wrong."""
    return "" if item in ITEMS else f"an inclinometer tells {', '.join(ITEMS)}, not {item!r}"


def address(given: Who) -> int:
    """Return an inclinometer's address. Raises ValueError."""
    if isinstance(given, int) and 0 <= given <= 255:
        return given
    raise ValueError("must be a whole number from 0 to 255")


FAMILIES: Final = {family: ProtocolFamily(f"tilt{family:x}", check_item) for family in Family}


class Auto(Silent):
    """One port on which inclinometers of one family speak by themselves."""

    def __init__(self, listeners: Listeners, family: Family) -> None:
        self._every = listeners.every
        self._cutter = cutter(family)
        self._last: dict[int, deque[Tilt]] = {}
        self._told_at: dict[int, float] = {}
        self.frames = 0
        self.unfit = 0

    @property
    def noise(self) -> int:
        """Bytes that belonged to no frame."""
        return self._cutter.noise

    def receive(self, data: bytes, now: Instant) -> Heard:
        """Take in bytes; tell each device's reading once a period."""
        told = []
        for frame in self._cutter.feed(data):
            self.frames += 1
            try:
                tilt = decode_tilt(frame)
            except TiltError:
                self.unfit += 1
                continue
            if tilt is not None and (word := self._take(frame.address, tilt, now.mono)) is not None:
                told.append(word)
        self._cutter.refusals.clear()
        return Heard(tuple(told)) if told else NOTHING

    def _take(self, who: int, tilt: Tilt, now: float) -> Told | None:
        last = self._last.setdefault(who, deque(maxlen=NEIGHBOURS))
        last.append(tilt)
        if who not in self._every:
            return Told(who)
        if len(last) < NEIGHBOURS or now < self._told_at.get(who, now) - 1e-6:
            return None
        self._told_at[who] = max(self._told_at.get(who, now) + self._every[who], now)
        items: dict[str, Raw] = {}
        for item in ITEMS:
            values = sorted(value for each in last if (value := getattr(each, item)) is not None)
            if values:
                items[item] = values[len(values) // 2]
        return Told(who, items)


def listens(family: Family) -> Callable[[Listeners], Auto]:
    """Return what makes a conversation of this family."""
    return lambda listeners: Auto(listeners, family)
