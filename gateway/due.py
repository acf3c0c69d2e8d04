"""The polls of one lane that wait for their time. Pure: time comes in."""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count
from math import inf
from typing import TYPE_CHECKING

from gateway.liveness import State

if TYPE_CHECKING:
    from gateway.turns import Turn

    _Entry = tuple[float, int, Turn]


class Due:
    """Those that are due come out by the end of their period, the nearest first.

    Which is why a poll every 200 ms does not lose its period to three that have a second to spare.
    """

    __slots__ = ("_due", "_serial", "_waiting")

    def __init__(self) -> None:
        self._serial = count()
        self._waiting: list[_Entry] = []  # by when they are due
        self._due: list[_Entry] = []  # by the end of their period

    def __len__(self) -> int:
        return len(self._waiting) + len(self._due)

    def push(self, turn: Turn, at: float) -> None:
        """Let the turn be due at `at`; nothing happens when it waits already."""
        if not turn.queued:
            turn.queued = True
            heappush(self._waiting, (at, next(self._serial), turn))

    def first(self, now: float) -> Turn | None:
        """Return the turn that is to be polled first at `now`; None when none is due."""
        waiting, due = self._waiting, self._due
        if not due and not (waiting and waiting[0][0] <= now):  # the common case
            return None
        while waiting and waiting[0][0] <= now:
            _, serial, turn = heappop(waiting)
            heappush(due, (turn.deadline + turn.period, serial, turn))
        _drop(due)
        return due[0][2] if due else None

    def pop(self) -> Turn:
        """Take out what `first` returned. It still counts as queued: the caller may park it."""
        return heappop(self._due)[2]

    def next_at(self) -> float:
        """Return when something is due; -inf when something is already, inf when nothing waits."""
        if self._due:
            _drop(self._due)
            if self._due:
                return -inf
        _drop(self._waiting)
        return self._waiting[0][0] if self._waiting else inf

    def next(self) -> Turn | None:
        """Return the turn that is due next, or has been for longest."""
        self.next_at()
        heap = self._due or self._waiting
        return heap[0][2] if heap else None

    def clear(self) -> None:
        """Forget all."""
        for _, _, turn in (*self._waiting, *self._due):
            turn.queued = False
        self._waiting.clear()
        self._due.clear()


def _drop(heap: list[_Entry]) -> None:
    """Drop from the top what is no longer polled on the grid."""
    while heap and heap[0][2].unit.life.state is not State.LIVE:
        heappop(heap)[2].queued = False
