"""Plays a rule test through the engine that guards the site, and compares what came out. Pure."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gateway.model import ANNOUNCED, EventKind, Instant, Outcome, Quality, Sample
from rules import actions
from rules.desk import Desk, Tree
from rules.engine import Engine, counted_ids
from rules.incidents import judge
from rules.state import NANO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from gateway.model import AlarmEvent, Value
    from rules.casefile import Case, Do, Expected
    from rules.rule import AlarmKey, AlarmSpec

    Told = Callable[[Sequence[AlarmEvent]], None]

START = Instant(1000.0, 1_790_000_000 * NANO)
LOOK_EVERY = 5.0  # seconds between two looks of the gateway at its line
SAME_TIME = 0.0015  # seconds: the engine's arithmetic is finer than that, the file's times are coarser


@dataclass(frozen=True, slots=True)
class Seen:
    """An event as a case speaks of it."""

    at: float
    device: str
    rule: str
    event: str
    level: int = 0
    test: bool = False
    activation: int = 0
    active: bool = False
    acked: bool = False
    reason: str = ""

    def matches(self, wanted: Expected) -> bool:
        """Whether it is what was expected, as far as that goes."""
        same = abs(self.at - wanted.at) < SAME_TIME and (self.rule, self.event) == (wanted.rule, wanted.event)
        return same and all(getattr(self, name) == value for name, value in wanted.fields.items())


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the comparison: "=" as expected, "-" missing, "+" surplus."""

    sign: str
    text: str


class _Stage:
    """The engine of one case, and where its clocks stand."""

    def __init__(self, case: Case, specs: Sequence[AlarmSpec], told: Told | None) -> None:
        self._case, self._specs, self._told = case, specs, told
        self._starts = 1
        self._wall_step = wall_of(case, specs) - START.wall
        self._kept: dict[tuple[str, str], dict[str, Any]] = {}
        self._line = f"line.{case.line}" if case.line else ""
        self._looked = 0.0
        self._engine = self._engine_of({}, self.instant(0.0))
        self.seen: list[Seen] = []

    def _engine_of(self, kept: Mapping[AlarmKey, dict[str, Any]], now: Instant) -> Engine:
        """Return the engine of the gateway; one that looks for causes when the devices hang on a line."""
        ids, line = counted_ids(self._starts), self._line
        if not line:
            return Engine(self._specs, kept, ids, now)
        down = next(s.key for s in self._specs if s.device == line and s.rule.inputs() == ("down",))
        devices = dict.fromkeys(self._case.series, (line, self._case.every))
        return Desk(self._specs, kept, ids, now, Tree(devices, {line: down}))

    def instant(self, at: float) -> Instant:
        return Instant(START.mono + at, START.wall + round(at * NANO) + self._wall_step)

    def run_to(self, at: float) -> None:
        """Tick at every deadline before `at`."""
        while (due := self._engine.next_deadline()) is not None and due < START.mono + at - SAME_TIME:
            self._note(self._engine.tick(self.instant(max(due - START.mono, 0.0))))

    def sample(self, at: float, step: int) -> None:
        now = self.instant(at)
        samples = [s for name in self._case.series if (s := self._sample(name, step, now)) is not None]
        self._note(self._engine.observe(samples, now))
        if isinstance(self._engine, Desk) and at >= self._looked + LOOK_EVERY:
            self._looked = at
            down = self._engine.roots.down_for(self._line, now.mono)
            self._note(self._engine.observe([Sample(self._line, now.wall, now.mono, {"down": down})], now))

    def _sample(self, device: str, step: int, now: Instant) -> Sample | None:
        values: dict[str, Value] = {}
        bad: dict[str, Quality] = {}
        for point, entries in self._case.series[device].items():
            entry = entries[step] if step < len(entries) else None
            if isinstance(entry, Quality):
                bad[point] = entry
            elif entry is not None:
                values[point] = entry
        return Sample(device, now.wall, now.mono, values, bad) if values or bad else None

    def do(self, do: Do) -> None:
        if do.word == "clock":
            self._wall_step += round(do.seconds * NANO)
        elif do.word == "restart":
            self._restart(do)
        else:
            now = self.instant(do.at)
            self._note(self._engine.tick(now))
            device = do.device or self._case.device
            rules = [do.rule]
            if do.rule == "*":
                rules = [a.key[1] for a in self._engine.alarms() if a.key[0] == device]
            for rule in rules:
                self._act(do, device, rule, now)

    def _act(self, do: Do, device: str, rule: str, now: Instant) -> None:
        alarm = next((a for a in self._engine.alarms() if a.key == (device, rule)), None)
        o = None if alarm is None else alarm.state.occurrence
        action = make_action(do, "" if o is None else o.id, 0 if o is None else o.activations)
        reply = self._engine.act((device, rule), action, now)
        self._note(reply.events)
        if reply.outcome is not Outcome.DONE:
            self.seen.append(Seen(do.at, device, rule, EventKind.REFUSED.value, reason=reply.reason))

    def _restart(self, do: Do) -> None:
        """Kill the engine: what was committed is all there is; come back `do.seconds` later."""
        self._commit()
        self._starts += 1
        kept = json.loads(json.dumps([[*key, state] for key, state in self._kept.items()]))
        restored = {(device, rule): state for device, rule, state in kept}
        now = self.instant(do.at + do.seconds)
        self._engine = self._engine_of(restored, now)

    def _commit(self) -> None:
        for key, state in self._engine.take_dirty():
            if state is None:
                self._kept.pop(key, None)
            else:
                self._kept[key] = state

    def _note(self, events: Iterable[AlarmEvent]) -> None:
        self._commit()
        events = list(events)
        if self._told is not None and events:
            self._told(events)
        for e in events:
            at = round(e.mono - START.mono, 6)
            facts = e.kind.value, e.level, e.test, e.activation, e.active, e.acked, e.reason
            self.seen.append(Seen(at, e.device, e.rule, *facts))


def wall_of(case: Case, specs: Sequence[AlarmSpec]) -> int:
    """Return the wall time of the first sample, in the zone of the site."""
    if not case.start:
        return START.wall
    zone = next((spec.context.zone for spec in specs if spec.context.zone is not None), dt.UTC)
    return round(dt.datetime.fromisoformat(case.start).replace(tzinfo=zone).timestamp()) * NANO


def make_action(do: Do, occurrence: str, activations: int) -> actions.Action:
    """Return the action that a `do` entry stands for."""
    who = {"actor": do.by, "reason": do.reason}
    seen = activations if do.seen is None else do.seen
    made: dict[str, Callable[[], actions.Action]] = {
        "ack": lambda: actions.Ack(occurrence, seen, **who),
        "silence": lambda: actions.Silence(**who),
        "reset": lambda: actions.Reset(**who),
        "dispose": lambda: actions.Dispose(do.what or "real", **who),
        "shelve": lambda: actions.Shelve(do.seconds, **who),
        "unshelve": lambda: actions.Unshelve(**who),
        "suppress": lambda: actions.Suppress(do.root or "root", **who),
        "unsuppress": lambda: actions.Unsuppress(do.root or "root", **who),
        "disable": lambda: actions.Disable(do.seconds, do.approved_by, **who),
        "enable": lambda: actions.Enable(**who),
        "drill": lambda: actions.StartDrill(do.seconds, **who),
        "drill_stop": lambda: actions.StopDrill(**who),
    }
    return made[do.word]()


def play(case: Case, specs: Sequence[AlarmSpec], told: Told | None = None) -> list[Seen]:
    """Return everything that happens in the case, in order; `told` hears the events themselves."""
    stage = _Stage(case, specs, told)
    steps = max((len(e) for points in case.series.values() for e in points.values()), default=0)
    down_until = 0.0
    for at, _, what in sorted(_moments(case, steps), key=lambda moment: moment[:2]):
        if isinstance(what, int):
            if at >= down_until:
                stage.run_to(at)
                stage.sample(at, what)
        else:
            stage.run_to(at)
            stage.do(what)
            if what.word == "restart":
                down_until = at + what.seconds
    end = max((steps - 1) * case.every, 0.0) if case.until is None else case.until
    stage.run_to(end + 2 * SAME_TIME)
    return stage.seen


def _moments(case: Case, steps: int) -> Iterator[tuple[float, int, int | Do]]:
    """Yield samples and doings with their times; at the same time, the sample comes first."""
    for step in range(steps):
        yield step * case.every, 0, step
    for do in case.do:
        yield do.at, 1, do


def compare(case: Case, seen: Sequence[Seen]) -> tuple[bool, list[Line]]:
    """Return whether the case passes, and the two lists beside each other."""
    kinds = {kind.value for kind in ANNOUNCED} | {wanted.event for wanted in case.expect}
    got = [event for event in seen if event.event in kinds]
    lines = [Line(sign, text) for sign, text in _diff(case.expect, got)]
    if case.incidents:
        truth = judge(case.incidents, seen)
        lines += [
            Line("-", f"{i.start:g}s {i.device} {i.rule} told within {i.within:g}s") for i in truth.missed
        ]
        lines += [Line("+", f"{_text(event)}: false alarm") for event in truth.false]
    return all(line.sign == "=" for line in lines), lines


def _diff(expect: Sequence[Expected], got: Sequence[Seen]) -> list[tuple[str, str]]:
    """Return the shortest edit from `expect` to `got`: the longest common part, and what is beside it.

    No edit is shorter for leaving out what agrees from the beginning, so a case that passes costs one look at
    each event, and only the rest is compared each with each.
    """
    same = 0
    while same < min(len(expect), len(got)) and got[same].matches(expect[same]):
        same += 1
    return [("=", _text(event)) for event in got[:same]] + _edit(expect[same:], got[same:])


def _edit(expect: Sequence[Expected], got: Sequence[Seen]) -> list[tuple[str, str]]:
    longest = [[0] * (len(got) + 1) for _ in range(len(expect) + 1)]
    for i in range(len(expect) - 1, -1, -1):
        for j in range(len(got) - 1, -1, -1):
            if got[j].matches(expect[i]):
                longest[i][j] = longest[i + 1][j + 1] + 1
            else:
                longest[i][j] = max(longest[i + 1][j], longest[i][j + 1])
    i = j = 0
    lines: list[tuple[str, str]] = []
    while i < len(expect) or j < len(got):
        if i < len(expect) and j < len(got) and got[j].matches(expect[i]):
            lines.append(("=", _text(got[j])))
            i, j = i + 1, j + 1
        elif j == len(got) or (i < len(expect) and longest[i + 1][j] >= longest[i][j + 1]):
            lines.append(("-", _wanted(expect[i])))
            i += 1
        else:
            lines.append(("+", _text(got[j])))
            j += 1
    return lines


def _text(event: Seen) -> str:
    text = f"{event.at:g}s {event.rule} {event.event}"
    if event.event == EventKind.REFUSED:
        return f"{text} ({event.reason})"
    test = " test" if event.test else ""
    return f"{text} level={event.level} device={event.device} activation={event.activation}{test}"


def _wanted(expected: Expected) -> str:
    more = "".join(f" {name}={value}" for name, value in expected.fields.items())
    return f"{expected.at:g}s {expected.rule} {expected.event}{more}"
