"""The words that travel inside Tocsin. Imports nothing of ours, does no I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Value = float | int | bool | str
"""What a good reading holds: engineering units; `bool` for one bit, `str` for a word or a text."""


class Quality(StrEnum):
    """Why a reading may or may not be believed. Only GOOD carries a value."""

    GOOD = "good"
    NO_ANSWER = "no_answer"  # the device said nothing whole in time
    LATE = "late"  # what a reading says that came late: for the record, at the time of the reading; no siren
    REFUSED = "refused"  # the device answered with an exception
    SENTINEL = "sentinel"  # the device itself says "no value" (0x7FFF, 0xFFFF ...)
    NOT_A_NUMBER = "not_a_number"  # NaN, Inf, BCD digits above 9
    OVER_RANGE = "over_range"  # above the valid range: for a gas detector this is an alarm
    UNDER_RANGE = "under_range"
    WARMING_UP = "warming_up"  # the device says it is not ready yet
    DEVICE_FAULT = "device_fault"  # the device says its sensor is sick
    LINE_DOWN = "line_down"  # the port is gone or will not open
    DISABLED = "disabled"  # taken out of service by people
    UNKNOWN_CODE = "unknown_code"  # a status code that the profile does not list: never taken for normal

    @property
    def code(self) -> int:
        """The number that stands for this quality in the `q` field of telemetry; 0 is good."""
        return _CODES[self]


_CODES = {quality: number for number, quality in enumerate(Quality)}


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of one point of one device at one time."""

    device: str
    point: str
    value: Value | None  # None exactly when the quality is not GOOD
    at: int  # nanoseconds since 1970 UTC; never twice per device, growing unless the clock is set back
    mono: float  # monotonic seconds: what delays are counted in
    quality: Quality = Quality.GOOD


@dataclass(frozen=True, slots=True)
class Sample:
    """All readings of one device that were taken together.

    A point stands either in `values` (good) or in `bad` (with the reason), never in both.
    One sample is one line of telemetry and one step of the engine.
    """

    device: str
    at: int  # nanoseconds since 1970 UTC; never twice per device, growing unless the clock is set back
    mono: float  # monotonic seconds
    values: Mapping[str, Value]
    bad: Mapping[str, Quality] = field(default_factory=dict)

    def readings(self) -> Iterator[Reading]:
        """Yield the readings one by one."""
        for point, value in self.values.items():
            yield Reading(self.device, point, value, self.at, self.mono)
        for point, quality in self.bad.items():
            yield Reading(self.device, point, None, self.at, self.mono, quality)

    def __len__(self) -> int:
        return len(self.values) + len(self.bad)


class Instant(NamedTuple):
    """A moment on both clocks: `mono` decides, `wall` labels."""

    mono: float  # monotonic seconds
    wall: int  # nanoseconds since 1970 UTC
    synced: bool = True  # False while nobody vouches for the wall clock


class AlarmClass(StrEnum):
    """What kind of alarm it is; decides precedence, sound and who may hide it."""

    FIRE = "fire"
    GAS = "gas"
    ELECTRICAL = "electrical"
    SAFETY = "safety"
    CHARGING = "charging"
    SUPERVISORY = "supervisory"
    FAULT = "fault"
    SYSTEM = "system"


class EventKind(StrEnum):
    """What happened to an alarm. RAISE, UPGRADE, REPEAT and CLEAR are told outside."""

    RAISE = "raise"
    UPGRADE = "upgrade"
    REPEAT = "repeat"  # the condition came back inside an open occurrence
    CLEAR = "clear"
    UPDATE = "update"  # level fell, or input quality changed: consoles only
    COND_NORMAL = "cond_normal"  # condition normal, but latched
    ACK = "ack"
    SILENCE = "silence"  # the horn was stopped; acknowledges nothing
    UNACK = "unack"  # an acknowledgement ran out
    RESET = "reset"
    CLOSED = "closed"
    SHELVE = "shelve"
    UNSHELVE = "unshelve"
    SUPPRESS = "suppress"
    UNSUPPRESS = "unsuppress"
    OUT_OF_SERVICE = "out_of_service"
    IN_SERVICE = "in_service"
    TEST = "test"
    TEST_END = "test_end"
    RULE_CHANGED = "rule_changed"
    DISPOSITION = "disposition"
    LATE = "late"  # what a reading says that came late: for the record, at the time of the reading; no siren
    REFUSED = "refused"  # somebody asked for something the machine does not allow


ANNOUNCED = frozenset({EventKind.RAISE, EventKind.UPGRADE, EventKind.REPEAT, EventKind.CLEAR})


@dataclass(frozen=True, slots=True)
class AlarmEvent:
    """One step in the life of one alarm, as it is stored and told."""

    kind: EventKind
    device: str
    rule: str
    occurrence: str  # id of this life of the alarm; "" when there is none open
    n: int  # number of this event within the alarm, from 1: (device, rule, occurrence, n) is unique
    at: int  # nanoseconds since 1970 UTC; strictly increasing per alarm, but for LATE
    mono: float
    alarm_class: AlarmClass
    level: int  # 1 red ... 4 blue, 0 for a fault (not on the colour ladder)
    letter: str  # displayed state, ISA-18.2 letters A-I (alarms.md 3.2)
    active: bool  # the condition holds (C is ACTIVE or CLEARING)
    acked: bool
    latched: bool
    activation: int  # how many times the condition has come within the occurrence
    value: Value | None  # the value that decided, if there was one
    limit: float | None
    unit: str
    quality: Quality
    test: bool  # born in a drill
    actor: str  # who did it; "" for the machine
    reason: str
    message: Mapping[str, str]  # {"zh": ..., "en": ...}
    synced: bool = True


@dataclass(frozen=True, slots=True)
class Command:
    """An order from a person or a system. Done once, and never after it has expired."""

    id: str
    device: str
    point: str
    value: Value
    expires: float  # monotonic seconds
    actor: str
    automatic: bool = False  # of an interlock: it looks first, and writes only what is not so already


class Outcome(StrEnum):
    """How a command ended."""

    DONE = "done"
    FAILED = "failed"
    LATE = "late"  # what a reading says that came late: for the record, at the time of the reading; no siren
    REFUSED = "refused"
    EXPIRED = "expired"
    UNKNOWN = "unknown"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a command; there always is one."""

    id: str
    outcome: Outcome
    reason: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
