"""What is counted on a line and per unit behind it. Counters only grow; rates are the reader's business."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from drivers.line.dialect import UnitId

RING = 128


class Turnaround:
    """The last answer times of one unit: how long it thought before it answered, in seconds."""

    __slots__ = ("_next", "_ring")

    def __init__(self) -> None:
        self._ring = array("d")  # not a list: two hundred units of 128 single floats are 800 kB
        self._next = 0

    def add(self, seconds: float) -> None:
        """Take in one answer time; the oldest of 128 goes."""
        if len(self._ring) < RING:
            self._ring.append(seconds)
        else:
            self._ring[self._next] = seconds
            self._next = (self._next + 1) % RING

    def quantile(self, q: float) -> float | None:
        """Return the `q` quantile of the last answers (0.5 is the median), None before the first."""
        if not self._ring:
            return None
        ordered = sorted(self._ring)
        return ordered[min(len(ordered) - 1, int(q * len(ordered)))]


@dataclass(slots=True)
class UnitStats:
    """One unit on the line."""

    requests: int = 0
    replies: int = 0  # good answers and exceptions
    timeouts: int = 0
    broken: int = 0  # answers with a bad checksum or cut short
    exceptions: int = 0
    late: int = 0  # answers to older requests, discarded
    last_reply: float | None = None  # monotonic seconds
    turnaround: Turnaround = field(default_factory=Turnaround)

    def to_dict(self) -> dict[str, float | int | None]:
        """Return it for people and for health, times in seconds."""
        return {
            "requests": self.requests,
            "replies": self.replies,
            "timeouts": self.timeouts,
            "broken": self.broken,
            "exceptions": self.exceptions,
            "late": self.late,
            "p50": self.turnaround.quantile(0.5),
            "p95": self.turnaround.quantile(0.95),
        }


TOLD = (
    *("bytes_out", "bytes_in", "requests", "replies", "timeouts", "crc_errors", "exceptions"),
    *("late", "foreign", "fences", "reopened", "busy"),
)
_told = attrgetter(*TOLD)


@dataclass(slots=True)
class LineStats:
    """One line since it was made."""

    bytes_out: int = 0
    bytes_in: int = 0
    requests: int = 0
    replies: int = 0  # good answers and exceptions
    timeouts: int = 0
    crc_errors: int = 0  # bytes that belong to no whole frame: noise, collisions, cut answers
    exceptions: int = 0
    late: int = 0  # answers to older requests, discarded
    foreign: int = 0  # frames nobody here asked for, discarded
    fences: int = 0  # requests sent only to prove that nothing older can come
    reopened: int = 0
    busy: float = 0.0  # seconds the line was taken: its growth per second is the utilisation
    units: dict[UnitId, UnitStats] = field(default_factory=dict)

    def unit(self, unit: UnitId) -> UnitStats:
        """Return the counters of one unit, new ones at its first request."""
        found = self.units.get(unit)
        if found is None:
            found = self.units[unit] = UnitStats()
        return found

    def to_dict(self) -> dict[str, float | int]:
        """Return the line's own counters for people and for health."""
        return dict(zip(TOLD, _told(self), strict=True))
