"""A sensor is replaced: faults close, learning and baseline begin anew, an alarm that stands stays."""

from __future__ import annotations

import json

from alarm_life import Life, limit

from gateway.model import Outcome
from rules.conditions import Context, Deviation, Stale
from rules.replace import Replace
from rules.rezero import Rezero
from rules.rule import AlarmSpec

NEW = Replace(actor="li", reason="new sensor")


def test_a_standing_silence_of_the_old_one_is_closed() -> None:
    life = Life(Stale(name="stale"))
    life.see(1, 5.0)
    assert life.tick(40) == ["raise"]
    assert life.act(50, NEW) == "clear closed"
    assert life.tick(70) == [], "the new one has thirty seconds of its own"
    assert life.tick(81) == ["raise"]


def tilted() -> Life:
    life = Life(Deviation(name="open", points=("p",), limit=15.0, good_confirm=1))
    life.specs = [AlarmSpec("d", life.rule, Context(baseline={"p": 1.0}))]
    life.restart(0)
    life.see(1, 2.0)
    return life


def test_a_deviation_sleeps_until_it_has_the_baseline_of_the_new_one() -> None:
    life = tilted()
    life.act(2, NEW)
    for at in range(3, 10):
        assert life.see(at, 40.0) == []
    assert life.alarm.truth() is None
    life.restart(20)
    assert life.see(21, 40.0) == [], "also after a restart"
    life.act(22, Rezero({"p": 38.0}, actor="li"))
    assert life.see(23, 40.0) == []
    assert life.see(24, 60.0) == ["raise"]


def test_a_new_sensor_that_rests_where_the_old_one_did_is_armed_by_its_baseline_all_the_same() -> None:
    life = tilted()
    life.act(2, NEW)
    life.act(3, Rezero({"p": 1.0}, actor="li"))
    assert life.see(4, 40.0) == ["raise"]


def test_control_without_the_replacement_it_would_have_raised() -> None:
    assert tilted().see(3, 40.0) == ["raise"]


def test_an_alarm_that_stands_stays() -> None:
    life = Life(limit(on_delay=0.0))
    life.see(1, 60.0)
    life.act(2, NEW)
    assert life.letter == "B"
    assert json.loads(json.dumps(life.alarm.to_json(life.instant())))["occurrence"] is not None


def test_it_is_refused_without_a_reason() -> None:
    life = Life(limit())
    reply = life.engine.act(life.key, Replace(actor="li"), life.instant())
    assert reply.outcome is Outcome.REFUSED
