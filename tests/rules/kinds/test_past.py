"""The window behind `rate` and `window`: bounded, weighted by time, not bent by one wild reading."""

from __future__ import annotations

import random
from itertools import combinations
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.past import SLOTS, Past


def filled(values: list[float], *, every: float = 1.0, span: float = 100.0, gap: float = 10.0) -> Past:
    past = Past(span, every, gap)
    for i, value in enumerate(values):
        past.see(i * every, value)
    return past


@given(st.floats(-50, 50), st.floats(-5, 5), st.integers(4, 90))
def test_the_slope_of_a_line_is_its_slope(start: float, slope: float, count: int) -> None:
    past = filled([start + slope * i for i in range(count)])
    assert past.theil_sen() == pytest.approx(slope, abs=1e-6)
    assert past.least_squares() == pytest.approx(slope, abs=1e-6)


def test_theil_sen_is_the_median_of_all_slopes() -> None:
    chance = random.Random(7)
    values = [chance.gauss(20, 3) for _ in range(50)]
    slopes = [(values[j] - values[i]) / (j - i) for i, j in combinations(range(50), 2)]
    assert filled(values).theil_sen() == pytest.approx(median(slopes))


def test_a_quarter_of_wild_readings_bends_least_squares_but_not_theil_sen() -> None:
    values = [20.0] * 15 + [90.0] * 5
    assert filled(values).theil_sen() < 0.01
    assert filled(values).least_squares() > 2


def test_a_week_in_a_window_stays_bounded() -> None:
    past = Past(7 * 86400.0, 1.0, 3600.0)
    for i in range(30_000):
        past.see(i * 60.0, float(i % 10))
    assert len(past.slots) <= SLOTS + 1
    assert past.mean() == pytest.approx(4.5, abs=0.05)


def test_readings_weigh_by_the_time_they_stand_for() -> None:
    past = Past(100.0, 1.0, 50.0)
    past.see(0.0, 0.0)
    past.see(1.0, 10.0)
    past.see(41.0, 40.0)  # stands for 40 s
    assert past.mean() == pytest.approx((1 * 0 + 1 * 10 + 40 * 40) / 42)


def test_a_hole_empties_it_and_little_seen_is_little_covered() -> None:
    past = filled([1.0] * 100)
    assert past.coverage == pytest.approx(1.0)
    past.see(150.0, 1.0)
    assert past.coverage == pytest.approx(0.01)


def test_what_is_older_than_the_window_is_forgotten() -> None:
    past = filled([100.0] * 10 + [1.0] * 100, span=50.0)
    assert past.mean() == 1.0
    assert past.percentile(0.99) == 1.0
    assert past.deviation() == 0.0
