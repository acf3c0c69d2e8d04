"""The last value of every point, and who has not seen it yet."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given

from gateway.board import Board, Last
from gateway.model import Quality, Sample


def sample(at: int, lel: float | None) -> Sample:
    if lel is None:
        return Sample("a", at, float(at), {}, {"lel": Quality.NO_ANSWER})
    return Sample("a", at, float(at), {"lel": lel})


def test_a_reader_sees_a_change_once() -> None:
    board = Board(["a", "b"])
    assert board.note(sample(1, 5.0))
    assert list(board.since(0)) == ["a"]
    assert list(board.since(board.change)) == []


def test_the_same_value_again_is_no_change_but_is_newer() -> None:
    board = Board(["a"])
    board.note(sample(1, 5.0))
    seen = board.change
    assert not board.note(sample(2, 5.0))
    assert list(board.since(seen)) == []
    assert board.devices["a"].points["lel"].at == 2
    assert board.devices["a"].last_good == 2.0


def test_a_value_that_goes_bad_and_comes_back_changes_twice() -> None:
    board = Board(["a"])
    assert [board.note(sample(n, value)) for n, value in enumerate([5.0, None, None, 5.0])] == [
        True,
        True,
        False,
        True,
    ]
    assert board.devices["a"].points["lel"].quality is Quality.GOOD


def test_a_bad_sample_does_not_make_the_device_younger() -> None:
    board = Board(["a"])
    board.note(sample(1, 5.0))
    board.note(sample(9, None))
    assert board.devices["a"].last_good == 1.0
    assert board.devices["a"].points["lel"].value is None


POINTS = st.dictionaries(
    st.sampled_from("abcd"),
    st.one_of(st.integers(0, 2), st.sampled_from([Quality.NO_ANSWER, Quality.REFUSED])),
    min_size=1,
)


@given(st.lists(POINTS, max_size=12))
def test_whatever_is_read_together_each_point_shows_its_newest_reading(
    reads: list[dict[str, int | Quality]],
) -> None:
    """Against a plain dict of points."""
    board, wanted = Board(["a"]), dict[str, Last]()
    for at, read in enumerate(reads, 1):
        values = {p: v for p, v in read.items() if not isinstance(v, Quality)}
        bad = {p: v for p, v in read.items() if isinstance(v, Quality)}
        now = {p: Last(v, Quality.GOOD, at, float(at)) for p, v in values.items()}
        now |= {p: Last(None, q, at, float(at)) for p, q in bad.items()}
        different = any(p not in wanted or wanted[p][:2] != last[:2] for p, last in now.items())
        wanted |= now
        assert board.note(Sample("a", at, float(at), values, bad)) == different
        device = board.devices["a"]
        assert device.points == wanted
        assert sum(len(sample) for sample in device.samples) == len(wanted)  # no point twice


def test_points_keep_their_order_whichever_group_is_read_last() -> None:
    board = Board(["a"])
    orders = set()
    for at, points in enumerate(["xy", "z", "xy", "xy", "z", "xy"], 1):
        board.note(Sample("a", at, float(at), dict.fromkeys(points, at)))
        if at > 1:
            orders.add(tuple(board.devices["a"].points))
    assert orders == {("x", "y", "z")}
