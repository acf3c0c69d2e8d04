"""Rules that run, but not as they are meant: each kind is found, and the presets of the house have none."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.model import AlarmClass
from rules.conditions import AlarmSpec, Context, Deviation, Level, Limit, Stale
from rules.lint import Noise, lint

STALE = AlarmSpec("d", Stale(name="stale"))
GOOD: dict[str, Any] = {"deadband": 2, "on_delay": 5.0, "off_delay": 30.0}


def limit(name: str = "high", **more: Any) -> AlarmSpec:
    return AlarmSpec(
        "d", Limit(**{"name": name, "point": "p", "limit": 50.0, **GOOD, **more}), Context(interval=1.0)
    )


def codes(*specs: AlarmSpec, **known: Any) -> list[str]:
    found = lint([*specs, STALE], known.get("ranges", {}), known.get("noise", {}))
    assert all(f.what[0] and f.what[1] and f.do[0] and f.do[1] for f in found)
    return [f.code for f in found]


def test_a_rule_as_it_should_be() -> None:
    assert codes(limit()) == []


@pytest.mark.parametrize(
    ("setting", "code"),
    [
        ({"deadband": 0}, "no-deadband"),
        ({"on_delay": 0.0}, "no-delay"),
        ({"off_delay": 0.0}, "short-off-delay"),
        ({"off_delay": 0.5}, "short-off-delay"),
        ({"on_delay": 0.5}, "short-on-delay"),
    ],
)
def test_what_makes_an_alarm_flutter(setting: dict[str, Any], code: str) -> None:
    assert codes(limit(**setting)) == [code]


def test_two_samples_are_a_delay_and_the_gravest_level_needs_none() -> None:
    assert codes(limit(on_delay=0.0, min_samples=2), limit("other", point="q", on_delay=0.0, level=1)) == []


def test_faults_are_left_alone() -> None:
    assert codes(limit(deadband=0, off_delay=0.0, alarm_class=AlarmClass.FAULT, level=0)) == []


def test_a_graver_level_before_a_milder_one() -> None:
    assert codes(limit(level=3), limit("high-high", level=1, limit=40.0)) == ["disorder"]
    assert codes(limit(level=3), limit("high-high", level=1, limit=60.0)) == []
    assert codes(limit(level=3, when="below"), limit("low-low", level=1, limit=60.0, when="below")) == [
        "disorder"
    ]
    assert codes(limit(level=3), limit("low-low", level=1, limit=10.0, when="below")) == []


def test_levels_of_one_rule_are_looked_at_too() -> None:
    levels = (Level(limit=40, level=1, **GOOD), Level(limit=50, level=3, **GOOD))
    assert codes(limit(limit=None, levels=levels)) == ["disorder"]


def test_a_limit_that_can_never_be_reached() -> None:
    assert codes(limit(), ranges={("d", "p"): (0, 40)}) == ["out-of-range"]
    assert codes(limit(), ranges={("d", "p"): (0, 50)}) == []


def test_a_limit_inside_the_normal_noise() -> None:
    assert codes(limit(), noise={("d", "p"): Noise(30, 45, 51)}) == ["in-the-noise"]
    assert codes(limit(when="below", limit=35), noise={("d", "p"): Noise(30, 45, 51)}) == ["in-the-noise"]
    assert codes(limit(), noise={("d", "p"): Noise(30, 35, 41)}) == []


def test_a_deadband_that_normal_times_never_leave() -> None:
    assert codes(limit(deadband=10), noise={("d", "p"): Noise(38, 42, 45)}) == ["never-clears"]


def test_a_deviation_is_looked_at_without_its_points() -> None:
    tilt = Deviation(name="open", points=("x", "y"), limit=15.0, assume_zero=True)
    spec = AlarmSpec("d", tilt, Context(interval=2.0))
    assert set(codes(spec, noise={("d", "x"): Noise(0, 1, 2)})) == {
        "no-deadband",
        "no-delay",
        "short-off-delay",
    }


def test_a_device_whose_silence_nobody_would_notice() -> None:
    assert [f.code for f in lint([limit()], {}, {})] == ["no-stale"]


def test_noise_is_known_from_enough_readings_and_not_from_the_alarms_among_them() -> None:
    assert Noise.of([1.0] * 99) is None
    noise = Noise.of([float(i % 10) for i in range(1000)] + [500.0] * 5)
    assert noise == Noise(0, 5, 9)


def test_the_homes_of_rules_over_many_are_no_devices_that_could_fall_silent() -> None:
    homes = ("site", "zone.b3", "gateway", "line.bus")
    specs = [AlarmSpec(home, limit().rule, Context(interval=1.0)) for home in homes]
    assert lint(specs, {}, {}) == []
    assert [f.code for f in lint([limit()], {}, {})] == ["no-stale"]
