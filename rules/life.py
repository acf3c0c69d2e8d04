"""The life of an occurrence: opened, announced, acknowledged, latched, cleared, closed. Pure.

      activate                    return to normal                acknowledged,
    ───────────▶ live (B, C) ─────────────────────▶ returned (D) ──────────────▶ closed (A)
                   ▲    │  ▲                            │            not latched
                   │    │  └──────── activate ──────────┘
                   │    │ return to normal, latching
          activate │    ▼                  reset
                 latched (E, F) ─────────────────────▶ closed (A)

What is told outside is decided in `announce` alone, which runs after every step (alarms.md 3.3):

    live or latched, and not hidden:   nothing told since the last CLEAR -> RAISE, or REPEAT in a later
                                       activation; graver than what was told -> UPGRADE;
                                       activated again before it was cleared -> REPEAT
    no longer live, not latched:       CLEAR, if anything was told; hidden or not
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.model import EventKind, Quality
from rules.chatter import BEGINS, ENDS, may_hold
from rules.message import make_event
from rules.rule import gravity
from rules.stage import Timer
from rules.state import AlarmState, Hold, Input, Occurrence

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.model import AlarmEvent, Instant, Value
    from rules.look import Stage
    from rules.rule import AlarmKey, AlarmSpec
    from rules.worked import Worked

ASKED = frozenset({1, 2})  # levels of which somebody must say what it was; it blocks nothing (row 20)
QUALITY_NEWS = 30.0  # seconds between two events that only say how good the input is


class Life:
    """An alarm without its input: what happens when its condition comes and goes. Base of `Alarm`."""

    __slots__ = (
        "beyond",
        "deciding",
        "dirty",
        "new_id",
        "out",
        "protected",
        "reading_quality",
        "spec",
        "stages",
        "state",
        "told_bad",
        "value",
        "worked",
    )

    def __init__(
        self, spec: AlarmSpec, worked: Worked, new_id: Callable[[], str], state: AlarmState | None
    ) -> None:
        self.spec, self.worked = spec, worked
        self.state = state or AlarmState([Timer() for _ in worked.stages])
        self.stages, self.protected = self.state.chatter.stages(worked.stages), worked.protected
        self.new_id = new_id
        self.out: list[AlarmEvent] = []  # taken by the engine after every step
        self.dirty = False
        self.value: Value | None = None  # of the last look
        self.reading_quality = Quality.GOOD
        self.beyond = False  # true because the reading was beyond the range of the sensor
        self.deciding: Stage = self.state.standing(self.stages) or self.stages[0]
        self.told_bad = (False, float("-inf"))  # whether an event said that the input is bad, and when

    @property
    def key(self) -> AlarmKey:
        """(device, rule)."""
        return self.spec.key

    @property
    def hidden(self) -> bool:
        """Whether nothing but a CLEAR is told outside."""
        return self.state.hidden(protected=self.protected)

    def emit(self, kind: EventKind, now: Instant, actor: str = "", reason: str = "") -> None:
        """Add an event."""
        self.out.append(make_event(self, kind, now, actor, reason))
        self.dirty = True

    def answer(self, now: Instant, actor: str, reason: str) -> None:
        """Say of the closed occurrence that asks for it what it was."""
        event = make_event(self, EventKind.DISPOSITION, now, actor, reason)
        self.out.append(replace(event, occurrence=self.state.asks))
        self.state.asks, self.dirty = "", True

    # The condition comes, changes its level, and goes.

    def follow(self, now: Instant, *, was: bool) -> None:
        """Carry what the condition did over to the occurrence; `was` tells whether it stood before."""
        state = self.state
        stage = state.standing(self.stages)
        again = False
        if stage is not None:
            self.deciding = stage
            if was:
                self.relevel(stage, now)
            else:
                again = self.activate(stage, now)
                if self.hidden:
                    self.emit(EventKind.UPDATE, now, reason="hidden")
        elif was:
            self.fall(now)
        self.settle(now, again=again)
        if stage is not None and not was:
            self.count_chatter(now)

    def count_chatter(self, now: Instant) -> None:
        """Hold an alarm that comes too often: one event says so, and its repeats stop."""
        rule = self.spec.rule
        if may_hold(rule) and self.state.chatter.activated(now.mono):
            self.stages = self.state.chatter.stages(self.worked.stages)
            self.emit(EventKind.UPDATE, now, reason=BEGINS)

    def activate(self, stage: Stage, now: Instant) -> bool:
        """Row 4: open an occurrence, or count one more activation of the open one; whether it was open."""
        state, o = self.state, self.state.occurrence
        self.dirty = True
        if o is None:
            test = state.drill is not None
            state.occurrence = o = Occurrence(
                self.new_id(),
                stage.level,
                stage.level,
                now.wall,
                trigger=self.value,
                test=test,
                unsure=not now.synced,
            )
            self.told_bad = (state.input is Input.BAD, float("-inf"))  # the first event says it
        else:
            o.activations += 1
            o.acked = False
            o.level = graver(o.level, stage.level) if o.latched else stage.level
            o.worst = graver(o.worst, stage.level)
        self.stick(o)
        return o.activations > 1

    def relevel(self, stage: Stage, now: Instant) -> None:
        """Rows 13 and 14: the level rises and must be seen again, or falls, which only consoles care for."""
        o = self.state.occurrence
        if o is None:
            return
        self.stick(o)
        if gravity(stage.level) < gravity(o.level):
            o.level, o.worst, o.acked = stage.level, graver(o.worst, stage.level), False
            self.dirty = True
            if self.hidden or gravity(o.level) >= gravity(o.raised_level):
                self.emit(EventKind.UPDATE, now, reason="level")
        elif gravity(stage.level) > gravity(o.level) and not o.latched and not o.sticky:
            o.level = stage.level
            self.emit(EventKind.UPDATE, now, reason="level")

    def stick(self, o: Occurrence) -> None:
        """Note a reading beyond the range: a catalytic sensor in rich gas reads low again (3.6)."""
        o.sticky = o.sticky or self.beyond

    def fall(self, now: Instant) -> None:
        """Row 7: the condition is gone; a latching one waits for its reset."""
        o = self.state.occurrence
        if o is None:
            return
        self.dirty = True
        if self.spec.rule.auto_ack:
            o.acked = True
        if o.sticky or self.spec.rule.latches(o.worst):
            o.latched = True
            self.emit(EventKind.COND_NORMAL, now)
        else:
            self.clear(now)

    def clear(self, now: Instant, actor: str = "", reason: str = "") -> None:
        """Give back what was announced; never hidden, never without an announcement."""
        o = self.state.occurrence
        if o is not None and o.owed:
            o.owed = False
            self.emit(EventKind.CLEAR, now, actor, reason)

    # After every step.

    def settle(self, now: Instant, *, again: bool = False, reason: str = "") -> None:
        """Announce what is to be announced, and close what is done (row 20)."""
        self.announce(now, again=again)
        self.news_of_input(now)
        o = self.state.occurrence
        if o is not None and not self.state.live and not o.latched and o.acked:
            self.emit(EventKind.CLOSED, now, reason=reason)
            self.state.occurrence = None
            if o.worst in ASKED and not (o.disposition or o.test):
                self.state.asks = o.id

    def announce(self, now: Instant, *, again: bool = False) -> None:
        """Tell outside what is not known there: the one place where that is decided."""
        o = self.state.occurrence
        if o is None or self.hidden or not (self.state.live or o.latched):
            return
        if not o.owed:
            kind = EventKind.REPEAT if o.raised else EventKind.RAISE
            o.raised_level = o.level
        elif gravity(o.level) < gravity(o.raised_level):
            kind = EventKind.UPGRADE
            o.raised_level = o.level
        elif again:
            kind = EventKind.UPDATE if self.state.chatter.held else EventKind.REPEAT
        else:
            return
        o.raised = o.owed = True
        if kind is not EventKind.UPDATE or o.level == 1:  # level 1 keeps ringing on the spot
            self.state.silenced = False
        self.emit(kind, now, reason=BEGINS if kind is EventKind.UPDATE else "")

    def news_of_input(self, now: Instant) -> None:
        """Tell consoles that the input of an open occurrence went bad or good, but not at every flicker."""
        bad = self.state.input is Input.BAD
        told, when = self.told_bad
        if self.state.occurrence is not None and bad is not told and now.mono >= when + QUALITY_NEWS:
            self.told_bad = (bad, now.mono)
            self.emit(EventKind.UPDATE, now, reason="input bad" if bad else "input good")

    # What ends by itself.

    def expire(self, now: Instant) -> None:
        """End what has run out: acknowledgement, shelf, suppression, being out of service, drill."""
        state, o = self.state, self.state.occurrence
        if self.ack_ends() is not None and o is not None and now.mono >= (o.ack_until or 0.0):
            o.acked, o.ack_until = False, None
            self.emit(EventKind.UNACK, now, reason="timeout")  # row 15a
        if state.shelf is not None and state.shelf.over(now):
            state.shelf = None
            self.emit(EventKind.UNSHELVE, now, reason="expired")
        if state.out_of_service is not None and state.out_of_service.over(now):
            state.out_of_service = None
            self.emit(EventKind.IN_SERVICE, now, reason="expired")
        if state.chatter.over(now.mono):
            self.stages = state.chatter.stages(self.worked.stages)
            self.emit(EventKind.UPDATE, now, reason=ENDS)
        for root in [root for root, end in state.roots.items() if end is not None and now.mono >= end]:
            del state.roots[root]
            self.emit(EventKind.UNSUPPRESS, now, reason=root)
        if state.drill is not None and state.drill.over(now):
            self.end_drill(now, reason="expired")

    def ack_ends(self) -> float | None:
        """Return when the acknowledgement of a standing alarm runs out."""
        o = self.state.occurrence
        if o is None or not o.acked or o.disposition or not self.state.live:
            return None
        return o.ack_until

    def holds(self) -> list[Hold]:
        """Return what people put on the alarm."""
        state = self.state
        if not state.held:
            return []
        return [hold for hold in (state.shelf, state.out_of_service, state.drill) if hold is not None]

    def end_drill(self, now: Instant, actor: str = "", reason: str = "") -> None:
        """Row 27: what was born in it ends with it; a signal that persists is a new, real occurrence."""
        state, o = self.state, self.state.occurrence
        self.emit(EventKind.TEST_END, now, actor, reason)
        state.drill = None
        if o is None or not o.test:
            return
        self.finish("drill", now, actor)
        stage = state.standing(self.stages)
        if stage is not None:
            self.activate(stage, now)
        self.settle(now)

    def finish(self, disposition: str, now: Instant, actor: str = "") -> None:
        """Close the occurrence whatever its state, giving back what was announced."""
        o = self.state.occurrence
        if o is not None:
            o.disposition, o.latched, o.acked = disposition, False, True
            self.clear(now, actor, disposition)
            self.emit(EventKind.CLOSED, now, actor, disposition)
            self.state.occurrence = None


def graver(a: int, b: int) -> int:
    """Return the graver of two levels."""
    return min(a, b, key=gravity)
