"""One alarm at one device, driven by short words, for the tables of lives."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gateway.model import Instant, Quality, Sample
from rules import actions
from rules.conditions import AlarmSpec, Context, Limit
from rules.engine import Engine, counted_ids

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.model import AlarmEvent
    from rules.conditions import Rule

WALL = 1_790_000_000_000_000_000
NANO = 1_000_000_000
ON, OFF = 60.0, 10.0  # above and below a limit of 50


def limit(**more: Any) -> Limit:
    """A rule with the delays of the tables: on after 2 s, off after 3 s, level 3, nothing protected."""
    settings = {"name": "high", "point": "p", "limit": 50.0, "on_delay": 2.0, "off_delay": 3.0, "level": 3}
    return Limit(**{**settings, **more})


class Life:
    """The engine of one alarm and its clock; every step returns the kinds of events it caused."""

    def __init__(
        self, rule: Rule | None = None, interval: float = 1.0, engine: type[Engine] = Engine
    ) -> None:
        self.rule = rule or limit()
        self.kind = engine
        self.specs = [AlarmSpec("d", self.rule, Context(unit="mA", interval=interval))]
        self.now = 0.0
        self.wall_step = 0
        self.synced = True
        self.events: list[AlarmEvent] = []
        self.kept: dict[Any, Any] = {}
        self.starts = 1
        self.engine = engine(self.specs, {}, counted_ids(1), self.instant())

    @property
    def key(self) -> tuple[str, str]:
        return ("d", self.rule.name)

    @property
    def alarm(self) -> Any:
        return next(a for a in self.engine.alarms() if a.key == self.key)

    @property
    def letter(self) -> str:
        return str(self.alarm.state.letter(protected=self.alarm.protected))

    @property
    def phase(self) -> str:
        return str(self.alarm.state.phase.value)

    @property
    def occurrence(self) -> Any:
        return self.alarm.state.occurrence

    def instant(self) -> Instant:
        return Instant(1000.0 + self.now, WALL + round(self.now * NANO) + self.wall_step, self.synced)

    def note(self, events: list[AlarmEvent]) -> list[str]:
        self.events += events
        for key, state in self.engine.take_dirty():
            self.kept[key] = json.loads(json.dumps(state))
        return [e.kind.value for e in events]

    def tick(self, at: float) -> list[str]:
        self.now = at
        return self.note(self.engine.tick(self.instant()))

    def see(self, at: float, value: Any, point: str = "p") -> list[str]:
        self.now = at
        now = self.instant()
        bad = isinstance(value, Quality)
        values, wrong = ({}, {point: value}) if bad else ({point: value}, {})
        return self.note(self.engine.observe([Sample("d", now.wall, now.mono, values, wrong)], now))

    def act(self, at: float, action: actions.Action) -> str:
        """Do it; return why not, or the kinds of events it caused."""
        self.now = at
        reply = self.engine.act(self.key, action, self.instant())
        kinds = " ".join(self.note(reply.events))
        return reply.reason or kinds

    def ack(self, at: float) -> str:
        o = self.occurrence
        return self.act(at, actions.Ack("" if o is None else o.id, 0 if o is None else o.activations))

    def restart(self, at: float) -> None:
        """Kill it; only what was committed comes back."""
        self.now = at
        self.starts += 1
        self.engine = self.kind(self.specs, dict(self.kept), counted_ids(self.starts), self.instant())

    def edit(self, at: float, value: float) -> list[str]:
        self.now = at
        self.rule = limit(limit=value)
        self.specs = [AlarmSpec("d", self.rule, self.specs[0].context)]
        return self.note(self.engine.put(self.specs[0], self.instant(), "li"))

    def delete(self, at: float) -> list[str]:
        self.now = at
        return self.note(self.engine.remove(self.key, self.instant(), "li"))

    def step_clock(self, seconds: float) -> None:
        self.wall_step += round(seconds * NANO)

    def do(self, at: float, word: str) -> str:
        """Take one step of a table; return the kinds of its events."""
        name, _, argument = word.partition(" ")
        who = {"actor": "li", "reason": "why"}
        if name in {"on", "off", "at", "bad", "over"}:
            readings = {"on": ON, "off": OFF, "bad": Quality.SENTINEL, "over": Quality.OVER_RANGE}
            return " ".join(self.see(at, float(argument) if name == "at" else readings[name]))
        plain: dict[str, Callable[[], object]] = {
            "tick": lambda: self.tick(at),
            "ack": lambda: self.ack(at),
            "restart": lambda: self.restart(at),
            "edit": lambda: self.edit(at, float(argument)),
            "delete": lambda: self.delete(at),
            "clock": lambda: self.step_clock(float(argument)),
        }
        if name in plain:
            found = plain[name]()
            return " ".join(found) if isinstance(found, list) else str(found or "")
        made: dict[str, Callable[[], actions.Action]] = {
            "silence": lambda: actions.Silence(**who),
            "reset": lambda: actions.Reset(**who),
            "dispose": lambda: actions.Dispose("false", **who),
            "shelve": lambda: actions.Shelve(float(argument), **who),
            "unshelve": lambda: actions.Unshelve(**who),
            "suppress": lambda: actions.Suppress("bus", **who),
            "unsuppress": lambda: actions.Unsuppress("bus", **who),
            "disable": lambda: actions.Disable(float(argument), **who),
            "disable2": lambda: actions.Disable(float(argument), "chief", **who),
            "enable": lambda: actions.Enable(**who),
            "drill": lambda: actions.StartDrill(float(argument), **who),
            "drill_stop": lambda: actions.StopDrill(**who),
        }
        return self.act(at, made[name]())
