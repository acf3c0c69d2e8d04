"""A Modbus TCP endpoint: requests told apart by transaction, late answers discarded, a dead unit costs nobody."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from drivers.errors import BadAnswer, LineDown, NoAnswer, Refused
from drivers.line.settings import LineSettings
from drivers.modbus import pdu
from drivers.registry import make_line

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from drivers.line import AnyLine

QUERY = pdu.read(1, 3, 0, 2)


class Server(asyncio.Protocol):
    """Gives every request, in order, to `play`, which writes what it likes when it likes."""

    def __init__(self, play: Callable[[bytes, asyncio.Transport], None]) -> None:
        self._play = play
        self.connections: list[asyncio.Transport] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.connections.append(transport)

    def data_received(self, data: bytes) -> None:
        while data:
            end = 6 + data[5]
            self._play(data[:end], self.connections[-1])
            data = data[end:]


def answer(request: bytes, body: bytes) -> bytes:
    return request[:4] + len(body).to_bytes(2, "big") + body


def echo(request: bytes) -> bytes:
    """The registers hold their own addresses."""
    start, count = int.from_bytes(request[8:10], "big"), request[11]
    words = b"".join((start + n).to_bytes(2, "big") for n in range(count))
    return answer(request, request[6:8] + bytes((2 * count,)) + words)


@asynccontextmanager
async def talking(play: Callable[[bytes, asyncio.Transport], None], **more: object) -> AsyncIterator[AnyLine]:
    protocol = Server(play)
    server = await asyncio.get_running_loop().create_server(lambda: protocol, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    line = make_line(LineSettings("t", "modbus-tcp", tcp=f"{host}:{port}", **({"timeout": 0.1} | more)))  # type: ignore[arg-type]
    await line.open()
    try:
        yield line
    finally:
        await line.close()
        server.close()
        for connection in protocol.connections:
            connection.close()


async def test_the_answer_of_the_same_transaction_comes_back() -> None:
    async with talking(lambda r, t: t.write(echo(r))) as line:
        assert pdu.registers(await line.exchange(pdu.read(1, 3, 500, 3))) == (500, 501, 502)


async def test_answers_may_come_in_any_order_and_in_any_pieces() -> None:
    held: list[bytes] = []

    def backwards(request: bytes, to: asyncio.Transport) -> None:
        held.append(request)
        if len(held) == 4:
            stream = b"".join(echo(r) for r in reversed(held))
            for at in range(0, len(stream), 5):
                asyncio.get_running_loop().call_later(at / 5000, to.write, stream[at : at + 5])

    async with talking(backwards, inflight=4) as line:
        got = await asyncio.gather(*(line.exchange(pdu.read(1, 3, n * 10, 2)) for n in range(4)))
        assert [pdu.registers(data)[0] for data in got] == [0, 10, 20, 30]


async def test_no_more_requests_are_under_way_than_the_site_allows() -> None:
    under_way, most = 0, 0
    loop = asyncio.get_running_loop()

    def slow(request: bytes, to: asyncio.Transport) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        loop.call_later(0.01, done, request, to)

    def done(request: bytes, to: asyncio.Transport) -> None:
        nonlocal under_way
        under_way -= 1
        to.write(echo(request))

    async with talking(slow, inflight=3) as line:
        await asyncio.gather(*(line.exchange(QUERY) for _ in range(12)))
    assert most == 3


async def test_a_late_answer_is_discarded_and_counted() -> None:
    first = True
    loop = asyncio.get_running_loop()

    def late_once(request: bytes, to: asyncio.Transport) -> None:
        nonlocal first
        loop.call_later(0.15 if first else 0.0, to.write, echo(request))
        first = False

    async with talking(late_once) as line:
        with pytest.raises(NoAnswer, match=r"within 0\.1 s"):
            await line.exchange(pdu.read(1, 3, 0, 2))
        for n in range(1, 20):
            assert pdu.registers(await line.exchange(pdu.read(1, 3, 10 * n, 2)))[0] == 10 * n
            await asyncio.sleep(0.005)
        assert line.stats.late == 1


async def test_a_given_up_transaction_is_not_used_again_while_its_answer_may_come() -> None:
    seen: list[bytes] = []
    async with talking(lambda r, _: seen.append(r[:2]), timeout=0.01) as line:
        with pytest.raises(NoAnswer):
            await line.exchange(QUERY)
        line._transaction = int.from_bytes(seen[0], "big") - 1  # type: ignore[attr-defined]  # a whole turn later
        with pytest.raises(NoAnswer):
            await line.exchange(QUERY)
    assert seen[0] != seen[1]


async def test_a_dead_unit_costs_the_others_nothing_when_several_may_be_under_way() -> None:
    async with talking(lambda r, t: t.write(echo(r)) if r[6] != 9 else None, inflight=2, timeout=0.5) as line:
        dead = asyncio.create_task(line.exchange(pdu.read(9, 3, 0, 1)))
        loop = asyncio.get_running_loop()
        began = loop.time()
        for _ in range(20):
            await line.exchange(QUERY)
        assert loop.time() - began < 0.3
        with pytest.raises(NoAnswer):
            await dead


async def test_an_exception_is_refused_with_its_code() -> None:
    async with talking(lambda r, t: t.write(answer(r, bytes((r[6], r[7] | 0x80, 11))))) as line:
        with pytest.raises(Refused, match="target did not respond") as told:
            await line.exchange(QUERY)
        assert told.value.code == 11


@pytest.mark.parametrize("body", [b"\x02\x03\x04\0\0\0\0", b"\x01\x04\x04\0\0\0\0", b"\x01\x03\x02\0\0"])
async def test_an_answer_of_another_form_is_bad(body: bytes) -> None:
    async with talking(lambda r, t: t.write(answer(r, body))) as line:
        with pytest.raises(BadAnswer, match="unit"):
            await line.exchange(QUERY)


async def test_a_stream_out_of_step_is_given_up_with_its_connection() -> None:
    async with talking(lambda r, t: t.write(b"HTTP/1.1 400 Bad Request")) as line:
        with pytest.raises(LineDown, match="not a Modbus TCP header"):
            await line.exchange(QUERY)
        assert not line.is_open


async def test_a_lost_connection_is_made_again_after_a_pause() -> None:
    hang_up = True

    def play(request: bytes, to: asyncio.Transport) -> None:
        nonlocal hang_up
        if hang_up:
            hang_up = False
            to.abort()
        else:
            to.write(echo(request))

    async with talking(play) as line:
        with pytest.raises(LineDown):
            await line.exchange(QUERY)
        with pytest.raises(LineDown, match="next attempt in"):
            await line.exchange(QUERY)
        await line.ready()
        assert pdu.registers(await line.exchange(QUERY)) == (0, 1)
        assert line.stats.reopened == 1


async def test_a_cancelled_exchange_frees_its_place() -> None:
    answering = False

    def play(request: bytes, to: asyncio.Transport) -> None:
        if answering:
            to.write(echo(request))

    async with talking(play, timeout=5) as line:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(line.exchange(QUERY), 0.02)
        answering = True
        assert pdu.registers(await line.exchange(QUERY)) == (0, 1)


async def test_nobody_listening_is_line_down_at_once() -> None:
    server = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    line = make_line(LineSettings("t", "modbus-tcp", tcp=f"127.0.0.1:{port}"))
    with pytest.raises(LineDown, match=f"127.0.0.1:{port}: "):
        await line.exchange(QUERY)
    await line.close()
