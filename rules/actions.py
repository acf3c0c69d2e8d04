"""What people, root causes and drills do to an alarm, as data: rows 15 to 27 of alarms.md 3.3. Pure.

    engine.act(("gas-b1-07", "lel-high"), Ack("7.12", seen=2, actor="wang"), now)

Three words that are not the same: *acknowledge* = I have seen it; *silence* = stop the horn; *reset* = let
the latch go. Each is answered with an outcome and, if refused, why. Who may do what is decided before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from gateway.model import EventKind, Outcome
from rules.look import Phase
from rules.rule import FAULTS
from rules.state import NANO, Hold, Input

if TYPE_CHECKING:
    from gateway.model import AlarmEvent, Instant
    from rules.alarm import Alarm
    from rules.state import Occurrence

ACK_LASTS = {1: 300.0, 2: 1800.0}  # seconds a forgotten acknowledgement may park a level (row 15a)
MAX_SHELF = 86400.0  # seconds; less for most people (3.4)
MAX_OUT_OF_SERVICE = 30 * 86400.0
MAX_DISABLED = 8 * 3600.0  # of a protected alarm
MAX_DRILL = 8 * 3600.0
GRACE = 2.0  # poll cycles after a root cause has gone (row 23)


class Reply(NamedTuple):
    """What became of an action; `reason` is one word, for machines, "" when it was done."""

    outcome: Outcome
    reason: str
    events: list[AlarmEvent]


class Refusal(Exception):
    """The machine does not allow it now. Carries the outcome and the one-word reason."""

    def __init__(self, reason: str, outcome: Outcome = Outcome.REFUSED) -> None:
        super().__init__(reason)
        self.outcome = outcome
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something done to one alarm by `actor`, who may say why."""

    actor: str = ""
    reason: str = ""

    def apply(self, alarm: Alarm, now: Instant) -> None:
        """Do it; raise Refusal, with nothing done, where the machine does not allow it."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Ack(Action):
    """Rows 15 and 16: acknowledge the occurrence of which activation `seen` was on the screen."""

    occurrence: str
    seen: int

    def apply(self, alarm: Alarm, now: Instant) -> None:
        """Refuse what was not on the screen: an older occurrence (gone) or activation (stale)."""
        o = opened(alarm)
        if o.id != self.occurrence:
            raise Refusal("gone", Outcome.CONFLICT)
        if self.seen < o.activations:
            raise Refusal("stale", Outcome.CONFLICT)
        if o.acked:
            return  # twice is once
        lasts = ACK_LASTS.get(o.level)
        o.acked, o.acked_by = True, self.actor
        o.ack_until = None if lasts is None else now.mono + lasts
        alarm.emit(EventKind.ACK, now, self.actor, self.reason)


@dataclass(frozen=True, slots=True)
class Silence(Action):
    """Row 17: the horn is off for this alarm until the next RAISE, UPGRADE or REPEAT."""

    def apply(self, alarm: Alarm, now: Instant) -> None:
        """Silence; this acknowledges nothing."""
        opened(alarm)
        alarm.state.silenced = True
        alarm.emit(EventKind.SILENCE, now, self.actor, self.reason)


@dataclass(frozen=True, slots=True)
class Reset(Action):
    """Rows 18 and 19: let the latch go, when all is proven to be well."""

    def apply(self, alarm: Alarm, now: Instant) -> None:
        """Refuse while active, on bad input, and before the acknowledgement."""
        o = opened(alarm)
        if alarm.state.phase is not Phase.NORMAL:
            raise Refusal("still_active")
        if alarm.state.input is not Input.GOOD:
            raise Refusal("input_bad")
        if not o.acked:
            raise Refusal("ack_first")
        if not o.latched:
            raise Refusal("not_latched")
        o.latched = False
        alarm.emit(EventKind.RESET, now, self.actor, self.reason)
        alarm.clear(now, self.actor, self.reason)


@dataclass(frozen=True, slots=True)
class Dispose(Action):
    """Say what it was: real, false, device fault, other. Ends the timeout of the acknowledgement.

    Of what is closed already, too, as long as it asks for it (row 20).
    """

    disposition: str

    def apply(self, alarm: Alarm, now: Instant) -> None:
        """Note it."""
        if alarm.state.occurrence is None and alarm.state.asks:
            alarm.answer(now, self.actor, self.reason or self.disposition)
            return
        opened(alarm).disposition = self.disposition
        alarm.emit(EventKind.DISPOSITION, now, self.actor, self.reason or self.disposition)


@dataclass(frozen=True, slots=True)
class Shelve(Action):
    """Row 21: tell nobody for `seconds`; never without an end and a reason."""

    seconds: float

    def apply(self, alarm: Alarm, now: Instant) -> None:
        """Refuse for a protected alarm."""
        if alarm.protected:
            raise Refusal("protected")
        alarm.state.shelf = hold(self, self.seconds, MAX_SHELF, now)
        alarm.emit(EventKind.SHELVE, now, self.actor, self.reason)


@dataclass(frozen=True, slots=True)
class Unshelve(Action):
    """Row 22: an alarm that stands and was never told is told now."""

    def apply(self, alarm: Alarm, now: Instant) -> None:
        """End the shelf."""
        if alarm.state.shelf is None:
            raise Refusal("not_shelved", Outcome.CONFLICT)
        alarm.state.shelf = None
        alarm.emit(EventKind.UNSHELVE, now, self.actor, self.reason)


@dataclass(frozen=True, slots=True)
class Suppress(Action):
    """Row 23: a fault whose root cause is known is not told; it goes on being watched."""

    root: str

    def apply(self, alarm: Alarm, now: Instant) -> None:
        """Refuse for everything that is no fault: a fire is told, whatever is broken."""
        if alarm.spec.rule.alarm_class not in FAULTS or alarm.protected:
            raise Refusal("protected")
        known = self.root in alarm.state.roots
        alarm.state.roots[self.root] = None
        if not known:
            alarm.emit(EventKind.SUPPRESS, now, self.actor, self.root)


@dataclass(frozen=True, slots=True)
class Unsuppress(Action):
    """Row 23: the root cause is gone; after two cycles of grace the alarm speaks for itself."""

    root: str

    def apply(self, alarm: Alarm, now: Instant) -> None:
        """Start the grace."""
        if alarm.state.roots.get(self.root, 0.0) is None:
            alarm.state.roots[self.root] = now.mono + GRACE * alarm.interval
            alarm.dirty = True


@dataclass(frozen=True, slots=True)
class Disable(Action):
    """Row 24: formally out of service for `seconds`; a protected alarm takes a second person."""

    seconds: float
    approved_by: str = ""

    def apply(self, alarm: Alarm, now: Instant) -> None:
        """Refuse without an end, a reason or the second person."""
        if alarm.protected and self.approved_by in {"", self.actor}:
            raise Refusal("second_person")
        longest = MAX_DISABLED if alarm.protected else MAX_OUT_OF_SERVICE
        alarm.state.out_of_service = hold(self, self.seconds, longest, now, self.approved_by)
        alarm.emit(EventKind.OUT_OF_SERVICE, now, self.actor, self.reason)


@dataclass(frozen=True, slots=True)
class Enable(Action):
    """Row 25: in service again."""

    def apply(self, alarm: Alarm, now: Instant) -> None:
        """End it early."""
        if alarm.state.out_of_service is None:
            raise Refusal("in_service", Outcome.CONFLICT)
        alarm.state.out_of_service = None
        alarm.emit(EventKind.IN_SERVICE, now, self.actor, self.reason)


@dataclass(frozen=True, slots=True)
class StartDrill(Action):
    """Row 26: occurrences that begin from now on are born in a test."""

    seconds: float

    def apply(self, alarm: Alarm, now: Instant) -> None:
        """Start it; what is open already is real and stays so."""
        alarm.state.drill = hold(self, self.seconds, MAX_DRILL, now)
        alarm.emit(EventKind.TEST, now, self.actor, self.reason)


@dataclass(frozen=True, slots=True)
class StopDrill(Action):
    """Row 27."""

    def apply(self, alarm: Alarm, now: Instant) -> None:
        """End it; a signal that persists is real."""
        if alarm.state.drill is None:
            raise Refusal("no_drill", Outcome.CONFLICT)
        alarm.end_drill(now, self.actor, self.reason)


def opened(alarm: Alarm) -> Occurrence:
    """Return the open occurrence; refuse when there is none."""
    if alarm.state.occurrence is None:
        raise Refusal("gone", Outcome.CONFLICT)
    return alarm.state.occurrence


def hold(action: Action, seconds: float, longest: float, now: Instant, approved_by: str = "") -> Hold:
    """Return a hold with its end on both clocks; refuse one without a reason, or too long."""
    if not 0 < seconds <= longest:
        raise Refusal("duration")
    if not action.reason:
        raise Refusal("reason")
    end = now.wall + round(seconds * NANO)
    return Hold(now.mono + seconds, end, action.actor, action.reason, approved_by)
