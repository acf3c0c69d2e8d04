"""The life of a gateway with interlocks, for tests: readings, time, people, kills, and who carries out orders."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gateway.faults import interlock_specs
from gateway.model import AlarmClass, Instant, Sample
from rules.conditions import AlarmSpec, Limit
from rules.desk import Desk, Tree
from rules.interlock import Interlock, Release, Target

if TYPE_CHECKING:
    from gateway.model import AlarmEvent, EventKind
    from rules.actions import Action
    from rules.interlocks import Due

WALL = 1_780_000_000 * 10**9
OVER, GAS = ("p", "over"), ("g", "lel-high-high")
RULE = Limit(name="over", point="i", limit=5, level=2, alarm_class=AlarmClass.CHARGING, chatter_hold=False)
RULES = [
    AlarmSpec("p", RULE),
    AlarmSpec("q", RULE),
    AlarmSpec("g", Limit(name="lel-high-high", point="lel", limit=50, level=1, alarm_class=AlarmClass.GAS)),
]
CUT = Interlock(name="cut", when=(OVER, ("q", "over")), order=Target(device="p", point="port", value="off"))
BACK = replace(CUT, release=Release(value="on", after=60.0))
VALVE = Interlock(name="valve", when=(GAS,), order=Target(device="v", point="valve", value="closed"))


class Life:
    """One gateway, from the first start on; seconds are counted from it."""

    def __init__(self, *interlocks: Interlock) -> None:
        self.interlocks = interlocks
        self.ids = itertools.count()
        self.disk: dict[tuple[str, str], Any] = {}
        self.t = 0.0
        self.events: list[AlarmEvent] = []
        self.desk = self.begin()

    def begin(self) -> Desk:
        specs = [*RULES, *interlock_specs(self.interlocks)]
        restored = {key: json.loads(json.dumps(data)) for key, data in self.disk.items()}
        return Desk(specs, restored, lambda: f"o{next(self.ids)}", self.now, Tree(), None, self.interlocks)

    @property
    def now(self) -> Instant:
        return Instant(self.t, WALL + round(self.t * 1e9))

    def at(self, t: float) -> Life:
        """Let time pass, deadline by deadline."""
        while (deadline := self.desk.interlocks.next_deadline()) is not None and deadline <= t:
            self.t = max(self.t, deadline) + 1e-3
            self.keep(self.desk.tick(self.now))
        self.t = max(t, self.t)
        self.keep(self.desk.tick(self.now))
        return self

    def keep(self, events: list[AlarmEvent]) -> None:
        self.events += events
        for key, data in self.desk.take_dirty():
            if data is None:
                self.disk.pop(key, None)
            else:
                self.disk[key] = data

    def say(self, device: str, value: float) -> Life:
        """A reading comes."""
        self.t += 1e-3
        point = "lel" if device == "g" else "i"
        self.keep(self.desk.observe([Sample(device, self.now.wall, self.t, {point: value})], self.now))
        return self

    def calm(self, device: str) -> Life:
        """Good readings that say it is over: after a gap, one is not believed."""
        return self.say(device, 1).say(device, 1).say(device, 1)

    def due(self) -> list[Due]:
        return self.desk.interlocks.due(self.t)

    def orders(self) -> list[object]:
        return [due.errand.value for due in self.due()]

    def answer(self, *, proven: bool = True, why: str = "") -> list[str]:
        """Carry out everything that is due; return the ids."""
        done = []
        for interlock, errand in self.due():
            self.desk.begun(interlock.name, self.now)
            said = self.desk.ended(interlock.name, errand.id, proven=proven, why=why, now=self.now)
            self.keep(said.events)
            done.append(errand.id)
        return done

    def restart(self, down: float = 0.0) -> Life:
        """Kill it, and start it from the disk."""
        self.t += down
        self.desk = self.begin()
        self.keep(self.desk.tick(self.now))
        return self

    def state(self, name: str = "cut") -> dict[str, Any]:
        return next(shown for shown in self.desk.interlocks.shown(self.t) if shown["name"] == name)

    def act(self, key: tuple[str, str], action: Action) -> None:
        self.keep(self.desk.act(key, action, self.now).events)

    def failures(self) -> list[EventKind]:
        return [e.kind for e in self.events if e.rule == "interlock-failed"]
