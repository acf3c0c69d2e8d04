"""How often people may write to one point. Pure; time comes in.

What interlocks write is noted, so that nobody writes right behind one, but never held back: a person who has
used up the hour must not have used up the cut-off.
"""

from __future__ import annotations

from collections import deque

HOUR = 3600.0
Place = tuple[str, str]
"""Device and point."""


class Rate:
    """At least `pause` seconds between two writes to a point, and at most `per_hour` of people in an hour."""

    def __init__(self, pause: float, per_hour: int) -> None:
        self._pause, self._most = pause, per_hour
        self._last: dict[Place, float] = {}
        self._written: dict[Place, deque[float]] = {}

    def wait(self, place: Place, now: float) -> float:
        """Return the seconds until a person may write there; 0.0 when he may now."""
        free = self._last.get(place, float("-inf")) + self._pause
        written = self._written.get(place, deque[float]())
        if len(written) >= self._most:
            free = max(free, written[0] + HOUR)
        return max(0.0, free - now)

    def note(self, place: Place, now: float, *, automatic: bool) -> None:
        """Take in a write that is about to be sent."""
        self._last[place] = now
        if not automatic:
            self._written.setdefault(place, deque(maxlen=self._most)).append(now)
