"""Lines where a unit dials in, and RTU over TCP."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest
from late_unit import TcpUnit
from wire import rtu

from drivers.errors import LineDown
from drivers.line.endpoint import split_address
from drivers.line.settings import LineSettings
from drivers.modbus import pdu
from drivers.registry import make_line

if TYPE_CHECKING:
    from drivers.line import AnyLine

QUERY = pdu.read(17, 3, 0, 2)


def listening(*peers: str) -> AnyLine:
    return make_line(LineSettings("dtu", "modbus-rtu", listen="127.0.0.1:0", peers=peers, timeout=0.2))


class Unit:
    """A 4G unit that dials in and says of every register that it holds `value`."""

    def __init__(self, line: AnyLine, value: int, greeting: bytes = b"") -> None:
        self._socket = socket.create_connection(line._door.port.bound)  # type: ignore[attr-defined]  # port 0 was asked for
        self._socket.setblocking(False)  # noqa: FBT003  the socket's own signature
        self._socket.send(greeting)
        self._value = value
        asyncio.get_running_loop().add_reader(self._socket, self._read)

    def _read(self) -> None:
        if not self._socket.recv(100):
            self.close()
            return
        self._socket.send(rtu(17, 3, 4, 0, self._value, 0, self._value))

    def close(self) -> None:
        if self._socket.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_rtu_frames_go_over_tcp_to_a_number_and_to_a_name(host: str) -> None:
    unit = TcpUnit(lambda _: 0.0)
    line = make_line(LineSettings("t", "modbus-rtu", tcp=(await unit.start()).replace("127.0.0.1", host)))
    assert pdu.registers(await line.exchange(pdu.read(17, 3, 40, 2))) == (40, 41)
    await line.close()
    unit.close()


async def test_a_name_that_does_not_exist_is_a_line_that_is_down() -> None:
    line = make_line(LineSettings("t", "modbus-rtu", tcp="no-such-host.invalid:502"))
    with pytest.raises(LineDown, match=r"no-such-host\.invalid"):
        await line.open()


async def test_a_unit_that_dials_in_is_served_and_its_registration_is_skipped() -> None:
    line = listening()
    await line.open()
    with pytest.raises(LineDown, match="dialled in"):
        await line.exchange(QUERY)
    unit = Unit(line, 5, greeting=b"866123456789012\r\n")
    await line.ready()
    await asyncio.sleep(0.01)
    assert pdu.registers(await line.exchange(QUERY)) == (5, 5)
    unit.close()
    await asyncio.sleep(0.01)
    assert not line.is_open
    again = Unit(line, 6)
    await line.ready()
    assert pdu.registers(await line.exchange(QUERY)) == (6, 6)
    assert line.stats.reopened == 1
    again.close()
    await line.close()


async def test_a_newer_connection_replaces_the_older() -> None:
    line = listening()
    await line.open()
    Unit(line, 5)
    await line.ready()
    newer = Unit(line, 6)
    await asyncio.sleep(0.02)
    assert pdu.registers(await line.exchange(QUERY)) == (6, 6)
    newer.close()
    await line.close()


async def test_only_peers_on_the_list_may_dial_in() -> None:
    line = listening("10.0.0.0/8")
    await line.open()
    unit = Unit(line, 5)
    await asyncio.sleep(0.02)
    assert not line.is_open
    unit.close()
    await line.close()


async def test_a_taken_port_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        line = make_line(LineSettings("dtu", "modbus-rtu", listen=where))
        with pytest.raises(LineDown, match=f"{where}: cannot listen"):
            await line.open()
        await line.close()


@pytest.mark.parametrize(
    ("text", "parts"),
    [("plc:502", ("plc", 502)), ("[::1]:502", ("::1", 502)), ("0.0.0.0:8899", ("0.0.0.0", 8899))],
)
def test_an_address_is_split(text: str, parts: tuple[str, int]) -> None:
    assert split_address(text) == parts


@pytest.mark.parametrize("text", ["plc", "plc:", "plc:modbus"])
def test_what_is_no_address_says_how_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match="write host:port"):
        split_address(text)
