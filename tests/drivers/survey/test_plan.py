"""The order of a survey and what it costs."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.survey import plan, probes
from drivers.survey.plan import Scope
from drivers.survey.talk import Setting, Tongue
from gateway.config.profiles import load_profile, profile_names

PROFILES = [load_profile(name) for name in profile_names()]
EARLY = plan.likely(PROFILES, range(1, 248))


def asked(steps: list[plan.Step]) -> Counter[tuple[Setting, Tongue, str]]:
    return Counter((s.setting, shot.tongue, probes.whom(shot)) for s in steps for shot in s.shots)


def test_the_first_sweep_fits_into_half_of_the_usual_budget() -> None:
    assert sum(step.seconds for step in plan.first_sweep(Scope(), EARLY)) < 35


def test_factory_addresses_are_asked_first_and_low_ones_next() -> None:
    assert 0x50 in EARLY[:6]
    assert set(range(1, 33)) <= set(EARLY)
    assert len(EARLY) == len(set(EARLY)) < 45


def test_the_commonest_setting_comes_first_and_the_meters_next() -> None:
    steps = plan.first_sweep(Scope(), EARLY)
    order = list(dict.fromkeys(step.setting for step in steps))
    assert order[:2] == [Setting(9600), Setting(2400, "even")]


@settings(max_examples=12, deadline=None)
@given(st.integers(1, 247), st.integers(1, 247), st.booleans())
def test_no_unit_is_asked_twice_and_a_thorough_survey_leaves_none_out(
    low: int, high: int, thorough: bool
) -> None:
    scope = Scope(units=range(min(low, high), max(low, high) + 1), thorough=thorough)
    early = [unit for unit in EARLY if unit in scope.units]
    found = [Setting(9600), Setting(19200, "even")]
    fast = [s for s in plan.second_sweep(scope, set(early), found) if s.what != "slow"]
    counts = asked([*plan.first_sweep(scope, early), *fast])
    assert {n for (_, tongue, _), n in counts.items() if tongue is Tongue.MODBUS} <= {1}
    units = {
        int(who) for setting, tongue, who in counts if tongue is Tongue.MODBUS and setting == Setting(9600)
    }
    assert units == set(scope.units)
    if thorough:
        odd = {
            int(who)
            for setting, tongue, who in counts
            if tongue is Tongue.MODBUS and setting == Setting(4800, "odd")
        }
        assert odd == set(scope.units)


def test_only_the_settings_that_were_named_are_used() -> None:
    named = Setting(38400, "odd")
    steps = plan.first_sweep(Scope(settings=(named,)), EARLY)
    assert {step.setting for step in steps} == {named}
    assert Tongue.DLT645 in {shot.tongue for step in steps for shot in step.shots}


def test_only_the_tongues_that_were_named_are_spoken() -> None:
    steps = plan.first_sweep(Scope(tongues=frozenset({Tongue.DLT645})), EARLY)
    assert {shot.tongue for step in steps for shot in step.shots} == {Tongue.DLT645}
    assert plan.second_sweep(Scope(tongues=frozenset({Tongue.DLT645})), set(), []) == []


def test_pieces_hold_the_same_shots_in_the_same_order() -> None:
    step = plan.first_sweep(Scope(), EARLY)[1]
    assert tuple(shot for piece in plan.pieces(step) for shot in piece.shots) == step.shots


@pytest.mark.parametrize("setting", [Setting(1200, "even"), Setting(9600), Setting(115200)])
def test_the_cost_of_a_shot_is_silence_bytes_and_patience(setting: Setting) -> None:
    shot = probes.modbus(17, setting)
    exact = setting.silence + 8 * setting.character + shot.patience
    assert plan.cost(setting, shot) == pytest.approx(exact + plan.TIDY)
