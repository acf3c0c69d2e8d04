"""An alarm event from an alarm: its fields, and its text in Chinese and English. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.model import AlarmEvent
from rules.state import NANO
from rules.texts import BEYOND, fill, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.model import EventKind, Instant, Quality, Value
    from rules.life import Life
    from rules.look import Stage

CLOCK_STEP = 60 * NANO  # a label this far in the future was written by a clock that was wrong


def make_event(alarm: Life, kind: EventKind, now: Instant, actor: str = "", reason: str = "") -> AlarmEvent:
    """Return the next event of the alarm and count it.

    Its `at` is later than that of the event before, unless the wall clock was set back by more than a
    minute: then the label follows the clock, and `n` alone keeps the order.
    """
    state = alarm.state
    state.n += 1
    at = now.wall
    if state.at - CLOCK_STEP < at <= state.at:
        at = state.at + 1
    state.at = at
    return describe(alarm, kind, now, actor, reason)


def describe(alarm: Life, kind: EventKind, now: Instant, actor: str = "", reason: str = "") -> AlarmEvent:
    """Return the alarm as it stands after its last event, without counting another."""
    state, rule, o, stage = alarm.state, alarm.spec.rule, alarm.state.occurrence, alarm.deciding
    return AlarmEvent(
        kind=kind,
        device=alarm.spec.device,
        rule=rule.name,
        occurrence="" if o is None else o.id,
        n=state.n,
        at=state.at,
        mono=now.mono,
        alarm_class=rule.alarm_class,
        level=stage.level if o is None else o.level,
        letter=state.letter(protected=alarm.protected),
        active=state.live,
        acked=o is None or o.acked,
        latched=o is not None and o.latched,
        activation=0 if o is None else o.activations,
        value=alarm.value,
        limit=stage.limit,
        unit=alarm.spec.context.unit,
        quality=alarm.reading_quality,
        test=state.drill is not None if o is None else o.test,
        actor=actor,
        reason=reason,
        message=message(alarm, stage, alarm.value, alarm.reading_quality),
        synced=now.synced,
    )


def message(alarm: Life, stage: Stage, value: Value | None, quality: Quality) -> dict[str, str]:
    """Return the text of the alarm at a level with a value, in both languages."""
    spec = alarm.spec
    template = stage.message or spec.rule.message or spec.rule.default_message(stage)
    plain = {
        "value": number(value),
        "limit": "" if stage.limit is None else number(stage.limit),
        "unit": spec.context.unit,
        "device": spec.device,
    }
    words: dict[str, Mapping[str, str]] = {name: {"zh": text, "en": text} for name, text in plain.items()}
    if value is None and quality in BEYOND:
        words["value"] = BEYOND[quality]
    text = fill(template, {**words, "place": spec.context.place})
    return {language: line.strip() for language, line in text.items()}
