"""A serial unit that is asked for registers and answers some of them late, but always in order.

Register `a` holds `a`, so an answer says by itself which request it belongs to.
"""

from __future__ import annotations

import asyncio
import os
import pty
import tty
from typing import TYPE_CHECKING

from drivers.modbus.pdu import crc

if TYPE_CHECKING:
    from collections.abc import Callable

USUAL = 0.002


class LateUnit:
    """`delay(n)` says by how many seconds the n-th request is answered late."""

    def __init__(self, delay: Callable[[int], float]) -> None:
        self._delay = delay
        self._loop = asyncio.get_running_loop()
        self._free_at = 0.0
        self._asked = 0
        self._came = bytearray()

    def hear(self, data: bytes, write: Callable[[bytes], None]) -> None:
        self._came += data
        while len(self._came) >= 8:
            frame = bytes(self._came[:8])
            del self._came[:8]
            due = max(self._free_at, self._loop.time()) + USUAL + self._delay(self._asked)
            self._free_at = due
            self._asked += 1
            self._loop.call_at(due, self._answer, frame, write)

    @staticmethod
    def _answer(frame: bytes, write: Callable[[bytes], None]) -> None:
        register, count = int.from_bytes(frame[2:4], "big"), frame[5]
        words = b"".join((register + n & 0xFFFF).to_bytes(2, "big") for n in range(count))
        body = bytes((frame[0], frame[1], 2 * count)) + words
        write(body + crc(body))


class PtyUnit:
    """The unit on a pty; a line opens `path`."""

    def __init__(self, delay: Callable[[int], float]) -> None:
        self.near, self.slave = pty.openpty()
        tty.setraw(self.slave)
        self.path = os.ttyname(self.slave)
        unit = LateUnit(delay)
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
    """The unit behind a converter that passes RTU frames over TCP; a line dials `address`."""

    def __init__(self, delay: Callable[[int], float]) -> None:
        self._unit = LateUnit(delay)
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
