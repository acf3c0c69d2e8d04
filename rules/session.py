"""A session of a device, such as one charge: when it begins, how long it has been, when it ends. Pure.

It is kept in the memory of an alarm as plain values, so that it survives a restart, an edited limit and a
meter that is away for a while. Time is credited by the monotonic clock between readings; the wall clock only
tells how long the gateway was down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rules.rule import EPSILON
from rules.state import NANO

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rules.look import Look

KEEP_EVERY = 120.0  # seconds of a session a crash may cost


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """When a session is one: at or above `above` for `start_for`, until below `below` for `end_for`."""

    above: float
    below: float
    start_for: float
    end_for: float
    gap: float  # seconds without a reading that a session outlasts

    def mistakes(self) -> Iterable[str]:
        """Yield what is wrong with it."""
        if self.below > self.above:
            yield f"below ({self.below:g}) must not be more than above ({self.above:g})"
        if min(self.start_for, self.end_for, self.gap) < 0:
            yield "start_for, end_for and gap are not negative"

    def step(self, memory: dict[str, Any], value: float, look: Look, *, hold: bool) -> float:
        """Take in a reading; return the seconds credited to a session that is open.

        `memory["open"]` tells whether there is one, `memory["total"]` how long. After a hole longer than
        `gap` a session that seems to go on is a new one, unless `hold`: a standing alarm keeps its session,
        because a hole proves nothing.
        """
        gap = self.gap + (EPSILON if "mono" in memory else KEEP_EVERY)
        passed = elapsed(memory, look)
        if memory.get("open") and passed is not None and passed > gap and not hold:
            self._begin_anew(memory, value)
        credit = passed if passed is not None and passed <= gap else 0.0
        if not memory.get("open"):
            self._wait(memory, value, credit)
            return 0.0
        if value >= self.below:
            credit += float(memory.pop("down", 0.0))
            memory["total"] = memory.get("total", 0.0) + credit
            return credit
        memory["down"] = memory.get("down", -credit) + credit
        if memory["down"] >= self.end_for - EPSILON:
            memory.update(open=False, total=0.0)
            memory.pop("down")
        return 0.0

    def _begin_anew(self, memory: dict[str, Any], value: float) -> None:
        memory.update(open=value >= self.below, total=0.0)
        memory.pop("down", None)
        memory.pop("up", None)

    def _wait(self, memory: dict[str, Any], value: float, credit: float) -> None:
        if value < self.above:
            memory.pop("up", None)
            return
        memory["up"] = memory["up"] + credit if "up" in memory else 0.0
        if memory["up"] >= self.start_for - EPSILON:
            memory.update(open=True, total=memory.pop("up"))


def elapsed(memory: dict[str, Any], look: Look) -> float | None:
    """Return the seconds since the last call, also over a restart; None if nobody knows. Notes the time."""
    last, wall = memory.get("mono"), memory.get("wall")
    memory["mono"], memory["wall"] = look.now, look.wall if look.synced else None
    if last is not None:
        return max(0.0, look.now - float(last))
    if wall is None or not look.synced or look.wall < wall:
        return None
    return float(look.wall - wall) / NANO


def kept(memory: dict[str, Any]) -> dict[str, Any]:
    """Return what survives a restart: everything but the monotonic time."""
    return {
        name: round(value, 3) if isinstance(value, float) else value
        for name, value in memory.items()
        if name != "mono"
    }
