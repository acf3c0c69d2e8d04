"""Chatter hold (alarms.md 5.2): what comes and goes too often is held, visibly, and told once."""

from __future__ import annotations

from typing import Any

import pytest
from alarm_life import Life, limit

from gateway.model import AlarmClass
from rules.chatter import Chatter
from rules.look import Phase

QUICK: dict[str, Any] = {"on_delay": 0.0, "off_delay": 0.0}


def flicker(life: Life, times: int, start: float = 0.0, step: float = 1.0) -> list[str]:
    """On and off so often; the kinds of events in order."""
    said = []
    for i in range(times):
        said += [life.do(start + 2 * step * i, "on"), life.do(start + 2 * step * i + step, "off")]
    return said


@pytest.mark.parametrize(
    ("times", "held"),
    [
        ((0, 30, 60), True),
        ((0, 30, 61), False),
        ((0, 150, 300, 450, 600), True),
        ((0, 150, 300, 450, 601), False),
    ],
)
def test_three_in_a_minute_or_five_in_ten(times: tuple[float, ...], held: bool) -> None:
    chatter = Chatter()
    assert [chatter.activated(t) for t in times][-1] is held
    assert len(chatter.recent) <= 5


def test_it_is_told_three_times_then_held_with_a_longer_off_delay() -> None:
    life = Life(limit(**QUICK))
    assert flicker(life, 2) == ["raise", "clear", "repeat", "clear"]
    assert life.do(4, "on") == "repeat update"
    assert life.events[-1].reason == "chattering"
    assert life.engine.view()[0].chattering
    assert flicker(life, 100, start=5) == [""] * 200, "repeats stop"
    end = 5 + 199
    assert [life.do(end + t, "off") for t in range(1, 602)].count("clear") == 1
    assert life.phase == Phase.NORMAL


def test_thirty_quiet_minutes_end_it() -> None:
    life = Life(limit(**QUICK))
    flicker(life, 3)
    for t in range(6, 1803):
        life.do(t, "off")
    assert life.alarm.state.chatter.held
    assert "update" in [life.do(t, "off") for t in (1804, 1805)] + life.tick(1806)
    assert not life.alarm.state.chatter.held
    assert life.alarm.stages[0].off_delay == 0


def test_what_was_cleared_is_told_when_it_comes_again() -> None:
    life = Life(limit(**QUICK))
    flicker(life, 3)
    for t in range(6, 700):
        life.do(t, "off")
    assert life.do(700, "on") == "repeat"
    assert life.alarm.state.chatter.held


def test_a_latched_one_that_is_held_comes_again_inside_only() -> None:
    life = Life(limit(**QUICK, latch=True))
    said = flicker(life, 3)
    assert said == ["raise", "cond_normal", "repeat", "cond_normal", "repeat update", ""]
    for t in range(6, 700):
        life.do(t, "off")
    assert life.do(700, "on") == "update"


@pytest.mark.parametrize("kind", [AlarmClass.GAS, AlarmClass.FIRE])
def test_fire_and_gas_are_never_held(kind: AlarmClass) -> None:
    life = Life(limit(**QUICK, alarm_class=kind, level=2, latch=False))
    assert flicker(life, 20).count("repeat") == 19


def test_a_restart_keeps_the_hold() -> None:
    life = Life(limit(**QUICK))
    flicker(life, 3)
    life.restart(10)
    assert life.alarm.state.chatter.held
    assert life.alarm.stages[0].off_delay == 600
    assert life.do(11, "off") == ""
    assert life.do(12, "on") == ""


def test_an_edited_rule_keeps_the_hold() -> None:
    life = Life(limit(**QUICK))
    flicker(life, 3)
    life.edit(10, 45.0)
    assert life.alarm.stages[0].off_delay == 600
