"""The state space of the engine: every promise of alarms.md 3.8 at every step, and faults that must be found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from alarm_search import CHATTERING, RULES, Broken, Search, limit

from gateway.model import EventKind
from rules import actions
from rules.alarm import Alarm
from rules.chatter import BEGINS, Chatter, may_hold
from rules.conditions import Limit
from rules.engine import Engine
from rules.look import Phase, Verdict
from rules.stage import Timer
from rules.state import Input

if TYPE_CHECKING:
    from gateway.model import Instant
    from rules.look import Look, Stage
    from rules.rule import Rule

PER_RULE = 7_200  # seven rules: 50,400 transitions
FAULT_MOST = 12_000


@pytest.mark.parametrize("name", RULES)
def test_no_way_through_the_machine_breaks_a_promise(name: str) -> None:
    search = Search(RULES[name])
    search.run(PER_RULE)
    assert search.transitions >= PER_RULE


@pytest.mark.slow
@pytest.mark.parametrize("name", RULES)
def test_no_long_way_through_the_machine_breaks_a_promise(name: str) -> None:
    search = Search(RULES[name])
    search.run(150_000)  # seven rules: more than a million transitions
    print(f"{name}: {search.states} states, {search.transitions} transitions")


@pytest.mark.parametrize("name", CHATTERING)
def test_no_way_through_the_chatter_hold_breaks_a_promise(name: str) -> None:
    search = Search.slow(CHATTERING[name])
    search.run(PER_RULE // 2)
    assert search.transitions >= PER_RULE // 2


@pytest.mark.slow
@pytest.mark.parametrize("name", CHATTERING)
def test_no_long_way_through_the_chatter_hold_breaks_a_promise(name: str) -> None:
    search = Search.slow(CHATTERING[name])
    search.run(100_000)
    print(f"{name}: {search.states} states, {search.transitions} transitions")


# Faults on purpose: each is a machine, or an action, with one thing wrong.


class BadMeansNormal(Limit):
    """The masking bug: what is not a number is not above the limit."""

    def judge(self, look: Look) -> Verdict | None:
        verdict = Limit.judge(self, look)
        return verdict if verdict is None or verdict.known else Verdict((False,) * len(verdict.truths))


class TellsTwice(Alarm):
    def announce(self, now: Instant, *, again: bool = False) -> None:
        if self.state.occurrence is not None and self.state.live and not self.hidden:
            self.state.occurrence.raised = self.state.occurrence.owed = True
            self.emit(EventKind.RAISE, now)


class HidesTheClear(Alarm):
    def clear(self, now: Instant, actor: str = "", reason: str = "") -> None:
        if not self.hidden:
            super().clear(now, actor, reason)


class SilentInDrills(Alarm):
    @property
    def hidden(self) -> bool:
        return super().hidden or self.state.drill is not None


class StaysAcked(Alarm):
    def activate(self, stage: Stage, now: Instant) -> bool:
        o = self.state.occurrence
        was = o is not None and o.acked
        again = super().activate(stage, now)
        if self.state.occurrence is not None:
            self.state.occurrence.acked = was
        return again


class DrillGoesOn(Alarm):
    def end_drill(self, now: Instant, actor: str = "", reason: str = "") -> None:
        self.state.drill = None
        self.emit(EventKind.TEST_END, now, actor, reason)


class TellsAtStart(Alarm):
    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        if self.state.live:
            self.emit(EventKind.RAISE, given[3])


class ForgetsTheLatch(Alarm):
    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        if self.state.occurrence is not None:
            self.state.occurrence.latched = False


class ForgetsTheAck(Alarm):
    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        if self.state.occurrence is not None:
            self.state.occurrence.acked = False


class TrustsSilence(Alarm):
    def blind_at(self) -> float | None:
        return None


class KeepsTheLevelToItself(Alarm):
    def relevel(self, stage: Stage, now: Instant) -> None:
        return


class NeverLatches(Alarm):
    def fall(self, now: Instant) -> None:
        if self.state.occurrence is not None:
            self.clear(now)


class NeverCloses(Alarm):
    def settle(self, now: Instant, *, again: bool = False, reason: str = "") -> None:
        self.announce(now, again=again)


class ForgetsToTellAfterwards(Alarm):
    def settle(self, now: Instant, *, again: bool = False, reason: str = "") -> None:
        was, self.hushed = self.hidden, getattr(self, "hushed", False)
        self.hushed = self.hushed or was
        if not self.hushed:
            super().settle(now, again=again, reason=reason)


class AlwaysCalm(Alarm):
    def stretch(self, effective: float) -> None:
        super().stretch(effective)
        self.calm = lambda _sample, _memory: True


class ShelvesForEver(Alarm):
    def expire(self, now: Instant) -> None:
        return


class HasteTimer(Timer):
    """Counts from the first good sample, holes and all."""

    def lose(self) -> None:
        return


class CountsThroughHoles(Alarm):
    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.state.timers = [
            HasteTimer(t.phase, t.credit, t.count, t.mark, t.frozen) for t in self.state.timers
        ]


class NormalAtOnce(Alarm):
    """After a restart, clearing goes on where it was."""

    def tick(self, now: Instant) -> None:
        super().tick(now)
        if self.state.phase is Phase.CLEARING and self.state.input is Input.BAD:
            self.state.timers = [Timer() for _ in self.stages]


class NeverHeld(Alarm):
    def count_chatter(self, now: Instant) -> None:
        return


class HeldInSilence(Alarm):
    def count_chatter(self, now: Instant) -> None:
        if may_hold(self.spec.rule) and self.state.chatter.activated(now.mono):
            self.stages = self.state.chatter.stages(self.worked.stages)


class EverythingIsHeld(Alarm):
    def count_chatter(self, now: Instant) -> None:
        if self.state.chatter.activated(now.mono):
            self.stages = self.state.chatter.stages(self.worked.stages)
            self.emit(EventKind.UPDATE, now, reason=BEGINS)


class ClearsAsEver(Alarm):
    """The hold is shown, but the off-delay stays as short as it was."""

    def count_chatter(self, now: Instant) -> None:
        super().count_chatter(now)
        self.stages = self.spec.rule.stages()


class RepeatsInTheHold(Alarm):
    def announce(self, now: Instant, *, again: bool = False) -> None:
        held, self.state.chatter.held = self.state.chatter.held, False
        super().announce(now, again=again)
        self.state.chatter.held = held


class ForgetsTheHold(Alarm):
    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.state.chatter = Chatter()


class HeldForEver(Alarm):
    def expire(self, now: Instant) -> None:
        chatter, self.state.chatter = self.state.chatter, Chatter()
        super().expire(now)
        self.state.chatter = chatter


class TheHoldHidesTheClear(Alarm):
    def clear(self, now: Instant, actor: str = "", reason: str = "") -> None:
        if not self.state.chatter.held:
            super().clear(now, actor, reason)


class CarelessReset(actions.Reset):
    def apply(self, alarm: Alarm, now: Instant) -> None:
        o = actions.opened(alarm)
        if not o.latched:
            raise actions.Refusal("not_latched")
        o.latched = False
        alarm.emit(EventKind.RESET, now, self.actor, self.reason)
        alarm.clear(now, self.actor, self.reason)


class CarelessAck(actions.Ack):
    def apply(self, alarm: Alarm, now: Instant) -> None:
        o = actions.opened(alarm)
        o.acked = True
        alarm.emit(EventKind.ACK, now, self.actor, self.reason)


class CarelessShelf(actions.Shelve):
    def apply(self, alarm: Alarm, now: Instant) -> None:
        alarm.state.shelf = actions.hold(self, self.seconds, actions.MAX_SHELF, now)
        alarm.emit(EventKind.SHELVE, now, self.actor, self.reason)


@dataclass(frozen=True)
class Fault:
    rule: Rule
    machine: type[Alarm] = Alarm
    actions: tuple[tuple[str, type[actions.Action]], ...] = ()


PLAIN, LATCHING, GAS, LEVELS = RULES["plain"], RULES["latching"], RULES["gas"], RULES["two levels"]
MASKING = BadMeansNormal(name="r", point="p", limit=50.0, on_delay=2.0, off_delay=2.0)
FAULTS = {
    "bad input means normal": Fault(MASKING),
    "told twice": Fault(PLAIN, TellsTwice),
    "a shelf hides the all-clear": Fault(PLAIN, HidesTheClear),
    "a drill hides a real alarm": Fault(PLAIN, SilentInDrills),
    "what comes again counts as seen": Fault(LATCHING, StaysAcked),
    "a drill alarm outlives the drill": Fault(PLAIN, DrillGoesOn),
    "a restart tells everything again": Fault(PLAIN, TellsAtStart),
    "a restart loses the latch": Fault(LATCHING, ForgetsTheLatch),
    "a restart loses the acknowledgement": Fault(PLAIN, ForgetsTheAck),
    "silence counts as good input": Fault(LATCHING, TrustsSilence),
    "a rising level is not told": Fault(LEVELS, KeepsTheLevelToItself),
    "a latching alarm clears by itself": Fault(LATCHING, NeverLatches),
    "what is done is not closed": Fault(PLAIN, NeverCloses),
    "what stood on the shelf is not told after it": Fault(PLAIN, ForgetsToTellAfterwards),
    "the quick look sees nothing": Fault(PLAIN, AlwaysCalm),
    "a shelf has no end": Fault(PLAIN, ShelvesForEver),
    "clearing goes on through bad input": Fault(PLAIN, CountsThroughHoles),
    "reset without looking": Fault(LATCHING, actions=(("reset", CarelessReset),)),
    "an old acknowledgement is taken": Fault(PLAIN, actions=(("ack", CarelessAck),)),
    "gas can be shelved": Fault(GAS, actions=(("shelve", CarelessShelf),)),
}


FLUTTERING, FLUTTERING_LATCH, FLUTTERING_GAS = CHATTERING.values()
FAULTS_OF_THE_HOLD = {
    "nothing is ever held": Fault(FLUTTERING, NeverHeld),
    "the hold begins in silence": Fault(FLUTTERING, HeldInSilence),
    "gas is held": Fault(FLUTTERING_GAS, EverythingIsHeld),
    "a held alarm clears as ever": Fault(FLUTTERING, ClearsAsEver),
    "a held alarm is told again and again": Fault(FLUTTERING_LATCH, RepeatsInTheHold),
    "a restart loses the hold": Fault(FLUTTERING, ForgetsTheHold),
    "the hold has no end": Fault(FLUTTERING, HeldForEver),
    "the hold hides the all-clear": Fault(FLUTTERING, TheHoldHidesTheClear),
}


@pytest.mark.parametrize("name", FAULTS_OF_THE_HOLD)
def test_the_search_finds_a_hold_in_which(name: str) -> None:
    fault = FAULTS_OF_THE_HOLD[name]
    engine = type("Seeded", (Engine,), {"machine": fault.machine})
    with pytest.raises(Broken) as found:
        Search.slow(fault.rule, engine).run(FAULT_MOST)
    print(f"{name}: {found.value}")


@pytest.mark.parametrize("name", FAULTS)
def test_the_search_finds_a_machine_in_which(name: str) -> None:
    fault = FAULTS[name]
    engine = type("Seeded", (Engine,), {"machine": fault.machine})
    with pytest.raises(Broken) as found:
        Search(fault.rule, engine, dict(fault.actions)).run(FAULT_MOST)
    print(f"{name}: {found.value}")


def test_the_control_without_a_fault_is_quiet() -> None:
    Search(limit(), type("Same", (Engine,), {"machine": Alarm})).run(3_000)
