"""Inclinometers set to speak by themselves (0x77: `77 05 00 0C 01 12`, five times a second). Pure.

Their sum has eight bits like WitMotion's, so what counts is the middle of three readings, axis by axis, and
one word is told per period. Items are those of `drivers.tilt.family`.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from drivers.conversation import NOTHING, Heard, Raw, Silent, Told
from drivers.tilt.family import told as items_of
from drivers.tilt.frame import ANGLES, READ, TiltError, cutter
from drivers.tilt.values import decode_tilt

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.conversation import Listeners
    from drivers.tilt.frame import Family
    from gateway.model import Instant

NEIGHBOURS: Final = 3

Reading = dict[str, float | None]


class Auto(Silent):
    """One port on which inclinometers of one family speak by themselves."""

    def __init__(self, listeners: Listeners, family: Family) -> None:
        self._every = listeners.every
        self._cutter = cutter(family)
        self._last: dict[tuple[int, int], deque[Reading]] = {}
        self._told_at: dict[tuple[int, int], float] = {}
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
            if tilt is None:
                continue
            command = READ if frame.command == ANGLES else frame.command  # what it would have been asked with
            word = self._take((frame.address, command), items_of(command, tilt), now.mono)
            if word is not None:
                told.append(word)
        self._cutter.refusals.clear()
        return Heard(tuple(told)) if told else NOTHING

    def _take(self, key: tuple[int, int], reading: Reading, now: float) -> Told | None:
        """Return a word when the period of this device and command is over."""
        who = key[0]
        if who not in self._every:
            return Told(who)
        last = self._last.setdefault(key, deque(maxlen=NEIGHBOURS))
        last.append(reading)
        if len(last) < NEIGHBOURS or now < self._told_at.get(key, now) - 1e-6:
            return None
        self._told_at[key] = max(self._told_at.get(key, now) + self._every[who], now)
        items: dict[str, Raw] = {}
        for item in reading:
            values = sorted(value for each in last if (value := each[item]) is not None)
            items[item] = values[len(values) // 2] if values else None
        return Told(who, items)


def listens(family: Family) -> Callable[[Listeners], Auto]:
    """Return what makes a conversation of this family."""
    return lambda listeners: Auto(listeners, family)
