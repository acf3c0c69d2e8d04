"""A sensor was replaced: what was learned or counted of the old one says nothing of the new one. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rules.actions import Action, Refusal
from rules.kinds.deviation import VOID, Deviation
from rules.look import Phase
from rules.rule import FAULTS
from rules.stage import Timer

if TYPE_CHECKING:
    from gateway.model import Instant
    from rules.alarm import Alarm


@dataclass(frozen=True, slots=True)
class Replace(Action):
    """Begin anew with a new sensor, for one alarm of its device (alarms.md 4.5).

    Faults of the old one are closed; windows, sessions and learning start over; a `deviation` sleeps until
    it is given the baseline of the new one. An alarm that stands stays: a new sensor is no all-clear.
    """

    def apply(self, alarm: Alarm, now: Instant) -> None:
        """Refuse without a reason."""
        if not self.reason:
            raise Refusal("reason")
        rule, state = alarm.spec.rule, alarm.state
        state.memory = rule.resume({}, now.mono)
        if isinstance(rule, Deviation):
            state.memory[VOID] = dict(alarm.spec.context.baseline)
        if rule.alarm_class in FAULTS:
            state.timers = [Timer(Phase.NORMAL) for _ in alarm.stages]
            if state.occurrence is not None:
                alarm.finish("replaced", now, self.actor)
        alarm.idle, alarm.dirty = False, True
        alarm.wake = now.mono if rule.timed else None
