"""A line in simulated time: plays a Schedule against devices whose exchanges have a cost in seconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import pairwise
from typing import TYPE_CHECKING

from gateway.liveness import Timing
from gateway.schedule import Schedule
from gateway.turns import Group, Member

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.turns import Turn


def members(count: int, every: float, *, alarm: bool = True) -> list[Member]:
    return [Member(f"d{n:02}", (Group(("a", "b"), every, alarm=alarm),)) for n in range(count)]


@dataclass
class TimedLine:
    schedule: Schedule
    alive: Callable[[str, float], bool]  # does this device answer at this time?
    cost: float  # seconds for an exchange that is answered
    timeout: float = 0.3
    inflight: int = 1
    now: float = 0.0
    good: dict[str, list[float]] = field(default_factory=dict)  # when each poll began
    failed: dict[str, list[float]] = field(default_factory=dict)
    groups: dict[tuple[str, ...], list[float]] = field(default_factory=dict)
    wasted: float = 0.0
    takes: int = 0

    def run(self, until: float) -> None:
        under_way: list[tuple[float, int, Turn, bool]] = []
        while self.now < until:
            while len(under_way) < self.inflight:
                turn = self.schedule.take(self.now)
                if turn is None:
                    break
                self.takes += 1
                assert all(turn.device != other.device for _, _, other, _ in under_way), "read twice at once"
                ok = self.alive(turn.device, self.now)
                end = self.now + (self.cost if ok else self.timeout)
                heappush(under_way, (end, self.takes, turn, ok))
            if len(under_way) == self.inflight:
                at = under_way[0][0]
            else:
                due = self.schedule.next_at(self.now)
                assert due > self.now, f"busy loop: next at {due}, now {self.now}"
                at = min(under_way[0][0] if under_way else until, due, until)
            self.now = max(at, self.now)
            while under_way and under_way[0][0] <= self.now:
                self._end(*heappop(under_way))
        for _, _, turn, _ in under_way:
            self.schedule.released(turn)

    def _end(self, end: float, _: int, turn: Turn, ok: bool) -> None:
        if ok:
            self.schedule.good(turn, end)
            self.good.setdefault(turn.device, []).append(turn.started)
            self.groups.setdefault((turn.device, *turn.points), []).append(turn.started)
        else:
            self.schedule.failed(turn, end)
            self.failed.setdefault(turn.device, []).append(turn.started)
            self.wasted += end - turn.started


def intervals(times: list[float], since: float = 0.0) -> list[float]:
    kept = [t for t in times if t >= since]
    return [b - a for a, b in pairwise(kept)]


def line(
    many: list[Member],
    alive: Callable[[str, float], bool],
    cost: float,
    timing: Timing | None = None,
) -> TimedLine:
    timing = timing or Timing()
    return TimedLine(
        Schedule(many, 0.0, timing), alive, cost, timeout=timing.timeout, inflight=timing.inflight
    )
