"""Readings that come late, out of a logger, or twice: for the record, not the siren (alarms.md 4.5). Pure.

A sample that is older than one already judged changes no alarm. But if it would have been one, with the
delays of its rule, one LATE event says so, at the time of the reading; the next only after late readings
that were normal. Only rules that decide on a single reading can look back (`Rule.looks_back`). What comes
twice shows that the device lives, and nothing more.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from gateway.model import EventKind
from rules.look import Look
from rules.message import describe, message
from rules.rule import gravity
from rules.stage import Timer

if TYPE_CHECKING:
    from gateway.model import AlarmEvent, Instant, Sample
    from rules.alarm import Alarm
    from rules.look import Stage, Verdict
    from rules.rule import AlarmKey
    from rules.scene import Heard

REASON = "late"


class _Past(NamedTuple):
    """Where an alarm would have stood at the newest of its late samples."""

    mono: float
    stages: tuple[Stage, ...]
    timers: list[Timer]

    @property
    def standing(self) -> Stage | None:
        live = [stage for stage, timer in zip(self.stages, self.timers, strict=True) if timer.phase.live]
        return min(live, key=lambda stage: gravity(stage.level), default=None)


class Latecomers:
    """What late samples say of the past of each alarm; as long as the gateway runs."""

    def __init__(self) -> None:
        self._past: dict[AlarmKey, _Past] = {}

    def take(self, sample: Sample, device: Heard, now: Instant) -> list[AlarmEvent]:
        """Take in a sample that is not judged; each alarm that would have begun with it is one event."""
        found: list[AlarmEvent] = []
        for alarm in device.alarms:
            if sample.mono < device.mono and alarm.spec.rule.looks_back:
                found += self._look(sample, alarm, now)
            alarm.hear(sample)
        device.mono = max(device.mono, sample.mono)
        return found

    def _look(self, sample: Sample, alarm: Alarm, now: Instant) -> list[AlarmEvent]:
        past = self._past.get(alarm.key)
        if past is not None and sample.mono == past.mono:
            return []  # twice the same
        if past is None or sample.mono < past.mono or past.stages != alarm.stages:
            # Another stretch of the past.
            past = _Past(sample.mono, alarm.stages, [Timer() for _ in alarm.stages])
        verdict = alarm.spec.rule.judge(look_back(sample, alarm, past, now))
        if verdict is None:
            return []
        before = past.standing
        for timer, level, truth in zip(past.timers, past.stages, verdict.truths, strict=True):
            timer.see(level, truth, sample.mono, alarm.pace, believed=True)
        self._past[alarm.key] = past = past._replace(mono=sample.mono)
        stage = past.standing
        if stage is None or (before is not None and gravity(stage.level) >= gravity(before.level)):
            return []
        return [event_of(alarm, stage, verdict, sample, now)]


def look_back(sample: Sample, alarm: Alarm, past: _Past, now: Instant) -> Look:
    """Return what the rule may look at; nothing may be learned of it."""
    context, phases = alarm.spec.context, [timer.phase for timer in past.timers]
    return Look(
        sample, sample.mono, alarm.interval, context.baseline, dict(alarm.state.memory), phases,
        sample.at, now.synced, context.zone, None, real=False,
    )  # fmt: skip


def event_of(alarm: Alarm, stage: Stage, verdict: Verdict, sample: Sample, now: Instant) -> AlarmEvent:
    """Return the event: as of then, and of no occurrence; the alarm of today is what it was."""
    alarm.state.n += 1
    alarm.dirty = True
    return replace(
        describe(alarm, EventKind.LATE, now, reason=REASON),
        at=sample.at,
        mono=sample.mono,
        occurrence="",
        level=stage.level,
        active=False,
        acked=True,
        latched=False,
        activation=0,
        value=verdict.value,
        limit=stage.limit,
        quality=verdict.quality,
        message=message(alarm, stage, verdict.value, verdict.quality),
    )
