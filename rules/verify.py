"""Looking before the whole ladder is climbed: the positive alarm sequence of fire panels (alarms.md 6). Pure.

    fire, level 1, one detector     told at once to those who look; the ladder waits
    not acknowledged in 15 s        the ladder is climbed
    acknowledged                    there are 180 s from the alarm on to find out, then the ladder is climbed
    a second detector, or "real"    the ladder is climbed at once
    reset                           CLEAR to those who were told; the fire centre never hears of it

Off unless a site asks for it. Never for gas, and nothing of it changes what is published as `event`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.model import AlarmClass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.model import AlarmEvent
    from rules.ladders import Climb

LONGEST_ACK, LONGEST = 15.0, 180.0  # seconds


@dataclass(frozen=True, slots=True)
class Verify:
    """How long the ladder of a fire waits, and who is told meanwhile. Seconds from the alarm on."""

    to: tuple[str, ...]
    ack: float = LONGEST_ACK
    investigate: float = LONGEST

    def mistakes(self) -> Iterable[str]:
        """Yield what is wrong with it."""
        if not self.to:
            yield "to: somebody must be told, or nobody looks"
        if not 0 < self.ack <= LONGEST_ACK:
            yield f"ack: above 0 and at most {LONGEST_ACK:g} s"
        if not self.ack <= self.investigate <= LONGEST:
            yield f"investigate: not shorter than ack, and at most {LONGEST:g} s"

    def over(self, climb: Climb) -> bool:
        """Whether the time to look has run out."""
        return climb.elapsed >= (self.investigate if climb.acked else self.ack) - 1e-6

    def left(self, climb: Climb) -> float:
        """Return the seconds until it runs out, if nothing happens."""
        return max(0.0, (self.investigate if climb.acked else self.ack) - climb.elapsed)


def is_fire(climb: Climb) -> bool:
    """Return whether one detector's alarm of this kind may be looked at first."""
    return climb.level == 1 and climb.alarm_class is AlarmClass.FIRE


def others(climb: Climb, climbs: Iterable[Climb]) -> list[Climb]:
    """Return the fires of other detectors that stand: with one of them, nobody waits any more."""
    return [
        c for c in climbs if is_fire(c) and not c.over and c.test == climb.test and c.device != climb.device
    ]


def is_real(event: AlarmEvent) -> bool:
    """Return whether somebody has found that it burns; the word stands before what else he said."""
    return event.reason.partition(":")[0] == "real"
