"""Last values: told in the step that reads them, later where the far end is slow, and never lost for good."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING

from link_suite import until

from gateway.board import Board
from gateway.clock import SystemClock
from gateway.links import encode
from gateway.links.mqtt_live import LiveTeller
from gateway.model import Sample

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from gateway.links.mqtt_broker import Message

EVERY = 0.05  # seconds
CLOCK = SystemClock()


class Shown:
    def __init__(self) -> None:
        self.congested = False
        self.values: list[float] = []

    def show(self, messages: Iterable[Message]) -> None:
        assert not self.congested
        self.values += [json.loads(message.payload)["points"]["lel"]["value"] for message in messages]


def read(board: Board, value: float) -> None:
    now = CLOCK.now()
    board.note(Sample("d1", now.wall, now.mono, {"lel": value}))


@contextlib.asynccontextmanager
async def telling(board: Board, screen: Shown) -> AsyncIterator[None]:
    teller = LiveTeller(board, {}, encode.Topics("site", "gw-01"), CLOCK, EVERY)
    task = asyncio.create_task(teller.run(screen))
    await asyncio.sleep(0)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until_told(screen: Shown, value: float) -> None:
    await until(lambda: screen.values[-1:] == [value])


async def test_a_change_is_told_before_the_step_that_read_it_goes_on() -> None:
    board, screen = Board(["d1"]), Shown()
    async with telling(board, screen):
        read(board, 1.0)
        assert screen.values == [1.0]


async def test_what_changes_too_often_is_told_at_the_end_with_its_last_value() -> None:
    board, screen = Board(["d1"]), Shown()
    async with telling(board, screen):
        for value in (1.0, 2.0, 3.0):
            read(board, value)
        assert screen.values == [1.0]
        await until_told(screen, 3.0)
        assert screen.values == [1.0, 3.0]


async def test_a_change_that_a_slow_far_end_did_not_take_is_told_when_it_does() -> None:
    board, screen = Board(["d1"]), Shown()
    async with telling(board, screen):
        screen.congested = True
        read(board, 1.0)
        await asyncio.sleep(3 * EVERY)
        assert screen.values == []
        screen.congested = False
        await until_told(screen, 1.0)


async def test_a_new_connection_begins_with_what_was_read_before_and_an_old_one_is_told_no_more() -> None:
    board, old, new = Board(["d1"]), Shown(), Shown()
    async with telling(board, old):
        read(board, 1.0)
    async with telling(board, new):
        await until_told(new, 1.0)
        await asyncio.sleep(2 * EVERY)
        read(board, 2.0)
        await until_told(new, 2.0)
    assert old.values == [1.0]
