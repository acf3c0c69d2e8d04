"""The last value of every point, and who has not seen it yet."""

from __future__ import annotations

from gateway.board import Board
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
