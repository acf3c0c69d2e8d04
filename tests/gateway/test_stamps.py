"""Times of a series: they follow the wall clock, and none comes twice."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given

from gateway.stamps import BACK, STEP, Stamps

HOUR = 3600 * 10**9
NOW = 1_790_000_000 * 10**9 + 123_456


def test_times_grow_while_the_clock_stands_or_is_set_back_a_little() -> None:
    stamps = Stamps()
    times = [stamps.next(wall) for wall in (NOW, NOW, NOW - BACK // 2, NOW + 1)]
    assert times == sorted(set(times))
    assert times[-1] - NOW < 4 * STEP


def test_a_clock_that_leapt_ahead_and_came_back_leaves_no_time_in_the_future() -> None:
    stamps = Stamps()
    stamps.next(NOW)
    assert stamps.next(NOW + HOUR) > NOW + HOUR - STEP
    back = stamps.next(NOW + 10**9)
    assert abs(back - NOW - 10**9) <= STEP


def test_a_stretch_that_is_lived_through_twice_has_no_time_twice() -> None:
    stamps = Stamps()
    first = {stamps.next(NOW + n * STEP) for n in range(3 * 10**6 // 1000)}
    stamps.next(NOW + HOUR)
    second = {stamps.next(NOW + n * STEP) for n in range(3 * 10**6 // 1000)}
    assert not first & second


steps = st.one_of(st.integers(0, 3 * STEP), st.integers(-BACK, BACK), st.integers(-HOUR, HOUR))


@given(st.lists(steps, max_size=200))
def test_no_time_comes_twice_and_none_is_far_from_the_clock_whatever_the_clock_does(leaps: list[int]) -> None:
    stamps, wall, seen = Stamps(), NOW, set[int]()
    for leap in leaps:
        wall = max(0, wall + leap)
        at = stamps.next(wall)
        assert at not in seen
        assert wall - STEP <= at <= wall + BACK + 2 * STEP
        seen.add(at)
