"""Personas as data, and the values they give over time."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from drivers.simulator.persona import (
    Burst,
    Charge,
    PersonaError,
    Walk,
    parse_dramas,
    parse_persona,
    parse_shape,
    seconds,
)
from drivers.simulator.player import Player


def player(persona: dict[str, Any], dramas: dict[str, Any] | None = None, **options: Any) -> Player:
    return Player(parse_persona(persona), parse_dramas(dramas or {}), options.pop("seed", 1), **options)


EVERYTHING = {
    "constant": {"play": "constant", "value": 4},
    "code": {"play": "code", "value": "normal"},
    "noise": {"play": "noise", "mean": 10, "sd": 2, "min": 8, "max": 12},
    "walk": {"play": "walk", "start": 5, "step": 1, "min": 0, "max": 10},
    "daily": {"play": "daily", "mean": 20, "swing": 5, "peak": 14},
    "charge": {
        "play": "charge",
        "idle": 1,
        "peak": 101,
        "ramp": "10s",
        "hold": "20m",
        "taper": "30m",
        "rest": "5m",
    },
    "energy": {"play": "counter", "of": "charge"},
    "count": {"play": "counter", "per_hour": 3600},
    "product": {"play": "product", "of": ["constant", "daily"], "scale": 0.5},
}


def test_the_same_seed_gives_the_same_run_however_often_one_looks() -> None:
    one, other = player(EVERYTHING), player(EVERYTHING)
    for t in range(500):
        one.values(t / 10)
    stepless = {p for p in EVERYTHING if p != "energy"}  # an integral gets finer with looking
    assert {p: v for p, v in one.values(50.0).items() if p in stepless} == pytest.approx(
        {p: v for p, v in other.values(50.0).items() if p in stepless}
    )
    assert player(EVERYTHING, seed=2).values(50.0) != other.values(50.0)


def test_noise_stays_within_bounds_and_about_its_mean() -> None:
    values = [float(player(EVERYTHING).value("noise", t / 10)) for t in range(2000)]
    assert 8 <= min(values) <= max(values) <= 12
    assert sum(values) / len(values) == pytest.approx(10, abs=0.2)
    assert len(set(values)) > 500


def test_a_walk_stays_within_bounds() -> None:
    walker = player(EVERYTHING)
    values = [float(walker.value("walk", t)) for t in range(3000)]
    assert 0 <= min(values) < 2
    assert 8 < max(values) <= 10
    assert max(abs(a - b) for a, b in itertools.pairwise(values)) < 6


def test_the_day_has_its_peak_at_its_hour() -> None:
    day = player(EVERYTHING, midnight=6 * 3600)
    assert day.value("daily", 8 * 3600) == pytest.approx(25)
    assert day.value("daily", 20 * 3600) == pytest.approx(15)


def test_a_session_ramps_holds_tapers_and_rests() -> None:
    values = [float(player(EVERYTHING).value("charge", float(t))) for t in range(3311)]
    turn = values[values.index(1.0) :] + values[: values.index(1.0)]
    assert values.count(101.0) == pytest.approx(1200, abs=2)
    assert values.count(1.0) == pytest.approx(300, abs=2)
    assert max(turn) == 101
    assert 1 < min(v for v in values if v != 1.0) < 12


def test_devices_charge_at_phases_of_their_own_but_points_of_one_together() -> None:
    two = {name: {"play": "charge", "peak": 10, "hold": 100, "taper": 100} for name in ("u", "i")}
    assert len({player(two, seed=f"pile-{n}").value("u", 0) for n in range(8)}) > 2
    one = player(two, seed="pile-1")
    assert all(one.value("u", t) == one.value("i", t) for t in range(0, 1000, 7))


def test_a_counter_integrates_power_into_energy() -> None:
    watts = player(
        {"power": {"play": "constant", "value": 1500}, "energy": {"play": "counter", "of": "power"}}
    )
    watts.value("energy", 0.0)
    assert watts.value("energy", 7200.0) == pytest.approx(3.0)
    watts.set("power", 0)
    watts.value("energy", 7200.001)
    assert watts.value("energy", 9000.0) == pytest.approx(3.0, abs=1e-5)


def test_a_drama_covers_the_persona_and_ends() -> None:
    leak = {
        "leak": {
            "lel": {"play": "ramp", "to": 40, "over": 20, "hold": 60},
            "status": {"play": "code", "value": "low"},
        }
    }
    gas = player(
        {"lel": {"play": "constant", "value": 2}, "status": {"play": "code", "value": "normal"}}, leak
    )
    assert gas.start("leak", 100.0) == 200.0
    assert [gas.value("lel", t) for t in (100.0, 110.0, 120.0, 179.0, 190.0)] == pytest.approx(
        [2, 21, 40, 40, 21]
    )
    assert gas.value("status", 150.0) == "low"
    assert gas.ended(199.0) == []
    assert gas.ended(200.0) == ["leak"]
    assert gas.values(200.0) == {"lel": 2, "status": "normal"}


def test_a_burst_comes_and_goes() -> None:
    dramas = {"kick": {"x": {"play": "burst", "to": 9, "every": "2s", "for": "500ms", "times": 2}}}
    kicked = player({"x": {"play": "constant", "value": 0}}, dramas)
    assert kicked.start("kick", 0.0) == 4.0
    assert [kicked.value("x", t / 4) for t in range(17)] == [9, 9, 0, 0, 0, 0, 0, 0] * 2 + [0]


def test_what_is_set_by_hand_covers_everything_until_released() -> None:
    gas = player({"lel": {"play": "constant", "value": 2}}, {"leak": {"lel": {"play": "step", "to": 40}}})
    gas.start("leak", 0.0)
    gas.set("lel", 77)
    assert gas.value("lel", 1.0) == 77
    gas.release("lel")
    assert gas.value("lel", 1.0) == 40


def test_an_unknown_drama_is_refused_with_the_known_ones() -> None:
    with pytest.raises(PersonaError, match="leak"):
        player(
            {"lel": {"play": "constant", "value": 2}}, {"leak": {"lel": {"play": "step", "to": 40}}}
        ).start("leek", 0)


@pytest.mark.parametrize(
    ("persona", "reason"),
    [
        ({"a": {"play": "product", "of": "b"}}, "no persona"),
        ({"a": {"play": "product", "of": "b"}, "b": {"play": "product", "of": "a"}}, "itself"),
        ({"a": {"play": "step", "to": 3}}, "drama"),
        ({"a": {"play": "jump"}}, "'jump' is none of"),
        ({"a": {"play": "noise", "meen": 1, "sd": 1}}, "meen"),
        ({"a": {"play": "noise", "sd": 1}}, "mean"),
        ({"a": {"play": "charge", "peak": 1, "ramp": "10 parsec"}}, "duration"),
    ],
)
def test_a_persona_that_cannot_be_played_is_refused(persona: dict[str, Any], reason: str) -> None:
    with pytest.raises(PersonaError, match=reason):
        player(persona)


def test_durations_and_defaults_are_read() -> None:
    assert [seconds(x) for x in ("500ms", "20s", "5m", "8h", "1d", 3)] == [0.5, 20, 300, 28800, 86400, 3]
    assert parse_shape({"play": "charge", "peak": 5, "hold": "2m"}) == Charge(peak=5.0, hold=120.0)
    assert parse_shape({"play": "walk", "start": 0, "step": 1, "min": 0, "max": 2}) == Walk(
        0.0, 1.0, 0.0, 2.0
    )
    assert parse_shape({"play": "burst", "to": True, "every": 4, "for": 1}) == Burst(True, 4.0, 1.0)  # noqa: FBT003 - a bit


def test_a_counter_that_nobody_looked_at_does_not_count_a_drama_before_it_began() -> None:
    power = {"power": {"play": "constant", "value": 1000}, "energy": {"play": "counter", "of": "power"}}
    pile = player(power, {"surge": {"power": {"play": "ramp", "to": 9000, "over": 10}}})
    pile.value("energy", 0.0)
    pile.start("surge", 3600.0)
    assert pile.value("energy", 3600.0) == pytest.approx(1.0)


GATED = {
    "port": {"play": "switch", "value": "on", "off": "off", "gates": ["current", "power"]},
    "current": {"play": "constant", "value": 2},
    "power": {"play": "product", "of": ["current"], "scale": 220},
    "total": {"play": "counter", "of": "power", "scale": 1},
}


def test_behind_a_switch_that_is_off_everything_is_nothing_dramas_too() -> None:
    one = player(GATED, {"surge": {"current": {"play": "step", "to": 9, "hold": 60}}})
    assert one.values(0.0)["power"] == 440
    one.start("surge", 1.0)
    assert one.value("current", 2.0) == 9
    one.set("port", "off")
    values = one.values(3.0)
    assert (values["port"], values["current"], values["power"]) == ("off", 0, 0)
    total = one.values(3.5)["total"]
    assert one.values(3600.0)["total"] == total, "what is cut counts no energy"
    one.set("port", "on")
    assert one.value("current", 10.0) == 9


def test_a_switch_gates_only_points_that_are_played() -> None:
    with pytest.raises(PersonaError, match="gates nosuch"):
        player({"port": {"play": "switch", "value": 1, "off": 0, "gates": ["nosuch"]}})
