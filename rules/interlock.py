"""What an interlock is, as the site has it, and which alarms are a cause of one. Pure.

How far its order has come is the matter of `rules.errand`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from gateway.model import Value
    from rules.alarm import Alarm
    from rules.rule import AlarmKey

HOUR = 3600.0


class OnStop(StrEnum):
    """What an orderly stop of the gateway does to the output."""

    HOLD = "hold"  # leaves it as it is
    ACT = "act"  # puts it on the safe side: nobody watches any more
    RELEASE = "release"  # puts it back, as a siren that nobody could stop


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is ordered: a value of a point of a device."""

    device: str
    point: str
    value: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What is ordered when all is over, and how long after."""

    value: Value
    after: float = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Interlock:
    """What a site has written, its alarms looked up. Times in seconds."""

    name: str
    when: tuple[AlarmKey, ...]
    order: Target
    level: int | None = None  # only while its alarm is at this level or graver
    delay: float = 0.0
    release: Release | None = None
    within: float = 10.0
    give_up: float = HOUR
    per_hour: int = 6
    drill: bool = False  # whether test events move it, too
    hold: bool = True  # whether nobody may move the output the other way while an alarm of it stands
    on_stop: OnStop = OnStop.HOLD
    hardware: str = ""  # what the output does by itself when line or power is lost, in the site's words

    @property
    def device(self) -> str:
        """The name under which it is watched: no device of a site has a dot in its name."""
        return f"interlock.{self.name}"


class Cause(NamedTuple):
    """An alarm that is a reason for an interlock."""

    occurrence: str
    activation: int
    live: bool  # False: only its latch stands


def cause_of(alarm: Alarm, interlock: Interlock) -> Cause | None:
    """Return the alarm as a cause of an interlock; None when it is none.

    A shelf and a root cause hide an alarm from people, not from an interlock. Out of service it is no cause:
    whoever works on a detector must be able to. An alarm of a drill is one only where the site says so.
    """
    state, o = alarm.state, alarm.state.occurrence
    if o is None or state.out_of_service is not None or (o.test and not interlock.drill):
        return None
    if interlock.level is not None and not 0 < o.level <= interlock.level:
        return None
    return Cause(o.id, o.activations, state.live) if state.live or o.latched else None
