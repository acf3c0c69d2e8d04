"""An alarm as people see it now: for the console, the command line and the retained topic. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rules.message import message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.model import AlarmClass, Quality, Value
    from rules.alarm import Alarm
    from rules.state import Input


@dataclass(frozen=True, slots=True)
class View:
    """One row of the alarm list."""

    device: str
    rule: str
    occurrence: str  # "" when none is open
    alarm_class: AlarmClass
    opened: int  # wall nanoseconds; 0 when none is open
    level: int
    letter: str  # ISA-18.2, alarms.md 3.2
    phase: str
    active: bool
    acked: bool
    acked_by: str
    latched: bool
    activation: int
    raised: bool
    silenced: bool
    chattering: bool
    protected: bool
    trigger: Value | None  # the value that opened the occurrence
    value: Value | None  # the value now
    limit: float | None
    unit: str
    input: Input
    quality: Quality
    test: bool
    shelved: float | None  # seconds left
    out_of_service: float | None  # seconds left
    roots: tuple[str, ...]
    disposition: str
    n: int
    at: int  # of the last event
    message: Mapping[str, str]


def to_be_seen(alarm: Alarm) -> bool:
    """Return whether there is something to see."""
    state = alarm.state
    return state.occurrence is not None or bool(state.roots) or state.held


def view_of(alarm: Alarm, mono: float) -> View:
    """Return the alarm as it stands."""
    state, o, rule = alarm.state, alarm.state.occurrence, alarm.spec.rule
    shelf, out = state.shelf, state.out_of_service
    return View(
        device=alarm.spec.device,
        rule=rule.name,
        occurrence="" if o is None else o.id,
        alarm_class=rule.alarm_class,
        opened=0 if o is None else o.opened,
        level=alarm.deciding.level if o is None else o.level,
        letter=state.letter(protected=alarm.protected),
        phase=state.phase.value,
        active=state.live,
        acked=o is None or o.acked,
        acked_by="" if o is None else o.acked_by,
        latched=o is not None and o.latched,
        activation=0 if o is None else o.activations,
        raised=o is not None and o.raised,
        silenced=state.silenced,
        chattering=state.chatter.held,
        protected=alarm.protected,
        trigger=None if o is None else o.trigger,
        value=alarm.value,
        limit=alarm.deciding.limit,
        unit=alarm.spec.context.unit,
        input=state.input,
        quality=alarm.reading_quality,
        test=state.drill is not None if o is None else o.test,
        shelved=None if shelf is None else max(0.0, shelf.until - mono),
        out_of_service=None if out is None else max(0.0, out.until - mono),
        roots=tuple(state.roots),
        disposition="" if o is None else o.disposition,
        n=state.n,
        at=state.at,
        message=message(alarm, alarm.deciding, alarm.value, alarm.reading_quality),
    )
