"""Interlocks as lives: alarms come and go, orders fall due, are proven or not, and the gateway starts anew."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from interlock_life import BACK, CUT, GAS, OVER, VALVE, Life

from gateway.model import EventKind
from rules import actions
from rules.errand import SLOWEST
from rules.interlock import HOUR, Interlock, Release, Target


def test_one_cause_is_one_order_and_when_it_is_proven_it_is_over() -> None:
    life = Life(CUT).say("p", 9)
    assert life.orders() == ["off"]
    assert life.answer() == ["cut.1"]
    for _ in range(5):
        life.say("p", 9)
    assert life.orders() == []
    assert life.state()["state"] == "acted"
    assert life.state()["last"]["causes"] == ["p/over o0 x1"]


def test_a_cause_that_comes_again_is_another() -> None:
    life = Life(CUT).say("p", 9)
    life.answer()
    life.say("p", 1).say("p", 9)
    assert life.answer() == ["cut.2"]
    assert life.state()["last"]["causes"] == ["p/over o0 x2"]


def test_causes_that_come_before_it_is_proven_join_the_order() -> None:
    life = Life(CUT).say("p", 9)
    life.answer(proven=False)
    life.say("q", 9)
    life.at(2)
    assert life.answer() == ["cut.1"]
    assert life.state()["last"]["causes"] == ["p/over o0 x1", "q/over o1 x1"]
    assert life.due() == []


def test_the_delay_is_waited_for_and_what_ends_before_orders_nothing() -> None:
    life = Life(replace(CUT, delay=3.0)).say("p", 9)
    assert life.state()["state"] == "waiting"
    assert life.at(2.9).due() == []
    life.say("p", 1)
    assert life.at(10).due() == []
    life.say("p", 9)
    assert life.at(12.9).due() == []
    assert life.at(13.1).orders() == ["off"]


def test_only_the_level_that_is_meant_counts() -> None:
    life = Life(replace(CUT, level=1)).say("p", 9)
    assert life.at(5).due() == []
    assert Life(replace(CUT, level=2)).say("p", 9).orders() == ["off"]


def test_it_is_tried_again_ever_slower_while_the_cause_stands() -> None:
    life, tries = Life(CUT).say("p", 9), []
    while life.t < 400:
        if life.answer(proven=False, why="no answer"):
            tries.append(life.t)
        life.at(life.t + 0.1)
    pauses = [round(b - a, 1) for a, b in itertools.pairwise(tries)]
    assert pauses[:8] == pytest.approx([0.5, 1, 2, 4, 8, 15, 15, 15], abs=0.2)
    assert max(pauses) <= SLOWEST + 0.2
    life.say("p", 9)
    assert life.state()["errand"]["why"] == "no answer"


def test_what_is_not_proven_in_time_is_an_alarm_and_the_proof_ends_it() -> None:
    life = Life(replace(CUT, within=10)).say("p", 9)
    life.answer(proven=False)
    assert life.at(9.9).failures() == []
    assert life.at(10.1).failures() == [EventKind.RAISE]
    raised = next(e for e in life.events if e.rule == "interlock-failed")
    assert (raised.level, raised.device) == (1, "interlock.cut")
    assert life.state()["state"] == "failed"
    life.answer()
    assert life.failures() == [EventKind.RAISE, EventKind.COND_NORMAL]  # it waits for a person to reset it
    assert life.state()["state"] == "acted"


def test_an_order_that_is_under_way_for_too_long_has_failed_too() -> None:
    life = Life(CUT).say("p", 9)
    life.desk.begun("cut", life.now)
    assert life.at(11).failures() == [EventKind.RAISE]
    assert life.due() == [], "one at a time"


def test_it_is_given_up_long_after_the_cause_is_over_and_not_before() -> None:
    life = Life(replace(CUT, give_up=100)).say("p", 9)
    life.answer(proven=False)
    life.say("p", 9)
    assert life.at(500).orders() == ["off"]
    life.calm("p")
    life.at(599)
    assert life.state()["errand"] is not None
    life.at(602)
    assert life.state()["errand"] is None
    assert life.state()["last"]["proven"] is False
    assert life.state()["state"] == "failed"


def test_it_goes_back_only_where_the_site_says_so_and_only_after_its_time() -> None:
    life = Life(CUT).say("p", 9)
    life.answer()
    life.say("p", 1)
    assert life.at(9 * HOUR).due() == []
    life = Life(BACK).say("p", 9)
    life.answer()
    life.say("p", 1)
    assert life.at(59).due() == []
    assert life.at(61).orders() == ["on"]
    life.answer()
    assert life.state()["state"] == "idle"
    assert life.at(9 * HOUR).due() == []


def test_an_alarm_that_comes_while_it_goes_back_acts_again() -> None:
    life = Life(BACK).say("p", 9)
    life.answer()
    life.say("p", 1).at(61)
    (back,) = life.due()
    life.desk.begun("cut", life.now)
    life.say("p", 9)
    assert life.due() == [], "the line still has the order back"
    life.desk.ended("cut", back.errand.id, proven=True, why="", now=life.now)
    assert life.orders() == ["off"]


def test_a_latched_alarm_keeps_it_there_until_it_is_reset() -> None:
    fan = replace(VALVE, name="fan", release=Release(value="off", after=60.0))
    life = Life(fan).say("g", 60)
    life.answer()
    life.say("g", 0).at(1000)
    assert life.due() == []
    life.calm("g")
    life.act(GAS, actions.Ack("o0", 1, actor="w"))
    life.act(GAS, actions.Reset(actor="w"))
    assert life.at(life.t + 59).due() == []
    assert life.at(life.t + 2).orders() == ["off"]


def test_an_output_that_was_put_back_too_often_stays_on_the_safe_side() -> None:
    life = Life(replace(BACK, per_hour=3))
    backs = 0
    while life.t < HOUR - 200:
        life.say("p", 9).answer()
        life.calm("p").at(life.t + 100)
        backs += "on" in life.orders()
        life.answer()
    assert backs == 3
    assert life.state()["held_back"] is True
    assert life.state()["state"] == "acted"
    life.say("p", 9)
    assert life.orders() == ["off"], "the limit never holds back what is safe"
    life.answer()
    life.calm("p")
    assert life.at(HOUR + 200).orders() == ["on"]


SHELF = actions.Shelve(600, actor="w", reason="noise")
OUT = actions.Disable(3600, actor="w", reason="exchange", approved_by="z")


def test_what_hides_an_alarm_from_people_does_not_hide_it_from_an_interlock() -> None:
    life = Life(CUT).say("p", 1)
    life.act(OVER, SHELF)
    life.say("p", 9)
    assert [e.kind for e in life.events if e.kind is EventKind.RAISE] == []
    assert life.orders() == ["off"]


def test_an_alarm_out_of_service_orders_nothing() -> None:
    life = Life(CUT).say("p", 1)
    life.act(OVER, OUT)
    assert life.say("p", 9).due() == []
    life.act(OVER, actions.Enable(actor="w"))
    assert life.orders() == ["off"], "back in service, it counts"


def test_silence_and_acknowledgement_undo_nothing() -> None:
    life = Life(BACK).say("p", 9)
    life.answer()
    life.act(OVER, actions.Silence(actor="w"))
    life.act(OVER, actions.Ack("o0", 1, actor="w"))
    life.say("p", 9)
    assert life.at(500).due() == []
    assert life.state()["causes"] == ["p/over"]


@pytest.mark.parametrize("drill", [False, True])
def test_a_drill_moves_hardware_only_where_the_site_says_so(drill: bool) -> None:
    life = Life(replace(CUT, drill=drill)).say("p", 1)
    life.act(OVER, actions.StartDrill(600, actor="w", reason="drill"))
    assert bool(life.say("p", 9).due()) is drill


def test_a_drill_that_ends_with_the_signal_still_there_is_real() -> None:
    life = Life(CUT).say("p", 1)
    life.act(OVER, actions.StartDrill(600, actor="w", reason="drill"))
    life.say("p", 9)
    life.act(OVER, actions.StopDrill(actor="w"))
    assert life.orders() == ["off"]


def test_an_alarm_stands_against_the_other_way_and_no_longer_than_it_does() -> None:
    life = Life(VALVE)
    locks = life.desk.interlocks
    assert locks.veto("v", "valve", "open") == ""
    life.say("g", 60)
    assert locks.veto("v", "valve", "open") == "valve (g/lel-high-high)"
    assert locks.veto("v", "valve", "closed") == ""
    assert locks.veto("v", "other", "open") == ""
    life.say("g", 0)
    assert locks.veto("v", "valve", "open"), "clear, but not reset"
    life.act(GAS, actions.Ack("o0", 1, actor="w"))
    life.say("g", 0)
    life.act(GAS, actions.Reset(actor="w"))
    assert locks.veto("v", "valve", "open") == ""


def test_a_siren_may_be_stopped_by_people_while_its_alarm_stands() -> None:
    life = Life(replace(VALVE, name="siren", hold=False)).say("g", 60)
    assert life.desk.interlocks.veto("v", "valve", "off") == ""
    assert life.orders() == ["closed"]


def test_after_a_kill_an_order_that_is_not_proven_is_due_again_and_a_proven_one_is_not() -> None:
    life = Life(CUT).say("p", 9).restart()
    assert life.answer() == ["cut.1"]
    life.restart().say("p", 9)
    assert life.due() == []
    assert life.state()["state"] == "acted"
    life.say("p", 1).restart(down=300)
    assert life.due() == []


def test_the_time_that_a_gateway_is_down_counts_for_the_way_back() -> None:
    life = Life(BACK).say("p", 9)
    life.answer()
    life.say("p", 1).at(20).restart(down=45)
    assert life.at(life.t + 1).orders() == ["on"]


def test_an_order_that_was_given_up_while_the_gateway_was_down_is_told() -> None:
    life = Life(replace(CUT, give_up=100)).say("p", 9)
    life.say("p", 1).restart(down=200)
    assert life.due() == []
    assert life.state()["last"]["proven"] is False
    assert EventKind.RAISE in life.failures()


def test_an_interlock_that_left_the_site_is_forgotten_and_a_new_one_looks_at_what_stands() -> None:
    life = Life(CUT).say("p", 9)
    life.interlocks = ()
    life.restart()
    assert not [key for key in life.disk if key[0] == "@interlock"]
    life.interlocks = (BACK,)
    assert life.restart().orders() == ["off"]


def test_an_interlock_may_wait_for_the_failure_of_another() -> None:
    siren = Interlock(
        name="siren",
        when=(("interlock.cut", "interlock-failed"),),
        order=Target(device="s", point="siren", value="on"),
    )
    life = Life(CUT, siren).say("p", 9)
    life.desk.begun("cut", life.now)
    life.desk.ended("cut", "cut.1", proven=False, why="no answer", now=life.now)
    life.at(12)
    assert ("siren", "on") in [(d.interlock.name, d.errand.value) for d in life.due()]
