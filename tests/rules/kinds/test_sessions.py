"""`duration` and `accumulate`: sessions and sums through restarts, reboots, rollovers and edits."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from alarm_life import NANO, WALL, Life
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import Instant, Quality, Sample
from rules.conditions import Accumulate, AlarmSpec, Context, Duration, Float, Span
from rules.engine import Engine, counted_ids
from rules.replace import Replace


def over_time(hours: float = 8.0, **more: Any) -> Duration:
    return Duration(
        name="over-time", point="p", above=0.15, levels=(Span(after=hours * 3600, level=3),), **more
    )


def charge(life: Life, begin: float, end: float, amps: float = 1.3, every: float = 30.0) -> list[float]:
    """Charge from `begin` to `end`; return when something was told."""
    told, at = [], begin
    while at <= end:
        if life.see(at, amps):
            told.append(at)
        at += every
    return told


def life_of(rule: Any) -> Life:
    return Life(rule, interval=30.0)


def test_eight_hours_are_eight_hours() -> None:
    life = life_of(over_time())
    assert charge(life, 0, 28800 - 30) == []
    assert charge(life, 28800, 28900)[:1] == [28800]


def test_a_gateway_killed_every_hour_still_knows_how_long_the_charge_has_been() -> None:
    life, told = life_of(over_time()), []
    for hour in range(9):
        told += charge(life, hour * 3600 + 60, (hour + 1) * 3600 - 60)
        life.restart((hour + 1) * 3600)
    assert len(told) == 1
    assert 28800 <= told[0] <= 28800 + 9 * 120, (
        "a crash costs at most the two minutes since the memory was kept"
    )


def test_without_a_true_clock_a_restart_loses_only_the_time_it_took() -> None:
    life = life_of(over_time(1.0))
    life.synced = False
    charge(life, 0, 1800)
    life.restart(1900)
    assert charge(life, 1930, 4200)[0] == pytest.approx(1930 + 1800, abs=120)


def test_a_limit_edited_below_what_has_passed_is_told_at_once_and_the_session_goes_on() -> None:
    life = life_of(over_time(8.0))
    charge(life, 0, 7200)
    spec = AlarmSpec("d", over_time(1.0), life.specs[0].context)
    life.now = 7210
    life.engine.put(spec, life.instant(), "li")
    assert charge(life, 7230, 7300) == [7230]


def test_a_limit_edited_while_the_gateway_was_down_keeps_the_session_too() -> None:
    life = life_of(over_time(8.0))
    charge(life, 0, 7200)
    kept = {key: json.loads(json.dumps(state)) for key, state in life.engine.snapshot(life.instant())}
    spec = AlarmSpec("d", over_time(1.0), Context(interval=30.0))
    now = Instant(5.0, WALL + 7260 * NANO)
    engine = Engine([spec], kept, counted_ids(2), now)
    later = Instant(35.0, WALL + 7290 * NANO)
    events = engine.observe([Sample("d", later.wall, later.mono, {"p": 1.3})], later)
    assert [e.kind.value for e in events] == ["raise"]


def test_a_new_meter_begins_a_new_session() -> None:
    life = life_of(over_time(1.0))
    charge(life, 0, 3000)
    life.act(3010, Replace(actor="li", reason="new meter"))
    assert charge(life, 3030, 6000) == []


@pytest.mark.parametrize(("pause", "goes_on"), [(50, True), (70, False)])
def test_a_short_pause_belongs_to_the_session(pause: int, goes_on: bool) -> None:
    life = Life(over_time(0.1, end_for=60.0), interval=10.0)  # six minutes
    charge(life, 0, 300, every=10.0)
    charge(life, 310, 300 + pause, amps=0.0, every=10.0)
    told = charge(life, 310 + pause, 640, every=10.0)
    assert bool(told) is goes_on


def test_a_device_that_only_flickers_has_no_session() -> None:
    life = Life(over_time(0.01), interval=10.0)
    for at in range(0, 3600, 20):
        assert life.see(at, 1.3) == []
        assert life.see(at + 10, 0.0) == []


def test_a_float_that_charges_again_begins_anew() -> None:
    rule = Duration(name="f", point="p", above=0.15, float_stage=Float(below=0.4, after=600, level=4))
    life = life_of(rule)
    charge(life, 0, 600)
    assert charge(life, 630, 1200, amps=0.3) == []
    charge(life, 1230, 1260)
    assert charge(life, 1290, 1890, amps=0.3)[:1] == [1890]


# Counters.

WIDTH = 1000.0


def counter(**more: Any) -> Accumulate:
    return Accumulate(name="sum", point="p", limit=1e9, period="day", modulus=WIDTH, max_rate=60.0, **more)


@pytest.mark.parametrize(
    ("before", "now", "seconds", "added"),
    [
        (10.0, 12.0, 600, 2.0),
        (999.5, 0.5, 60, 1.0),  # rolled over
        (999.5, 0.5, 10, 0.0),  # not in ten seconds; nor can a reset meter have counted half a kWh in it
        (500.0, 0.5, 60, 0.5),  # reset: what it shows was counted since
        (500.0, 400.0, 60, 0.0),  # another meter
        (10.0, 900.0, 60, 0.0),  # a register torn or swapped: no 890 kWh in a minute
        (10.0, 10.0, 60, 0.0),
        (10.0, 9.0, None, 0.0),  # nobody knows how long
        (10.0, 12.0, None, 2.0),
    ],
)
def test_what_a_counter_counted(before: float, now: float, seconds: float | None, added: float) -> None:
    assert counter().delta(before, now, seconds) == pytest.approx(added)


@given(st.lists(st.floats(0, WIDTH - 0.001), min_size=2, max_size=40), st.floats(1, 3600))
def test_a_sum_never_falls_and_never_runs_away(readings: list[float], every: float) -> None:
    rule, total = counter(), 0.0
    for before, now in pairwise(readings):
        added = rule.delta(before, now, every)
        assert 0 <= added <= 60.0 * max(every, 1.0) / 3600 + 1e-9
        total += added


@given(st.lists(st.floats(0, 0.9), min_size=1, max_size=60), st.floats(0, WIDTH - 1))
def test_a_true_counter_is_added_up_exactly_over_any_number_of_turns(
    steps: list[float], start: float
) -> None:
    rule, shown, total = counter(), start, 0.0
    for step in steps:
        after = (shown + step) % WIDTH
        total += rule.delta(shown, after, 60.0)
        shown = after
    assert total == pytest.approx(sum(steps), abs=1e-6)


def test_a_day_goes_on_over_a_restart_with_what_was_counted_meanwhile() -> None:
    rule = Accumulate(name="sum", point="p", limit=5, period="day")
    life = life_of(rule)
    for at in range(0, 1800, 30):
        life.see(at, 100 + at / 900)
    life.kept = {key: json.loads(json.dumps(state)) for key, state in life.engine.snapshot(life.instant())}
    life.restart(3600)
    assert life.see(3630, 104.0) == []
    assert life.see(3660, 105.0) == ["raise"]


def test_bad_readings_neither_add_nor_end() -> None:
    life = life_of(Accumulate(name="sum", point="p", limit=5, period="rolling", window=3600))
    for at in range(0, 300, 30):
        life.see(at, 100 + at / 50)
    assert life.alarm.state.live
    for at in range(300, 8000, 30):
        assert "clear" not in life.see(at, Quality.SENTINEL)
    assert life.alarm.state.live
