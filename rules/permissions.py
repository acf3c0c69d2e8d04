"""Who may do what (alarms.md 3.4): a person, a deed, an alarm; out comes yes, or why not. Pure.

The one place where it is decided, whatever way an order comes in. Levels of access as on fire panels:
1 looks, 2 operates, 3 configures. What the machine itself does not allow (a reset while active) is not
decided here but in `rules.actions`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


class Role(StrEnum):
    """What somebody is to this site."""

    VIEWER = "viewer"  # also the fire brigade on its read-only screen
    OPERATOR = "operator"
    MAINTAINER = "maintainer"
    ENGINEER = "engineer"
    FIRE_OFFICER = "fire_officer"
    AUTOMATION = "automation"

    @property
    def level(self) -> int:
        """The level of access: 1 look, 2 operate, 3 configure; 0 is no person."""
        return _LEVELS[self]


VIEWER, OPERATOR, MAINTAINER = Role.VIEWER, Role.OPERATOR, Role.MAINTAINER
ENGINEER, FIRE_OFFICER, AUTOMATION = Role.ENGINEER, Role.FIRE_OFFICER, Role.AUTOMATION
_LEVELS = {VIEWER: 1, OPERATOR: 2, MAINTAINER: 2, ENGINEER: 3, FIRE_OFFICER: 3, AUTOMATION: 0}
CREW = frozenset({OPERATOR, MAINTAINER, ENGINEER, FIRE_OFFICER})


class Task(StrEnum):
    """What somebody may want to do."""

    SILENCE = "silence"
    ACK = "ack"
    RESET = "reset"
    DISPOSE = "close"
    SHELVE = "shelve"
    UNSHELVE = "unshelve"
    DISABLE = "disable"
    ENABLE = "enable"
    DRILL = "drill"  # stays on the site
    EXERCISE = "exercise"  # reaches the fire centre
    END_DRILL = "end_drill"
    BASELINE = "baseline"
    REPLACE = "replaced"  # say that a sensor is another one now
    EXPORT = "export"  # take a sealed copy of the books
    POLL = "poll"  # read a device now
    PROBE = "probe"  # raw reads on a line, between its polls
    INTERRUPT = "interrupt"  # the same at other rates: polls stop for seconds at a time
    WRITE = "write"
    SECURE = "secure"  # an order to the safe side: what an interlock of the site orders, too
    INTERLOCK = "interlock"  # what no person does


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks: `account` is what proves it, `name` what the books say."""

    name: str
    role: Role
    account: str = ""
    way: str = ""  # cli, console, mqtt
    origin: str = ""  # process or address
    at_site: bool = True


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked. `level` and `protected` are those of the gravest alarm that is touched."""

    task: Task
    level: int = 0
    protected: bool = False
    seconds: float = 0.0
    comment: str = ""


class Verdict(NamedTuple):
    """Yes, or why not in one word; `most` is the longest time allowed where that is the reason."""

    allowed: bool
    reason: str = ""
    most: float = 0.0


YES = Verdict(allowed=True)
PLAIN: Mapping[Task, frozenset[Role]] = {
    Task.SILENCE: CREW,
    Task.ACK: CREW,
    Task.RESET: CREW,
    Task.DISPOSE: CREW,
    Task.UNSHELVE: CREW,  # shows more, never less
    Task.ENABLE: CREW,
    Task.END_DRILL: CREW,
    Task.BASELINE: frozenset({MAINTAINER, ENGINEER}),
    Task.REPLACE: frozenset({MAINTAINER, ENGINEER}),
    Task.EXPORT: frozenset({VIEWER}) | CREW,  # reading is free; who took what is written down
    Task.POLL: CREW,
    Task.PROBE: frozenset({MAINTAINER, ENGINEER}),
    Task.INTERRUPT: frozenset({ENGINEER}),
    Task.WRITE: frozenset({ENGINEER}),
    Task.SECURE: CREW,  # who smells gas must not have to look for an engineer
    Task.INTERLOCK: frozenset(),
}
SHELVE_MILD = {OPERATOR: 30 * MINUTE, MAINTAINER: 8 * HOUR, ENGINEER: 24 * HOUR}
SHELVE_GRAVE = {MAINTAINER: 30 * MINUTE, ENGINEER: 2 * HOUR}
OUT_OF_SERVICE = {MAINTAINER: 7 * DAY, ENGINEER: 30 * DAY}
DISABLED = {MAINTAINER: 8 * HOUR, ENGINEER: 8 * HOUR}  # asked for; a fire officer approves
DRILLS = dict.fromkeys(CREW, 8 * HOUR)
EXERCISES = {ENGINEER: 8 * HOUR, FIRE_OFFICER: 8 * HOUR}  # an engineer only asks for one
COMMENTED = frozenset({Task.SHELVE, Task.DISABLE, Task.DRILL, Task.EXERCISE, Task.BASELINE, Task.REPLACE})


def judge(ask: Ask, who: Person, second: Person | None = None) -> Verdict:
    """Return whether `who` may do it; `second` is the other person, where there is one."""
    if (verdict := _role(ask, who)) is not YES:
        return verdict
    if not ask.comment and (ask.task in COMMENTED or _must_explain(ask, who)):
        return Verdict(allowed=False, reason="comment")
    return _second(ask, who, second)


def needs_two(ask: Ask, who: Person) -> bool:
    """Return whether a fire officer must approve it."""
    if ask.task is Task.DISABLE:
        return ask.protected
    return ask.task is Task.EXERCISE and who.role is not FIRE_OFFICER


def _role(ask: Ask, who: Person) -> Verdict:
    """Return whether the role may do this at all, and for so long."""
    if ask.task is Task.SHELVE and ask.protected:
        return Verdict(allowed=False, reason="protected")
    longest = _longest(ask)
    if longest is not None:
        return _within(ask, who.role, longest)
    barred = ask.task is Task.ACK and ask.level in {1, 2} and who.role is MAINTAINER
    if who.role not in PLAIN[ask.task] or barred:
        return Verdict(allowed=False, reason="role")
    if ask.task is Task.RESET and who.role in {OPERATOR, MAINTAINER} and not who.at_site:
        return Verdict(allowed=False, reason="at_site")
    return YES


def _longest(ask: Ask) -> Mapping[Role, float] | None:
    """Return who may do it for how long; None for what has no end of its own."""
    if ask.task is Task.SHELVE:
        return SHELVE_GRAVE if ask.level in {1, 2} else SHELVE_MILD
    if ask.task is Task.DISABLE:
        return DISABLED if ask.protected else OUT_OF_SERVICE
    return {Task.EXERCISE: EXERCISES, Task.DRILL: DRILLS}.get(ask.task)


def _within(ask: Ask, role: Role, longest: Mapping[Role, float]) -> Verdict:
    most = longest.get(role)
    if most is None:
        return Verdict(allowed=False, reason="role")
    return YES if 0 < ask.seconds <= most else Verdict(allowed=False, reason="duration", most=most)


def _must_explain(ask: Ask, who: Person) -> bool:
    """Return whether this person must say why: an operator for a grave alarm, a remote reset."""
    if ask.task is Task.ACK:
        return ask.level in {1, 2} and who.role is OPERATOR
    return ask.task is Task.RESET and not who.at_site


def _second(ask: Ask, who: Person, second: Person | None) -> Verdict:
    if not needs_two(ask, who):
        return YES
    if second is None:
        return Verdict(allowed=False, reason="second_person")
    if second.role is not FIRE_OFFICER:
        return Verdict(allowed=False, reason="role")
    if second.account == who.account or second.name == who.name:
        return Verdict(allowed=False, reason="same_person")
    return YES
