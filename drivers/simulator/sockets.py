"""A TCP line played: an endpoint, or a unit that dials in. Modbus TCP, or RTU over TCP."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from drivers.simulator import faults

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.line.settings import LineSettings
    from drivers.simulator.bus import Bus, Transmission
    from drivers.simulator.unit import Address

_REDIAL = 1.0  # seconds between attempts of a unit that dials in
_BABBLE_EVERY = 0.05


class TcpLine:
    """One TCP line. `persona_time` turns monotonic seconds into those that personas are played by."""

    def __init__(self, settings: LineSettings, bus: Bus, persona_time: Callable[[float], float]) -> None:
        where = settings.tcp or settings.listen
        if where is None:
            raise ValueError(f"line {settings.name} has no TCP endpoint")
        host, _, port = where.rpartition(":")
        self.name = settings.name
        self.where = where
        self.bus = bus
        self.persona_time = persona_time
        self.collisions = 0  # there are none on TCP; counted so that all lines report alike
        self.talks: set[_Talk] = set()
        self._dials = settings.listen is not None
        self._host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host.strip("[]"), host.strip("[]"))  # noqa: S104
        self._port = int(port)
        self._server: asyncio.Server | None = None
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Listen, or begin to dial. Raises OSError when the port is taken."""
        loop = asyncio.get_running_loop()
        if self._dials:
            self._task = loop.create_task(self._dial(), name=f"dial {self.name}")
        else:
            self._server = await loop.create_server(lambda: _Talk(self), self._host, self._port)

    async def close(self) -> None:
        """Hang up and do not listen."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        if self._server is not None:
            self._server.close()
            self._server = None
        for talk in list(self.talks):
            talk.hang_up()

    def nudge(self) -> None:
        """Look at the faults of the line again."""
        for talk in self.talks:
            talk.babble()

    async def _dial(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                _, talk = await loop.create_connection(lambda: _Talk(self), self._host, self._port)
            except OSError:
                await asyncio.sleep(_REDIAL)
                continue
            await talk.gone
            await asyncio.sleep(_REDIAL)


class _Talk(asyncio.Protocol):
    """One connection."""

    def __init__(self, line: TcpLine) -> None:
        self._line = line
        self._stream = line.bus.dialect.stream()
        self._transport: asyncio.Transport | None = None
        self._busy: dict[Address, float] = {}
        self._loop = asyncio.get_running_loop()
        self.gone: asyncio.Future[None] = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._line.talks.add(self)
        self.babble()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the signature of asyncio
        self._transport = None
        self._line.talks.discard(self)
        if not self.gone.done():
            self.gone.set_result(None)

    def data_received(self, data: bytes) -> None:
        now = self._loop.time()
        try:
            requests = self._stream.feed(data)
        except ValueError:  # real devices hang up on what is no Modbus TCP, for one
            self.hang_up()
            return
        for asked in requests:
            for said in self._line.bus.hear(asked, self._line.persona_time(now)):
                self._send(said, now)

    def hang_up(self) -> None:
        """End the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def babble(self) -> None:
        """Send rubbish for as long as the line has that fault."""
        fault = self._line.bus.faults.get("babble")
        if self._transport is None or not isinstance(fault, faults.Babble):
            return
        self._write(self._line.bus.rubbish(max(1, int(_BABBLE_EVERY * fault.rate))))
        self._loop.call_later(_BABBLE_EVERY, self.babble)

    def _send(self, said: Transmission, now: float) -> None:
        """Answer in the order of the requests: a device does one thing at a time."""
        at = max(now + said.wait, self._busy.get(said.address, 0.0))
        if at <= now:
            self._write(said.data)
        else:
            self._busy[said.address] = at
            self._loop.call_at(at, self._write, said.data)

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)
