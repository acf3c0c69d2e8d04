"""A serial unit that answers some requests late, but always in order.

What it answers says by itself which request it belongs to: over Modbus register `a` holds `a`, in the other
protocols a value is the number of the request it answers, counted from 0.
"""

from __future__ import annotations

import asyncio
import os
import pty
import tty
from typing import TYPE_CHECKING, Protocol

from drivers.bcd import to_bcd
from drivers.cutter import Cutter
from drivers.dlt645 import frame as dlt645
from drivers.modbus.pdu import crc
from drivers.tilt import frame as tilt
from drivers.tilt.query import READ_X, READ_Y, ZERO_MODE

if TYPE_CHECKING:
    from collections.abc import Callable

USUAL = 0.002


class Words(Protocol):
    """A protocol as a unit speaks it."""

    def cut(self, data: bytes) -> list[bytes]:
        """Take in bytes; return the requests they complete."""
        ...

    def answer(self, request: bytes, number: int) -> bytes:
        """Return the answer to the request, which is the `number`-th."""
        ...


class ModbusWords:
    def __init__(self) -> None:
        self._came = bytearray()

    def cut(self, data: bytes) -> list[bytes]:
        self._came += data
        whole = len(self._came) // 8 * 8
        frames = [bytes(self._came[i : i + 8]) for i in range(0, whole, 8)]
        del self._came[:whole]
        return frames

    def answer(self, request: bytes, number: int) -> bytes:
        register, count = int.from_bytes(request[2:4], "big"), request[5]
        words = b"".join((register + n & 0xFFFF).to_bytes(2, "big") for n in range(count))
        body = bytes((request[0], request[1], 2 * count)) + words
        return body + crc(body)


class MeterWords:
    """DL/T 645: every item has four bytes of digits."""

    def __init__(self) -> None:
        self._cutter = Cutter(dlt645.FRAMING)

    def cut(self, data: bytes) -> list[bytes]:
        return [dlt645.encode_frame(frame) for frame in self._cutter.feed(data)]

    def answer(self, request: bytes, number: int) -> bytes:
        asked = dlt645.decode_frame(request)
        data = asked.data + to_bcd(number, 4)[::-1]
        return dlt645.encode_frame(dlt645.Frame(asked.address, asked.control | 0x80, data), 4)


class TiltWords:
    """0x68 inclinometers: x has the number, the other axes are level."""

    def __init__(self) -> None:
        self._cutter = tilt.cutter(tilt.Family.RION)

    def cut(self, data: bytes) -> list[bytes]:
        return [tilt.encode_frame(frame) for frame in self._cutter.feed(data)]

    def answer(self, request: bytes, number: int) -> bytes:
        asked = tilt.decode_frame(request, tilt.Family.RION)
        told = {READ_X: to_bcd(number, 4), READ_Y: bytes(4), ZERO_MODE: bytes(1)}
        data = told.get(asked.command, to_bcd(number, 4) + bytes(8))
        return tilt.encode_frame(tilt.Frame(asked.family, asked.address, asked.command | 0x80, data))


class LateUnit:
    """`delay(n)` says by how many seconds the n-th request is answered late."""

    def __init__(self, delay: Callable[[int], float], words: Words | None = None) -> None:
        self._delay = delay
        self._words = words or ModbusWords()
        self._loop = asyncio.get_running_loop()
        self._free_at = 0.0
        self._asked = 0

    def hear(self, data: bytes, write: Callable[[bytes], None]) -> None:
        for request in self._words.cut(data):
            due = max(self._free_at, self._loop.time()) + USUAL + self._delay(self._asked)
            self._free_at = due
            self._loop.call_at(due, write, self._words.answer(request, self._asked))
            self._asked += 1


class PtyUnit:
    """The unit on a pty; a line opens `path`."""

    def __init__(self, delay: Callable[[int], float], words: Words | None = None) -> None:
        self.near, self.slave = pty.openpty()
        tty.setraw(self.slave)
        self.path = os.ttyname(self.slave)
        unit = LateUnit(delay, words)
        asyncio.get_running_loop().add_reader(
            self.near, lambda: unit.hear(os.read(self.near, 4096), self._write)
        )

    def _write(self, data: bytes) -> None:
        if self.near >= 0:
            os.write(self.near, data)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self.near)
        os.close(self.near)
        os.close(self.slave)
        self.near = -1


class TcpUnit(asyncio.Protocol):
    """The unit behind a converter that passes its frames over TCP; a line dials `address`."""

    def __init__(self, delay: Callable[[int], float], words: Words | None = None) -> None:
        self._unit = LateUnit(delay, words)
        self._to: asyncio.Transport | None = None

    async def start(self) -> str:
        self._server = await asyncio.get_running_loop().create_server(lambda: self, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()
        return f"{host}:{port}"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._to = transport

    def data_received(self, data: bytes) -> None:
        self._unit.hear(data, self._write)

    def _write(self, data: bytes) -> None:
        if self._to is not None and not self._to.is_closing():
            self._to.write(data)

    def close(self) -> None:
        self._server.close()
        if self._to is not None:
            self._to.close()
