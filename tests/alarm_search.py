"""Breadth-first search through the states of the real engine, with the promises of alarms.md 3.8 checked at every step.

The checker knows only what goes in and what comes out; it shares no code with the machine.
"""

from __future__ import annotations

import copy
import json
from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from alarm_flutter import HELD_OFF, Flutter

from gateway.model import AlarmClass, Instant, Outcome, Quality, Sample
from rules import actions
from rules.agenda import Agenda
from rules.conditions import AlarmSpec, Context, Level, Limit, OnBad, OverRange
from rules.engine import Engine, _Device

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.model import AlarmEvent
    from rules.alarm import Alarm
    from rules.rule import Rule

KEY = ("d", "r")
ON_DELAY, OFF_DELAY = 2.0, 2.0
GAP = 2.5  # steps without a sample until the input is not believed
HOLD = 4.0  # steps that a shelf, a drill, a disablement lasts
WALL, NANO = 10**18, 10**9
TOLD = {"raise", "repeat", "upgrade"}
STARTS = (
    "",
    "on on on",
    "on on on ack",
    "on on on off off off",
    "on on on off off off ack",
    "drill on on on",
    "shelve on on on",
)
FLUTTER = " ".join(["on off"] * 4 + ["on"])  # at 75 s a step: five activations in ten minutes, and not more
CHATTER_STARTS = (
    *(f"{FLUTTER}{' off' * quiet}" for quiet in (0, 7, 9, 22)),
    f"{FLUTTER}{' off' * 9} on",
    f"{FLUTTER} shelve",
    f"drill {FLUTTER}",
    "",
)
WHO = {"actor": "li", "reason": "why"}


def limit(**more: Any) -> Limit:
    plain = {
        "name": "r",
        "point": "p",
        "limit": 50.0,
        "level": 3,
        "on_delay": ON_DELAY,
        "off_delay": OFF_DELAY,
        "chatter_hold": False,
    }
    return Limit(**{**plain, **more})


TWO_LEVELS = (
    Level(limit=80, level=1, off_delay=OFF_DELAY),
    Level(limit=50, level=3, on_delay=ON_DELAY, off_delay=OFF_DELAY),
)
RULES: dict[str, Rule] = {
    "plain": limit(),
    "latching": limit(latch=True),
    "two levels": limit(limit=None, levels=TWO_LEVELS, on_delay=0.0),
    "two levels, latching": limit(limit=None, levels=TWO_LEVELS, latch=True),
    "gas": limit(alarm_class=AlarmClass.GAS, level=1, over_range=OverRange.ALARM),
    "fault": limit(alarm_class=AlarmClass.FAULT, level=0, auto_ack=True),
    "fails safe": limit(on_bad=OnBad.ALARM, bad_alarm_delay=1.0),
}


QUICK = {"on_delay": 0.0, "off_delay": 0.0, "chatter_hold": True}
CHATTERING: dict[str, Rule] = {
    "chattering": limit(**QUICK),
    "chattering, latching": limit(**QUICK, latch=True),
    "gas is never held": limit(**QUICK, alarm_class=AlarmClass.GAS, level=2, latch=False),
}
"""Searched at 75 s a step, so that ten and thirty minutes are a few steps long."""
SLOW_STEP = 75.0


class Broken(AssertionError):
    """A promise was broken."""


@dataclass
class Outside:
    """What somebody outside knows: only from events and from what was put in."""

    announced: bool = False  # something was told and not cleared
    told_level: int = 9
    raised: str = ""  # the last occurrence that had its RAISE
    true_run: int = 0  # samples above the lowest limit in a row, a step apart
    false_run: int = 0
    last_true: float = -99.0  # of a sample that was not plainly normal
    last_good: float = -99.0
    good_run: int = 0
    shelved: float = 0.0  # until
    disabled: float = 0.0
    roots: float = 0.0  # hidden at least until; "inf" while the root stands
    n: int = 0
    at: int = 0
    activations: int = 0
    occurrence: str = ""
    flutter: Flutter = field(default_factory=lambda: Flutter(may=False))

    def key(self, now: float, step: float) -> tuple[Any, ...]:
        ages = (min(now - self.last_true, 9.0 * step), min(now - self.last_good, 9.0 * step))
        holds = tuple(max(0.0, t - now) for t in (self.shelved, self.disabled, self.roots))
        return (
            self.announced,
            self.told_level,
            self.raised == self.occurrence != "",
            min(self.true_run, 4),
            min(self.false_run, 12 if self.flutter.held else 6),
            ages,
            min(self.good_run, 3),
            holds,
            self.flutter.key(now),
        )


@dataclass
class World:
    engine: Engine
    outside: Outside
    now: float = 0.0
    kept: Any = None
    path: tuple[str, ...] = ()
    drill: float = 0.0

    @property
    def alarm(self) -> Alarm:
        return self.engine._alarms[KEY]

    def instant(self) -> Instant:
        return Instant(1000.0 + self.now, WALL + round(self.now * NANO))


@dataclass
class Search:
    """One configuration: the rule, the kind of engine, and what may be done."""

    rule: Rule
    engine: type[Engine] = Engine
    replaced: dict[str, type[actions.Action]] = field(default_factory=dict)
    step_: float = 1.0  # seconds
    starts: tuple[str, ...] = STARTS
    transitions: int = 0
    states: int = 0

    @classmethod
    def slow(cls, rule: Rule, engine: type[Engine] = Engine) -> Search:
        """Return a search in which ten minutes are eight steps."""
        return cls(rule, engine, step_=SLOW_STEP, starts=CHATTER_STARTS)

    @property
    def delays(self) -> tuple[float, float]:
        """Seconds of the mildest level's on-delay and off-delay."""
        mildest = self.rule.stages()[-1]
        return mildest.on_delay, mildest.off_delay

    @property
    def may_flutter(self) -> bool:
        """Whether it may ever be held: never fire and gas."""
        return self.rule.chatter_hold and self.rule.alarm_class not in {AlarmClass.FIRE, AlarmClass.GAS}

    @property
    def gap(self) -> float:
        """Seconds without a sample until the input is not believed."""
        return GAP * self.step_

    @property
    def spec(self) -> AlarmSpec:
        return AlarmSpec("d", self.rule, Context(interval=self.gap / 3))

    def words(self) -> tuple[str, ...]:
        samples: tuple[str, ...] = ("on", "off", "bad", "over", "none")
        if any(s.level == 1 and s.limit == 80 for s in self.rule.stages()):
            samples += ("high",)
        people = ("ack", "ack old", "reset", "shelve", "unshelve", "disable", "enable", "drill", "drill_stop")
        roots = ("root", "root off") if self.rule.alarm_class is AlarmClass.FAULT else ()
        return (*samples, *people, *roots, "restart")

    def run(self, most: int) -> None:
        """Explore until `most` transitions or no new state; raises Broken with the way that led there."""
        first = World(
            self.engine([self.spec], {}, Ids(), Instant(1000.0, WALL)),
            Outside(flutter=Flutter(self.may_flutter)),
        )
        queue = deque([self._start(first, way) for way in self.starts])
        seen = {self._key(world) for world in queue}
        words = self.words()
        while queue and self.transitions < most:
            world = queue.popleft()
            for word in words:
                following = _clone(world)
                following.path = (*world.path, word)
                self.transitions += 1
                try:
                    self.step(following, word)
                except Broken as broken:
                    raise Broken(f"{broken}; after {' / '.join(following.path)}") from None
                key = self._key(following)
                if key not in seen:
                    seen.add(key)
                    queue.append(following)
        self.states = len(seen)

    def _start(self, world: World, way: str) -> World:
        """Go a way first, so that the search need not find it: it begins at every stage of a life."""
        world = _clone(world)
        world.path = tuple(way.split())
        for word in world.path:
            self.step(world, word)
        return world

    def _key(self, world: World) -> Any:
        alarm, now = world.alarm, 1000.0 + world.now
        state, o = alarm.state, alarm.state.occurrence
        timers = tuple(
            (
                t.phase.value,
                round(t.credit, 3),
                min(t.count, 3),
                None if t.mark is None else min(round(now - t.mark, 3), 9),
                t.frozen,
            )
            for t in state.timers
        )
        life = (
            None
            if o is None
            else (
                o.level,
                o.worst,
                o.test,
                min(o.activations, 2),
                o.acked,
                o.latched,
                o.sticky,
                o.raised,
                o.owed,
                o.raised_level,
                None if o.ack_until is None else o.ack_until > now,
            )
        )
        holds = tuple(
            None if h is None else round(h.until - now, 3)
            for h in (state.shelf, state.out_of_service, state.drill)
        )
        roots = tuple((r, None if end is None else round(end - now, 3)) for r, end in state.roots.items())
        rest = (
            state.input.value,
            min(state.run, 3),
            min(round(now - alarm.seen, 3), 9),
            alarm.beyond,
            alarm.told_bad[0],
            min(now - alarm.told_bad[1], 31.0) // 8,
        )
        bad = min(round(now - state.bad_since, 3), 3) if state.input.value == "bad" else 0
        kept = None if world.kept is None else repr(world.kept["timers"])
        chatter = state.chatter.held, tuple(min(now - then, 2000.0) for then in state.chatter.recent)
        return (
            timers,
            life,
            holds,
            roots,
            rest,
            bad,
            kept,
            chatter,
            world.outside.key(world.now, self.step_),
        )

    # One step, and what must be true of it.

    def step(self, world: World, word: str) -> None:
        out, alarm = world.outside, world.alarm
        o = alarm.state.occurrence
        before = None if o is None else (o.id, o.acked, o.latched, o.raised, o.owed, o.level, o.activations)
        was_live = alarm.state.live
        world.now += self.step_
        now = world.instant()
        early = world.engine.tick(Instant(now.mono - 0.01, now.wall - 10_000_000))
        self._events(world, early)
        self._commit(world)
        o = alarm.state.occurrence
        middle = None if o is None else (o.id, o.acked, o.latched, o.activations)
        self._flutter(world, world.now - 0.01, early, came=alarm.state.live and not was_live)
        middle_live, middle_phase = alarm.state.live, alarm.state.phase.value
        events, outcome = self._do(world, word, now)
        events += world.engine.tick(now) if word != "restart" else []
        self._events(world, events)
        self._commit(world)
        alarm = world.alarm
        kinds = {e.kind.value for e in early + events}
        done = outcome is Outcome.DONE
        self._holds(world, word, done=done)
        if word == "restart":
            o = alarm.state.occurrence
            _must(not events, "a restart said something")
            after = None if o is None else (o.id, o.acked, o.latched, o.activations)
            _must(after == middle, f"a restart changed {middle} into {after}")
            _must(alarm.state.live == middle_live, "a restart ended or began an alarm")
            out.true_run = out.false_run = out.good_run = 0
        if word in {"bad", "over", "none"} and "test_end" not in kinds:
            self._bad_input(world, word, (before, middle, middle_live), kinds, {e.kind.value for e in events})
        if word == "reset" and done:
            _must(middle is not None and middle[1], "reset before the acknowledgement")
            _must(middle_phase == "normal", "reset while active")
            _must(
                out.good_run >= 1 and world.now - out.last_good <= self.gap + 0.01,
                "reset on input nobody can vouch for",
            )
        if word == "ack old":
            _must(not done, "an old acknowledgement was taken")
        if word == "restart":  # what ends with it is told at the first tick
            _must(alarm.state.chatter.held is out.flutter.held, "a restart changed the hold")
        else:
            self._flutter(world, world.now, events, came=alarm.state.live and not middle_live)
        self._condition(world, was_live, kinds, word)
        if word == "restart":  # likewise
            out.roots = (
                world.now + 2 * self.gap / 3 + self.step_ if 0 < out.roots < float("inf") else out.roots
            )
        else:
            self._standing(world)

    def _bad_input(
        self, world: World, word: str, was: tuple[Any, Any, bool], kinds: set[str], late: set[str]
    ) -> None:
        """Bad input neither clears nor ends an alarm, and leaves the acknowledgement alone."""
        before, middle, middle_live = was
        alarm = world.alarm
        over_is_true = word == "over" and self.rule.over_range is OverRange.ALARM
        forced = self.rule.on_bad is OnBad.ALARM
        if word != "none":
            _must("clear" not in late, "bad input cleared")
            _must(alarm.state.live or not middle_live, "bad input ended an alarm")
        o = alarm.state.occurrence
        if before is None or middle is None or o is None or over_is_true or forced:
            return
        if middle[3] == o.activations:
            _must(o.acked == middle[1] or "unack" in kinds, "bad input changed the acknowledgement")

    def _do(self, world: World, word: str, now: Instant) -> tuple[list[AlarmEvent], Outcome | None]:
        out, engine = world.outside, world.engine
        readings: dict[str, Any] = {
            "on": 60.0,
            "off": 10.0,
            "high": 90.0,
            "bad": Quality.SENTINEL,
            "over": Quality.OVER_RANGE,
        }
        if word in readings:
            value = readings[word]
            bad = isinstance(value, Quality)
            self._note_sample(world, word)
            sample = Sample("d", now.wall, now.mono, {} if bad else {"p": value}, {"p": value} if bad else {})
            return engine.observe([sample], now), None
        out.true_run = out.false_run = 0
        if word == "none":
            return [], None
        if word == "restart":
            restored = {} if world.kept is None else {KEY: json.loads(json.dumps(world.kept))}
            world.engine = self.engine([self.spec], restored, engine._new_id, now)
            return list(world.engine._owed), None
        o = world.alarm.state.occurrence
        made = {
            "ack": lambda: self._make(
                "ack", actions.Ack, "" if o is None else o.id, 0 if o is None else o.activations
            ),
            "ack old": lambda: (
                self._make("ack", actions.Ack, "none", 0)
                if o is None
                else self._make("ack", actions.Ack, o.id, o.activations - 1)
            ),
            "reset": lambda: self._make("reset", actions.Reset),
            "shelve": lambda: self._make("shelve", actions.Shelve, HOLD * self.step_),
            "unshelve": lambda: self._make("unshelve", actions.Unshelve),
            "disable": lambda: self._make("disable", actions.Disable, HOLD * self.step_, "chief"),
            "enable": lambda: self._make("enable", actions.Enable),
            "drill": lambda: self._make("drill", actions.StartDrill, HOLD * self.step_),
            "drill_stop": lambda: self._make("drill_stop", actions.StopDrill),
            "root": lambda: self._make("root", actions.Suppress, "bus"),
            "root off": lambda: self._make("root off", actions.Unsuppress, "bus"),
        }
        reply = engine.act(KEY, made[word](), now)
        return reply.events, reply.outcome

    def _commit(self, world: World) -> None:
        for key, state in world.engine.take_dirty():
            assert key == KEY
            world.kept = state

    def _make(self, word: str, kind: type[actions.Action], *given: Any) -> actions.Action:
        return self.replaced.get(word, kind)(*given, **WHO)

    def _note_sample(self, world: World, word: str) -> None:
        out = world.outside
        over_is_true = word == "over" and self.rule.over_range is OverRange.ALARM
        good = word in {"on", "off", "high"} or over_is_true
        out.good_run = out.good_run + 1 if good else 0
        if good:
            out.last_good = world.now
        true = word in {"on", "high"} or over_is_true
        out.true_run = out.true_run + 1 if true else 0
        out.false_run = out.false_run + 1 if word == "off" else 0
        if word != "off":
            out.last_true = world.now

    def _holds(self, world: World, word: str, *, done: bool) -> None:
        out = world.outside
        if done and word in {"shelve", "disable", "drill"}:
            end = world.now + HOLD * self.step_
            out.shelved, out.disabled = (
                (end if word == "shelve" else out.shelved),
                (end if word == "disable" else out.disabled),
            )
            world.drill = end if word == "drill" else world.drill
            _must(word != "shelve" or not world.alarm.protected, "a protected alarm was shelved")
        if done and word in {"unshelve", "enable", "drill_stop"}:
            out.shelved = 0.0 if word == "unshelve" else out.shelved
            out.disabled = 0.0 if word == "enable" else out.disabled
            world.drill = 0.0 if word == "drill_stop" else world.drill
        if done and word == "root":
            out.roots = float("inf")
        if done and word == "root off" and out.roots == float("inf"):
            out.roots = world.now + 2 * self.gap / 3

    def _events(self, world: World, events: Iterable[AlarmEvent]) -> None:
        """What the outside hears: in order, paired, numbered."""
        out = world.outside
        for e in events:
            kind = e.kind.value
            _must(e.n == out.n + 1 and e.at > out.at, f"{kind} is out of order")
            out.n, out.at = e.n, e.at
            if kind in TOLD:
                _must(e.letter not in "IGH", f"{kind} of a hidden alarm")
                out.told_level = e.level
            if kind == "raise":
                _must(not out.announced, "raised twice")
                _must(out.raised != e.occurrence, "a second RAISE of one occurrence")
                out.raised = e.occurrence
            if kind == "repeat":
                _must(not (out.flutter.held and out.announced), "a held alarm was told again")
                _must(out.raised == e.occurrence, "REPEAT without RAISE")
            if kind in {"upgrade", "clear"}:
                _must(out.announced, f"{kind} of what was never told")
            if kind == "clear":
                out.announced = False
                latching = self.rule.latches(e.level)
                _must(not latching or e.reason != "" or e.test, "a latched alarm cleared without a reset")
            out.announced = out.announced or kind in TOLD
            if kind == "closed":
                _must(not out.announced, "closed without CLEAR")

    def _flutter(self, world: World, now: float, events: Iterable[AlarmEvent], *, came: bool) -> None:
        """What comes and goes too often is held, visibly, for as long as it must be."""
        before = world.outside.flutter
        world.outside.flutter = after = before.step(now, came=came)
        shown, reasons = world.alarm.state.chatter.held, {e.reason for e in events}
        promise = before.broken(after, shown=shown, reasons=reasons)
        _must(not promise, promise)

    def _condition(self, world: World, was_live: bool, kinds: set[str], word: str) -> None:
        out, alarm = world.outside, world.alarm
        single = len(self.rule.stages()) == 1
        live = alarm.state.live
        on, off = self.delays
        off = max(off, HELD_OFF) if out.flutter.held else off
        if (out.true_run - 1) * self.step_ >= on:
            _must(live, "a condition that held for its delay is no alarm")
        if (out.false_run - 2) * self.step_ >= off:
            _must(not live, "a condition that was gone for its delay still stands")
        if was_live and not live:
            _must(world.now - out.last_true >= off - 0.01, "ended while it was not proven to be over")
            _must(world.now - out.last_good < self.gap, "ended without input")
        if live and not was_live and single and self.rule.on_bad is OnBad.HOLD:
            _must(world.now - out.last_good < self.gap, "began without input")
        o = alarm.state.occurrence
        if word == "high":
            _must(o is not None and o.level == 1, "the graver level is not on record")
        if o is not None and o.id == out.occurrence:
            _must(o.activations - out.activations in {0, 1}, "activations jumped")
            if o.activations > out.activations and word != "ack":  # seen since, in the same step
                _must(not o.acked, "came again and still counts as seen")
        out.occurrence, out.activations = ("", 0) if o is None else (o.id, o.activations)

    def _standing(self, world: World) -> None:
        """What must be true whenever nothing is happening."""
        out, alarm = world.outside, world.alarm
        state, o = alarm.state, alarm.state.occurrence
        now = world.now
        _must(not state.live or o is not None, "it stands and there is no occurrence")
        _must(o is None or state.live or o.latched or not o.acked, "done, and not closed")
        hidden = now < out.disabled or (not alarm.protected and (now < out.shelved or now < out.roots))
        if (state.live or (o is not None and o.latched)) and not hidden:
            _must(out.announced, "it stands and nobody was told")
            _must(o is not None and (o.level or 5) >= (out.told_level or 5), "graver than what was told")
        _must(not out.announced or state.live or (o is not None and o.latched), "a CLEAR is owed")
        if now >= world.drill:
            _must(o is None or not o.test, "the drill is over, its alarm goes on")
            _must(state.drill is None, "the drill has no end")


def _must(holds: bool, promise: str) -> None:
    if not holds:
        raise Broken(promise)


class Ids:
    def __init__(self) -> None:
        self.n = 0

    def __call__(self) -> str:
        self.n += 1
        return f"1.{self.n}"


def _clone(world: World) -> World:
    old, alarm = world.engine, world.alarm
    twin = copy.copy(alarm)
    state = alarm.state
    twin.state = replace(
        state,
        timers=[copy.copy(t) for t in state.timers],
        occurrence=None if state.occurrence is None else copy.copy(state.occurrence),
        roots=dict(state.roots),
        chatter=copy.copy(state.chatter),
        memory=dict(state.memory),
    )
    twin.out = []
    engine = copy.copy(old)
    device, was = _Device(), old._devices["d"]
    device.alarms, device.mono, device.at = [twin], was.mono, was.at
    engine._alarms, engine._devices = {KEY: twin}, {"d": device}
    engine._agenda = agenda = Agenda()
    agenda._heap, agenda._pushed = [(due, n, twin) for due, n, _ in old._agenda._heap], old._agenda._pushed
    engine._dirty, engine._owed = {}, []
    engine._held = dict.fromkeys(old._held, twin)
    return World(engine, copy.copy(world.outside), world.now, world.kept, world.path, world.drill)
