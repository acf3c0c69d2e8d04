"""The polls of one line as data: which points of which device are read together, and how often. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.liveness import Life

if TYPE_CHECKING:
    from collections.abc import Iterable

SHORTEST = 0.001  # seconds; a shorter period means as fast as it goes


@dataclass(frozen=True, slots=True)
class Group:
    """Points of one device that are read together."""

    points: tuple[str, ...]
    every: float  # seconds; 0 is as fast as it goes
    alarm: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """A device as the schedule sees it. Alarm groups stand first in `groups`."""

    device: str
    groups: tuple[Group, ...]
    lost_after: float = 3.0  # seconds without a good answer before it may be called lost


def groups(
    points: Iterable[str], alarm: Iterable[str], every: float, alarm_every: float
) -> tuple[Group, ...]:
    """Split a device's points: those that alarms hang on at their own period and first, then the rest.

    With equal periods one group holds all: one exchange, one sample.
    """
    names = tuple(points)
    wanted = frozenset(alarm)
    urgent = tuple(p for p in names if p in wanted)
    rest = tuple(p for p in names if p not in wanted)
    if every == alarm_every or not urgent or not rest:
        return (Group(names, alarm_every if urgent else every, alarm=bool(urgent)),)
    return (Group(urgent, alarm_every, alarm=True), Group(rest, every))


class Unit:
    """One device on the line: its life, its groups, and whether it is being read."""

    __slots__ = ("busy", "life", "parked", "points", "turns")

    def __init__(self, member: Member, now: float) -> None:
        self.life = Life(member.device, member.lost_after, now)
        self.turns = tuple(Turn(self, group) for group in member.groups)
        self.points = tuple(p for group in member.groups for p in group.points)
        self.busy = False
        self.parked: list[Turn] = []  # due, but the device is being read already


class Turn:
    """One group of one device, with its place on the grid. `take` hands it out, the outcome gives it back."""

    __slots__ = ("alarm", "deadline", "device", "period", "points", "queued", "started", "unit")

    def __init__(self, unit: Unit, group: Group) -> None:
        self.unit = unit
        self.device = unit.life.device
        self.points = group.points
        self.period = group.every if group.every >= SHORTEST else 0.0
        self.alarm = group.alarm
        self.deadline = 0.0
        self.started = 0.0
        self.queued = False
