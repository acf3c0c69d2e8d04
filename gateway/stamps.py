"""The times of one series: never the same twice, and never far from the wall clock. Pure."""

from __future__ import annotations

BACK = 2 * 10**9  # ns: a clock that is set back by less is waited for, as when it is slewed or smeared
STEP = 1000  # ns between two times of a series; so many turns can be told apart


class Stamps:
    """Gives the next time of a series.

    Times grow while the wall clock does, or is set back by less than `BACK`. When it is set back by more,
    it was wrong before: times follow it, and run through a stretch again where times stand already. That
    nothing there is overwritten, the digits below `STEP` count how often this has happened.
    """

    __slots__ = ("_last", "_turn")

    def __init__(self) -> None:
        self._last = -STEP
        self._turn = 0

    def next(self, wall: int) -> int:
        """Return the time of what happens at `wall`; both in nanoseconds since 1970."""
        if wall < self._last - BACK:
            self._turn = (self._turn + 1) % STEP
            self._last = -STEP
        at = wall - wall % STEP + self._turn
        if at <= self._last:
            at = self._last + STEP
        self._last = at
        return at
