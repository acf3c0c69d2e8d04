"""Lines on which devices speak by themselves: several connections at once, bounded, each with its own conversation."""

from __future__ import annotations

import asyncio
import os
import socket
import time
import tty
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from drivers.conversation import Listeners
from drivers.dc589.fields import FIELDS, encode_fields
from drivers.dc589.frame import Frame, cutter, encode_frame
from drivers.errors import LineDown, NoAnswer
from drivers.line import hearing
from drivers.line.hearing import HearingLine
from drivers.line.settings import LineSettings
from drivers.line.voices import NAMELESS
from drivers.registry import make_line
from gateway.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from drivers.conversation import Told

ONE, OTHER, THIRD = (f"534811111111111{n}" for n in (1, 2, 3))


def frame(command: int, session: bytes = bytes(6), **values: Any) -> bytes:
    return encode_frame(Frame(command, encode_fields(FIELDS[command], values), session))


def register(board: str) -> bytes:
    return frame(0xA0, board=board, hardware="SH10HA01", signal=17)


class Board:
    """A board that has dialled in."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer, self._cutter = reader, writer, cutter()
        self._frames: list[Frame] = []

    @classmethod
    async def dial(cls, line: HearingLine, name: str = "") -> Board:
        board = cls(*await asyncio.open_connection(*line.bound))
        if name:
            board.say(register(name))
            assert (await board.hears()).command == 0xA1
        return board

    def say(self, data: bytes) -> None:
        self._writer.write(data)

    async def hears(self) -> Frame:
        while not self._frames:
            data = await asyncio.wait_for(self._reader.read(4096), 5)
            assert data, "hung up"
            self._frames += self._cutter.feed(data)
        return self._frames.pop(0)

    async def is_hung_up_on(self) -> bool:
        try:
            return await asyncio.wait_for(self._reader.read(1), 5) == b""
        except ConnectionError:
            return True
        finally:
            self.close()

    def close(self) -> None:
        self._writer.close()


@asynccontextmanager
async def listening(*boards: str) -> AsyncIterator[HearingLine]:
    line = make_line(LineSettings("piles", "dc589", listen="127.0.0.1:0"))
    assert isinstance(line, HearingLine)
    line.expect(Listeners(dict.fromkeys(boards, 60.0)), SystemClock().now)
    await line.open()
    try:
        yield line
    finally:
        await line.close()


async def heard(line: HearingLine, count: int) -> list[Told]:
    found: list[Told] = []
    async with asyncio.timeout(5):
        while len(found) < count:
            found += await line.hear(1.0)
    return found


async def test_several_boards_dial_into_one_port() -> None:
    async with listening(ONE, OTHER) as line:
        assert line.is_open, "it listens: that is all a line can do"
        boards = [await Board.dial(line, name) for name in (ONE, OTHER)]
        assert {told.who for told in await heard(line, 2)} == {ONE, OTHER}
        assert line.connections == 2
        boards[0].close()
        async with asyncio.timeout(5):
            while line.connections == 2:  # noqa: ASYNC110  others do it
                await asyncio.sleep(0.01)
        boards[1].close()


async def test_the_newest_connection_of_a_board_replaces_the_older() -> None:
    async with listening(ONE) as line:
        old = await Board.dial(line, ONE)
        new = await Board.dial(line, ONE)
        assert await old.is_hung_up_on()
        assert line.connections == 1
        new.say(frame(0xA4, board=ONE))
        assert (await new.hears()).command == 0xA5
        new.close()


async def test_a_stranger_is_counted_and_not_answered() -> None:
    async with listening(ONE) as line:
        board = await Board.dial(line)
        board.say(register(THIRD) * 3)
        async with asyncio.timeout(5):
            while line.strangers.total < 3:
                assert await line.hear(1.0) == []
        (stranger,) = line.strangers.all()
        assert (stranger.who, stranger.count, stranger.peer) == (THIRD, 3, "127.0.0.1")
        board.close()


async def test_an_order_goes_to_the_board_it_is_for_and_comes_back_with_what_it_holds() -> None:
    async with listening(ONE, OTHER) as line:
        one, other = await Board.dial(line, ONE), await Board.dial(line, OTHER)
        order = asyncio.create_task(line.order(OTHER, "port.5.charging", value=False))
        stop = await other.hears()
        assert (stop.command, stop.data) == (0xB9, b"\x05")
        other.say(frame(0xBA, stop.session, result=0x10, port=5))
        ask = await other.hears()
        other.say(frame(0xB3, ask.session, port=5, state=0))
        assert await order is False
        with pytest.raises(NoAnswer, match="not connected"):
            await line.order(THIRD, "port.5.charging", value=False)
        order = asyncio.create_task(line.order(ONE, "port.5.charging", value=False))
        await one.hears()
        one.close()
        with pytest.raises(NoAnswer, match="closed by the other side"):
            await order
        other.close()


async def test_who_does_not_say_his_name_is_hung_up_on() -> None:
    async with listening(ONE) as line:
        known, nameless = await Board.dial(line, ONE), await Board.dial(line)
        nameless.say(b"GET / HTTP/1.1\r\n\r\n")
        async with asyncio.timeout(5):
            while line.connections < 2:  # noqa: ASYNC110  others do it
                await asyncio.sleep(0.01)
        line.sweep(time.monotonic() + NAMELESS + 1)
        assert await nameless.is_hung_up_on()
        assert line.connections == 1
        line.sweep(time.monotonic() + 181)
        assert await known.is_hung_up_on(), "three of its periods without a word"


async def test_a_full_line_gives_the_place_of_a_nameless_connection_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hearing, "MOST_VOICES", 2)
    async with listening(ONE, OTHER, THIRD) as line:
        one, nameless = await Board.dial(line, ONE), await Board.dial(line)
        other = await Board.dial(line, OTHER)
        assert await nameless.is_hung_up_on()
        refused = await Board.dial(line)
        assert await refused.is_hung_up_on()
        assert line.connections == 2
        one.close()
        other.close()


async def test_a_serial_port_is_one_conversation_and_its_loss_is_the_lines(tmp_path: Path) -> None:
    master, slave = os.openpty()
    tty.setraw(slave)
    line = make_line(LineSettings("pile", "dc589", serial=os.ttyname(slave)))
    assert isinstance(line, HearingLine)
    line.expect(Listeners({ONE: 60.0}), SystemClock().now)
    await line.open()
    os.write(master, register(ONE)[7:] + register(ONE))  # begun in the middle of a frame
    assert [told.who for told in await heard(line, 1)] == [ONE]
    assert line.stats.crc_errors == len(register(ONE)) - 7
    os.close(master)
    os.close(slave)
    with pytest.raises(LineDown):
        await line.hear(5.0)
    assert not line.is_open
    await line.close()


async def test_words_nobody_fetches_are_bounded_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing, "MOST_TOLD", 10)
    async with listening(ONE) as line:
        board = await Board.dial(line, ONE)
        board.say(frame(0xA4, board=ONE) * 30)
        async with asyncio.timeout(5):
            while line.dropped < 20:  # noqa: ASYNC110  others do it
                await asyncio.sleep(0.01)
        assert len(await line.hear(0.1)) == 10
        board.close()


async def test_a_port_that_is_taken_is_down_and_says_why() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        line = make_line(LineSettings("piles", "dc589", listen=f"127.0.0.1:{taken.getsockname()[1]}"))
        with pytest.raises(LineDown, match="cannot listen"):
            await line.open()
