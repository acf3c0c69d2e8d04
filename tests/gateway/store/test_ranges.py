"""Ranges against a plain set of numbers."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given

from gateway.store.ranges import Ranges

RANGE = st.tuples(st.integers(1, 40), st.integers(0, 8)).map(lambda r: (r[0], r[0] + r[1]))
STEPS = st.lists(st.tuples(st.booleans(), RANGE), max_size=25)


def numbers(ranges: list[tuple[int, int]]) -> list[int]:
    return [n for first, last in ranges for n in range(first, last + 1)]


@given(STEPS, RANGE)
def test_ranges_hold_what_a_set_holds(
    steps: list[tuple[bool, tuple[int, int]]], look: tuple[int, int]
) -> None:
    ranges, model = Ranges(), set[int]()
    for adding, (first, last) in steps:
        if adding:
            ranges.add(first, last)
            model |= set(range(first, last + 1))
        else:
            ranges.remove(first, last)
            model -= set(range(first, last + 1))
    window = set(range(look[0], look[1] + 1))
    assert numbers(list(ranges)) == sorted(model)
    assert all(b + 1 < c for (_, b), (c, _) in zip(list(ranges), list(ranges)[1:], strict=False)), (
        "not merged"
    )
    assert numbers(ranges.within(*look)) == sorted(model & window)
    assert numbers(ranges.missing(*look)) == sorted(window - model)
    assert numbers(list(ranges.since(look[0]))) == sorted(n for n in model if n > look[0])
    assert list(ranges.backwards()) == list(ranges)[::-1]
    assert ranges.last == max(model, default=0)
    assert all((n in ranges) == (n in model) for n in range(60))
