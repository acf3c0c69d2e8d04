"""Which faults make a protected alarm blind, and what is told when one is taken out of service. Pure.

A fault of a fire or gas detector never waits for others: a blind detector is urgent (alarms.md 4.6). That a
protected alarm is formally disabled, or in service again, is told to the first step of the ladder, the fire
centre among them (row 24 of 3.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.model import EventKind
from rules.receipts import Notice, NoticeKind
from rules.rule import FAULTS, gravity, with_companions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gateway.model import AlarmClass, AlarmEvent, Instant
    from rules.rule import AlarmKey, AlarmSpec

LISTED = 100  # alarms named in one notice
SERVICE = frozenset({EventKind.OUT_OF_SERVICE, EventKind.IN_SERVICE})


@dataclass(frozen=True, slots=True)
class Guards:
    """The protected alarms of a site, and what they hang on."""

    alarms: frozenset[AlarmKey]
    hosts: frozenset[str]  # their devices, and the lines of these

    @staticmethod
    def of(specs: Iterable[AlarmSpec], devices: Mapping[str, tuple[str, float]]) -> Guards:
        """Return them; `devices` has the line of each device."""
        keys = frozenset(spec.key for spec in with_companions(specs) if spec.rule.is_protected)
        names = {device for device, _ in keys}
        lines = {devices[name][0] for name in names if name in devices}
        return Guards(keys, frozenset(names | lines))

    def blinds(self, event: AlarmEvent) -> bool:
        """Return whether this is a fault that takes the sight of a protected alarm."""
        return event.alarm_class in FAULTS and event.device in self.hosts


NO_GUARDS = Guards(frozenset(), frozenset())


@dataclass(frozen=True, slots=True)
class Change:
    """The protected alarms of one device that went out of service, or came back, together."""

    device: str
    out: bool
    alarm_class: AlarmClass
    names: tuple[str, ...]  # DEVICE/RULE/, as in any notice
    reason: str

    def notice(self, number: int, person: str, now: Instant) -> Notice:
        """Return what one person is told of it."""
        n = len(self.names)
        zh, en = ("停用", "out of service") if self.out else ("恢复使用", "in service again")
        title = {
            "zh": f"{zh}：{self.device} 的 {n} 个受保护告警（{self.reason}）",
            "en": f"{en}: {n} protected alarms of {self.device} ({self.reason})",
        }
        cause, listed = f"service|{self.device}|{now.wall}", list(self.names[:LISTED])
        kind = NoticeKind.DISABLEMENT
        return Notice(number, person, kind, cause, 2, title, now.wall, now.mono, listed, max(0, n - LISTED))


def changes(events: Iterable[AlarmEvent], guards: Guards) -> Iterator[Change]:
    """Yield what happened to the service of protected alarms, one change for each device."""
    found: dict[tuple[str, EventKind], list[AlarmEvent]] = {}
    for event in events:
        if event.kind in SERVICE and (event.device, event.rule) in guards.alarms:
            found.setdefault((event.device, event.kind), []).append(event)
    for (device, kind), each in found.items():
        gravest = min(each, key=lambda event: gravity(event.level))
        names = tuple(f"{event.device}/{event.rule}/{event.occurrence}" for event in each)
        yield Change(device, kind is EventKind.OUT_OF_SERVICE, gravest.alarm_class, names, each[0].reason)
