"""The board of last values: who changed since."""

from __future__ import annotations

from gateway.board import Board
from gateway.model import Quality, Sample


def sample(device: str, value: float, at: int = 1) -> Sample:
    return Sample(device, at, at / 1e9, {"p": value})


async def test_a_reader_is_told_each_device_that_changed_and_no_other() -> None:
    board = Board(["a", "b", "c"])
    for name in "abc":
        board.note(sample(name, 1.0))
    seen = board.change
    board.note(sample("b", 1.0, 2))  # nothing new
    board.note(sample("c", 2.0))
    board.note(sample("a", 2.0))
    board.note(sample("c", 3.0))
    assert list(board.since(seen)) == ["c", "a"]
    assert set(board.since(0)) == {"a", "b", "c"}
    assert not list(board.since(board.change))


async def test_a_quality_alone_is_a_change() -> None:
    board = Board(["a"])
    board.note(sample("a", 1.0))
    seen = board.change
    board.note(Sample("a", 2, 0.0, {}, {"p": Quality.NO_ANSWER}))
    assert list(board.since(seen)) == ["a"]
