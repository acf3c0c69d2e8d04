"""A battery device that reports by itself, now and then and when it is moved, as a Modbus answer. Pure."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from drivers.modbus.report import blocks
from drivers.simulator import wire
from drivers.simulator.wire import exception

if TYPE_CHECKING:
    from drivers.profile import Profile
    from drivers.simulator.unit import Unit

REPORT: Final = 30.0  # seconds between two reports; a real one waits for hours
LOOK: Final = 0.5  # seconds between two looks at its own sensor
MOVED: Final = 250  # raw steps of any register that wake it: 2.5 °, 2.5 m
_FUNCTIONS: Final = {"holding": 3, "input": 4}


class Reporter:
    """The voice of one device."""

    def __init__(self, unit: Unit, profile: Profile) -> None:
        self._unit = unit
        self._requests = [
            struct.pack(">BHH", _FUNCTIONS[block.table.value], block.start, block.count)
            for block in blocks(profile)
        ]
        self._next = self._due = 0.0
        self._sent: dict[bytes, bytes] = {}

    def next_word(self) -> float:
        """Return when it looks at itself next."""
        return self._next

    def speak(self, now: float, t: float) -> bytes:
        """Return the reports that are due: all of them in time, those that changed much at once."""
        del t
        self._next = now + LOOK
        due = now >= self._due
        said = b""
        for request in self._requests:
            reply = self._unit.ask(request)
            if reply is None or reply[:1] == exception(request[0], 1)[:1]:
                continue
            if due or _moved(self._sent.get(request, reply), reply):
                self._sent[request] = reply
                said += wire.rtu(int(self._unit.address), reply)
        if due:
            self._due = now + REPORT
        return said


def _moved(before: bytes, now: bytes) -> bool:
    words = zip(_words(before), _words(now), strict=True)
    return any(abs(a - b) > MOVED for a, b in words)


def _words(reply: bytes) -> tuple[int, ...]:
    return struct.unpack(f">{reply[1] // 2}h", reply[2:])
