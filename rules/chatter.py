"""Chatter hold: an alarm that comes and goes too often is held, visibly (alarms.md 5.2). Pure.

    3 activations in 60 s, or 5 in 10 min  ->  held: the off-delay is 10 min, a repeat is an UPDATE
    30 min without an activation           ->  as before

Never for fire and gas; and what was cleared outside is always told when it comes again.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gateway.model import AlarmClass
from rules.rule import EPSILON

if TYPE_CHECKING:
    from rules.look import Stage
    from rules.rule import Rule

LIMITS = ((3, 60.0), (5, 600.0))  # activations within seconds
OFF_DELAY = 600.0  # seconds, while held
QUIET = 1800.0  # seconds without an activation that end it
NEVER = frozenset({AlarmClass.FIRE, AlarmClass.GAS})
BEGINS, ENDS = "chattering", "chatter over"  # reasons of the events


@dataclass(slots=True)
class Chatter:
    """The last activations of an alarm, and whether it is held for them."""

    recent: list[float] = field(default_factory=list)  # monotonic seconds, oldest first; at most five
    held: bool = False

    def activated(self, now: float) -> bool:
        """Count an activation; return whether the hold begins with it."""
        self.recent = [*self.recent, now][-LIMITS[-1][0] :]
        if self.held:
            return False
        self.held = any(
            len(self.recent) >= count and now - self.recent[-count] <= within for count, within in LIMITS
        )
        return self.held

    def due(self) -> float | None:
        """Return when the hold ends if nothing comes."""
        return self.recent[-1] + QUIET if self.held else None

    def over(self, now: float) -> bool:
        """End the hold if it was quiet for long enough; return whether it ended."""
        due = self.due()
        if due is None or now < due - EPSILON:
            return False
        self.recent, self.held = [], False
        return True

    def stages(self, usual: tuple[Stage, ...]) -> tuple[Stage, ...]:
        """Return the levels with the delays that hold now; `usual`: as the rule says."""
        if not self.held:
            return usual
        return tuple(replace(stage, off_delay=max(stage.off_delay, OFF_DELAY)) for stage in usual)

    def to_json(self, now: float) -> dict[str, Any]:
        """Return it for the disk: ages, not times."""
        return {"ages": [round(now - then, 3) for then in self.recent], "held": self.held}

    @classmethod
    def from_json(cls, data: dict[str, Any], now: float, down: float) -> Chatter:
        """Return it after a restart; `down` seconds were slept through."""
        return cls([now - down - age for age in data["ages"]], data["held"])


def may_hold(rule: Rule) -> bool:
    """Return whether an alarm of this rule may ever be held."""
    return rule.chatter_hold and rule.alarm_class not in NEVER
