"""A clock that stands still until it is told to move. One of the two fakes of this suite."""

from __future__ import annotations

from gateway.model import Instant


class FakeClock:
    def __init__(self, mono: float = 1000.0, wall: int = 1_790_000_000_000_000_000) -> None:
        self._mono = mono
        self._wall = wall
        self.synced = True

    def now(self) -> Instant:
        return Instant(self._mono, self._wall, self.synced)

    def mono(self) -> float:
        return self._mono

    def advance(self, seconds: float) -> Instant:
        self._mono += seconds
        self._wall += round(seconds * 1e9)
        return self.now()

    def step_wall(self, seconds: float) -> None:
        self._wall += round(seconds * 1e9)
