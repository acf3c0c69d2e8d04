"""Drills: who tests what until when, and which detectors have been heard. Owns no alarm. Pure.

One drill at a time. That it ends is the business of each alarm (rows 26 and 27 of alarms.md 3.3): here
stands only what people want to see of it, and how its events are marked outside.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from gateway.model import EventKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gateway.model import AlarmEvent, Instant

KEY = "drill"  # of the small values
DEFAULT = 1800.0  # seconds
REMIND = 600.0  # seconds without a signal from a detector whose test was announced
SIGNALS = frozenset({EventKind.RAISE, EventKind.REPEAT, EventKind.UPGRADE})
NANO = 1_000_000_000


class Kind(StrEnum):
    """How far a drill reaches."""

    WALK_TEST = "walk_test"  # stays on the site: status Test
    EXERCISE = "exercise"  # the whole chain: status Exercise


@dataclass(slots=True)
class Drill:
    """One drill, running or over. Times are wall nanoseconds: labels, for people."""

    id: str
    kind: Kind
    scope: str
    devices: tuple[str, ...]
    detectors: tuple[str, ...]  # those of the devices that can alarm
    by: str
    approved_by: str
    reason: str
    began: int
    ends: int
    until: float  # monotonic seconds of this run
    stopped: int = 0
    stopped_by: str = ""
    announced: dict[str, int] = field(default_factory=dict)  # device -> when somebody said "now this one"
    heard: dict[str, dict[str, Any]] = field(default_factory=dict)  # device -> its first signal

    def running(self, now: Instant) -> bool:
        """Whether it goes on: it ends on the first clock that says so."""
        return not self.stopped and now.mono < self.until and not (now.synced and now.wall >= self.ends)


class Drills:
    """The drill that runs, or the last one."""

    def __init__(self, kept: str | None, now: Instant) -> None:
        self.drill: Drill | None = None
        self.suspects: list[str] = []  # detectors whose test alarms are to be taken for real
        self._standing: set[tuple[str, str]] = set()  # red test alarms of which the condition holds
        if kept:
            data: dict[str, Any] = json.loads(kept)
            left = (data["ends"] - now.wall) / NANO if now.synced else data["left"]
            data["kind"], data["until"] = Kind(data["kind"]), now.mono + max(0.0, min(left, data.pop("left")))
            data["devices"], data["detectors"] = tuple(data["devices"]), tuple(data["detectors"])
            self.drill = Drill(**data)

    def running(self, now: Instant) -> Drill | None:
        """Return the drill that goes on."""
        return self.drill if self.drill is not None and self.drill.running(now) else None

    def keep(self, now: Instant) -> str:
        """Return what the journal is to keep of the drill there is."""
        drill = self.drill
        assert drill is not None
        data = {each.name: getattr(drill, each.name) for each in fields(Drill)}
        return json.dumps({**data, "left": max(0.0, drill.until - now.mono)}, ensure_ascii=False)

    def note(self, events: Iterable[AlarmEvent]) -> None:
        """Tick off the detectors that were heard, and suspect the second one that is red."""
        for event in events:
            if event.test:
                self._suspect(event)
            if event.test and event.kind in SIGNALS:
                self.hear(event.device, event.rule, event.at, event.level, event.value)

    def hear(self, device: str, rule: str, at: int, level: int, value: object) -> None:
        """Tick off one detector; its first signal counts, or the first after its test was announced."""
        drill = self.drill
        if drill is None or device not in drill.detectors or at < drill.began:
            return
        called, first = drill.announced.get(device, 0), drill.heard.get(device)
        if first is not None and (first["at"] >= called or at < called):
            return
        response = (at - called) / NANO if called else None
        drill.heard[device] = {
            "rule": rule, "at": at, "level": level, "value": value,
            "after": round((at - drill.began) / NANO, 1),
            "response": None if response is None else round(response, 1),
        }  # fmt: skip

    def _suspect(self, event: AlarmEvent) -> None:
        """In a walk test, one detector at a time is set off: a second one that is red at once is real.

        Not one whose test was announced (alarms.md 7).
        """
        drill, key = self.drill, (event.device, event.rule)
        if event.level != 1 or not event.active:
            self._standing.discard(key)
            return
        self._standing.add(key)
        if drill is None or drill.kind is not Kind.WALK_TEST or event.kind not in SIGNALS:
            return
        if event.device not in drill.announced and any(
            device != event.device for device, _ in self._standing
        ):
            self.suspects.append(event.device)

    def report(self, now: Instant) -> dict[str, Any] | None:
        """Return the drill for people: what was asked, and a line per detector."""
        drill = self.drill
        if drill is None:
            return None
        running = drill.running(now)
        over = drill.stopped or min(drill.ends, now.wall)
        lines = [self._line(drill, name, now.wall if running else over) for name in drill.detectors]
        return {
            "id": drill.id,
            "kind": drill.kind.value,
            "scope": drill.scope,
            "running": running,
            "left": round(max(0.0, min(drill.until - now.mono, (drill.ends - now.wall) / NANO)), 1)
            if running
            else 0.0,
            "by": drill.by,
            "approved_by": drill.approved_by,
            "reason": drill.reason,
            "began": drill.began,
            "ended": 0 if running else over,
            "ended_by": drill.stopped_by if drill.stopped else "",
            "devices": len(drill.devices),
            "heard": len(drill.heard),
            "detectors": lines,
        }

    @staticmethod
    def _line(drill: Drill, name: str, until: int) -> dict[str, Any]:
        heard, called = drill.heard.get(name), drill.announced.get(name, 0)
        waits = called and (heard is None or heard["at"] < called)
        return {
            "device": name,
            "heard": heard is not None,
            "announced": called,
            "overdue": bool(waits) and (until - called) / NANO >= REMIND,
            "rule": None if heard is None else heard["rule"],
            "at": None if heard is None else heard["at"],
            "after": None if heard is None else heard["after"],
            "response": None if heard is None else heard["response"],
        }


def members(scope: str, devices: Mapping[str, tuple[str, str]]) -> Sequence[str]:
    """Return the devices in a scope: `all`, `device:NAME`, `zone:NAME`, `line:NAME`. Raises ValueError.

    `devices` has zone and line of each.
    """
    what, _, name = scope.partition(":")
    if scope == "all":
        return tuple(devices)
    if what == "device":
        return tuple(device for device in devices if device == name)
    if what in {"zone", "line"}:
        at = ("zone", "line").index(what)
        return tuple(device for device, where in devices.items() if where[at] == name and name)
    raise ValueError(f"{scope!r}: wanted all, device:NAME, zone:NAME or line:NAME")
