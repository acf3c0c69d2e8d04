"""One alarm: input in, events out; the transition table of alarms.md 3.3, row by row. Pure: time comes in.

row      what happens                         where
1-7      the condition and its delays         `rules.stage.Timer`; then `Life.activate`, `Life.fall`
8-12     bad input, and good again            `believe`, `Timer.lose`, `go_blind`
13 14    the level rises, falls               `Life.relevel`
15-27    what people and root causes ask for  `rules.actions`; what ends by itself: `Life.expire`
20       closed                               `Life.settle`
28       restart                              `AlarmState.from_json`
29 30    rule edited, deleted                 `change_rule`, `Life.finish`
31       clock step                           nothing here looks at the wall clock
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.model import EventKind, Instant, Quality
from rules.life import Life
from rules.look import ACTIVE, CLEARING, NORMAL, PENDING, Look, Phase
from rules.rule import EPSILON, OnBad, gravity
from rules.stage import pace_of, refit, sooner
from rules.state import BAD, GOOD, AlarmState, Input
from rules.worked import Worked

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.model import Sample
    from rules.look import Calm
    from rules.rule import AlarmSpec
    from rules.scene import Scene
    from rules.stage import Pace

SILENCE = 3.0  # effective intervals without a sample until the input is not believed any more (3.5)
KEEP_EVERY = 5.0, 60.0  # seconds of pending credit a crash may cost: at least, at most
BEYOND = frozenset({Quality.OVER_RANGE, Quality.UNDER_RANGE})
RESAVE = 600.0  # seconds by which a crash may lengthen what people put on an alarm, on a wrong clock


class Alarm(Life):
    """A rule at a device, and where it stands."""

    __slots__ = (
        "calm",
        "changed",
        "credit_every",
        "followed",
        "idle",
        "interval",
        "memory_every",
        "pace",
        "saved_at",
        "saved_credit",
        "scene",
        "scheduled",
        "seen",
        "wake",
    )

    calm: Calm | None
    interval: float
    pace: Pace
    memory_every: float  # seconds of its memory, and
    credit_every: float  # of pending credit, that a crash may cost

    def __init__(
        self,
        spec: AlarmSpec,
        worked: Worked,
        new_id: Callable[[], str],
        now: Instant,
        state: AlarmState | None = None,
    ) -> None:
        super().__init__(spec, worked, new_id, state)
        self.state.memory = spec.rule.resume(self.state.memory, now.mono)
        self.seen = now.mono  # the last look at input of whatever quality
        self.wake: float | None = now.mono if spec.rule.timed else None
        self.saved_credit, self.saved_at = 0.0, now.mono
        self.scheduled: float | None = None  # the engine's: where it stands in the heap
        self.changed = True  # its deadline may have moved to an earlier time
        self.idle = False  # at rest: `calm` may be asked instead of `look`
        self.followed = False  # the engine's: other alarms look at this one
        self.scene: Scene | None = None  # the engine's: what a rule over several devices looks at
        self.stretch(0.0)

    def stretch(self, effective: float) -> None:
        """Take in the cycle at which the device is really polled: a slow probe must not make it stale."""
        rule, context = self.spec.rule, self.spec.context
        self.changed = True
        self.interval = max(context.interval, effective)
        self.pace = pace_of(SILENCE * self.interval, self.protected, rule.timed)
        self.memory_every = rule.keep_every
        self.credit_every = min(max(KEEP_EVERY[0], self.stages[0].on_delay / 10), KEEP_EVERY[1])
        self.calm = self.worked.calm(context.baseline)

    # Time and samples.

    def observe(self, sample: Sample | None, now: Instant) -> None:
        """Take in a sample of the device; None: another alarm, or another device, has changed."""
        state = self.state
        if self.memory_every and now.mono >= self.saved_at + self.memory_every:
            self.saved_at, self.dirty = now.mono, True
        trusted = state.input
        phases = self.look(sample, now)
        if phases is None or (state.input is trusted and self.steady(phases)):
            return
        self.finish_step(now, was=ACTIVE in phases or CLEARING in phases)
        self.changed = self.wake is not None or (not self.idle and self.nearer(phases, trusted))

    def steady(self, before: list[Phase]) -> bool:
        """Whether the look changed nothing that anybody must hear of: the common case of a standing alarm."""
        if PENDING in before or CLEARING in before:
            return False
        for timer, phase in zip(self.state.timers, before):  # noqa: B905  as many as before; asked very often
            if timer.phase is not phase:
                return False
        return not self.beyond and self.told_bad[0] is (self.state.input is BAD)

    def nearer(self, before: list[Phase], trusted: Input) -> bool:
        """Whether its deadline may have come nearer with a look; while a delay runs it does not."""
        if self.state.input is not trusted:
            return True
        for timer, stage, phase in zip(self.state.timers, self.stages, before):  # noqa: B905  as above
            if timer.phase is not phase or timer.count <= stage.min_samples:
                return True
        return False

    def tick(self, now: Instant) -> None:
        """Let time pass."""
        self.changed = True
        state, was = self.state, self.state.live
        if self.wake is not None and now.mono >= self.wake - EPSILON:
            self.look(None, now)
        if (blind := self.blind_at()) is not None and now.mono >= blind - EPSILON:
            self.go_blind(Quality.NO_ANSWER, now)
        for timer, stage in zip(state.timers, self.stages, strict=True):
            timer.tick(stage, now.mono, self.pace)
        if (forced := self.forced_at()) is not None and now.mono >= forced - EPSILON:
            for timer in state.timers:
                timer.force()
        self.expire(now)
        self.finish_step(now, was=was)

    def look(self, sample: Sample | None, now: Instant) -> list[Phase] | None:
        """Judge a sample, or (None) the passing of time.

        Returns where the levels stood before; None when there was nothing to judge.
        """
        state, context, mono = self.state, self.spec.context, now.mono
        timers = state.timers
        single = len(timers) == 1  # most alarms have one level
        phases = [timers[0].phase] if single else [timer.phase for timer in timers]
        real = state.drill is None and state.out_of_service is None
        verdict = self.spec.rule.judge(
            Look(
                sample, mono, self.interval, context.baseline, state.memory, phases,
                now.wall, now.synced, context.zone, self.scene, real,
            )
        )  # fmt: skip
        if verdict is None:
            return None
        truths, value, quality, self.wake, _ = verdict
        self.reading_quality = quality
        if sample is not None:
            self.seen = mono
        if truths[0] is None:
            self.go_blind(quality, now)
        else:
            self.value, self.beyond = value, quality in BEYOND
            self.believe()
        believed = state.input is GOOD
        if single:
            timers[0].see(self.stages[0], truths[0], mono, self.pace, believed=believed)
            return phases
        for timer, stage, truth in zip(timers, self.stages, truths, strict=True):
            timer.see(stage, truth, mono, self.pace, believed=believed)
        self.carry(truths)
        return phases

    def carry(self, truths: tuple[bool | None, ...]) -> None:
        """Let a milder level that is true stand with a graver one: its delay has nothing left to prove.

        So an alarm does not clear on its way from HH down to a value that is still above H.
        """
        stage = self.state.standing(self.stages)
        if stage is None:
            return
        for timer, other, truth in zip(self.state.timers, self.stages, truths, strict=True):
            if truth and timer.phase is Phase.PENDING and gravity(other.level) >= gravity(stage.level):
                timer.force()

    def finish_step(self, now: Instant, *, was: bool) -> None:
        """Let the occurrence follow its condition; note whether the alarm is at rest, and what to save."""
        state = self.state
        if was or state.occurrence is not None or state.live:  # else nobody has heard of it, and nobody must
            self.follow(now, was=was)
        phase, credit = state.phase, 0.0
        self.idle = phase is NORMAL and state.occurrence is None and state.input is GOOD
        if phase is PENDING:
            credit = max([timer.credit for timer in state.timers])
        if abs(credit - self.saved_credit) >= self.credit_every:
            self.dirty = True
        if state.held and now.mono >= self.saved_at + RESAVE - EPSILON:
            self.saved_at, self.dirty = now.mono, True

    def hear(self, sample: Sample) -> None:
        """Note that the device spoke, but said what it had said before: it lives, and nothing more."""
        if sample.mono <= self.seen:
            return
        self.seen = sample.mono
        if self.pace.timed:  # silence is what these look for
            self.observe(sample, Instant(sample.mono, sample.at))

    # Region Q.

    def believe(self) -> None:
        """Row 12: good again after `good_confirm` samples; the first one after a start verifies."""
        state = self.state
        state.run += 1
        if state.input is not GOOD and (
            state.input is Input.UNVERIFIED or state.run >= self.spec.rule.good_confirm
        ):
            state.input = GOOD

    def go_blind(self, reason: Quality, now: Instant) -> None:
        """Rows 8 to 11: the input cannot be believed, from now on."""
        state = self.state
        if state.input is not BAD:
            state.input, state.bad_since = BAD, now.mono
        state.run, self.reading_quality = 0, reason

    def blind_at(self) -> float | None:
        """Return when the input will not be believed any more, if nothing comes."""
        if self.idle or self.pace.timed or self.state.input is BAD:
            return None
        return self.seen + self.pace.max_gap

    def forced_at(self) -> float | None:
        """Return when bad input makes a loop that fails safe an alarm (3.6)."""
        rule, state = self.spec.rule, self.state
        if state.input is not BAD or rule.on_bad is OnBad.HOLD or state.live:
            return None
        return state.bad_since + rule.bad_alarm_delay

    # For the engine.

    def truth(self) -> bool | None:
        """Return whether its condition stands, for those who look at it; None: nobody can, or may, tell."""
        state = self.state
        if state.drill is not None or state.out_of_service is not None:
            return None
        if state.live:
            return True
        return False if state.input is GOOD else None

    def due(self) -> float | None:
        """Return when time alone will change something."""
        state, soonest = self.state, self.wake
        if not self.idle:  # asked for every reading that moves a timer: written to be quick
            soonest = sooner(sooner(soonest, self.blind_at()), self.forced_at())
            for timer, stage in zip(state.timers, self.stages):  # noqa: B905  as above
                soonest = sooner(soonest, timer.due(stage, self.pace))
        if state.occurrence is not None or state.held or state.roots or state.chatter.held:
            ends = [self.ack_ends(), state.chatter.due(), *state.roots.values()]
            if holds := self.holds():
                ends += [*(hold.until for hold in holds), self.saved_at + RESAVE]
            for end in ends:
                soonest = sooner(soonest, end)
        return soonest

    def change_rule(self, spec: AlarmSpec, now: Instant, actor: str) -> None:
        """Row 29: keep the occurrence; the new limits go through their delays."""
        before, state = self.stages, self.state
        self.spec, self.worked = spec, Worked(spec.rule)
        self.stages, self.protected = state.chatter.stages(self.worked.stages), self.worked.protected
        state.timers = refit(state.timers, before, self.stages)
        self.deciding = state.standing(self.stages) or self.stages[0]
        self.idle, self.dirty = False, True
        self.stretch(self.interval)
        if state.occurrence is not None:
            self.emit(EventKind.RULE_CHANGED, now, actor, "caused by rule change")
        self.settle(now)

    def to_json(self, now: Instant) -> dict[str, Any]:
        """Return what survives a restart."""
        self.saved_at = now.mono
        self.saved_credit = max(timer.credit for timer in self.state.timers)
        rule = self.spec.rule
        memory = rule.keep(self.state.memory, now.mono)
        return {
            **self.state.to_json(now),
            "rule": self.worked.fingerprint,
            "levels": [stage.level for stage in self.stages],
            "class": rule.alarm_class.value,
            "memory": memory,
        }
