"""Ranges behave as a set of whole numbers."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from gateway.links.ranges import Ranges

PAIRS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=30)


@given(PAIRS)
def test_ranges_are_the_set_they_were_given_in_as_few_pieces_as_possible(
    pairs: list[tuple[int, int]],
) -> None:
    ranges, plain = Ranges(pairs), {n for a, b in pairs for n in range(a, b + 1)}
    assert {n for n in range(-2, 65) if n in ranges} == plain
    pieces = list(ranges)
    assert all(a <= b for a, b in pieces)
    assert all(b + 1 < c for (_, b), (c, _) in itertools.pairwise(pieces))


@given(PAIRS, st.integers(-2, 70))
def test_what_lies_below_can_be_forgotten(pairs: list[tuple[int, int]], limit: int) -> None:
    ranges, plain = Ranges(pairs), {n for a, b in pairs for n in range(a, b + 1)}
    ranges.discard_up_to(limit)
    assert {n for n in range(-2, 65) if n in ranges} == {n for n in plain if n > limit}
