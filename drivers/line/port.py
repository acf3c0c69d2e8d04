"""Ports: where bytes go in and out. A descriptor the loop watches; serial, dialled, or dialled into.

No streams and no transports: the line reads and writes the descriptor itself, so nothing stands between
the wire and the clock, and a port that fails is closed in the same moment.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from typing import TYPE_CHECKING, Any, Protocol

from drivers.errors import LineDown
from drivers.line.endpoint import split_address, tune
from drivers.line.listener import Listener

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drivers.line.settings import LineSettings

CHUNK = 4096
CONNECT_TIMEOUT = 3.0


class Owner(Protocol):
    """Who is told what happens at a port."""

    def on_bytes(self, data: bytes) -> None:
        """Bytes came."""
        ...

    def on_open(self) -> None:
        """Learn that the port can be written to now."""
        ...

    def on_lost(self, reason: str) -> None:
        """Learn that the port is gone; its descriptor is closed already."""
        ...


class Port:
    """A descriptor of which we are the only owner. Subclasses know how it is got."""

    def __init__(self, address: str, owner: Owner) -> None:
        self.address = address
        self._owner = owner
        self._fd = -1
        self._watched = False
        self._closed = True

    @property
    def is_open(self) -> bool:
        """True while bytes can be sent."""
        return self._fd >= 0

    async def open(self) -> None:
        """Open it. Raises LineDown; never blocks the loop."""
        raise NotImplementedError

    def write(self, data: bytes) -> None:
        """Send the bytes now. A port that does not take them whole is lost."""
        try:
            sent = os.write(self._fd, data)
        except OSError as error:  # BlockingIOError too: its buffer is full of what nobody takes
            self._lose(f"writing failed: {error.strerror}")
            return
        if sent != len(data):
            self._lose(f"took only {sent} of {len(data)} bytes")

    def poll(self) -> None:
        """Take in what has come and was not told yet."""
        if self._fd < 0:
            return
        try:
            data = os.read(self._fd, CHUNK)
        except BlockingIOError:
            return
        except OSError as error:
            self._lose(f"reading failed: {error.strerror}")
            return
        if data:
            self._owner.on_bytes(data)
        else:
            self._lose("closed by the other side")

    def rest(self) -> None:
        """Do not wake for bytes until `resume`: they are known to be under way."""
        if self._watched:
            asyncio.get_running_loop().remove_reader(self._fd)
            self._watched = False

    def resume(self) -> None:
        """Wake for bytes again."""
        if self._fd >= 0 and not self._watched:
            asyncio.get_running_loop().add_reader(self._fd, self.poll)
            self._watched = True

    def tune(self, baud: int, parity: str, stop: int) -> None:
        """Talk at another rate from now on. Raises ValueError where there is no rate to set, LineDown."""
        raise ValueError(f"{self.address}: a network end has no rate of its own ({baud} {parity} {stop})")

    def close(self) -> None:
        """Give the descriptor back at once."""
        self._closed = True
        self._drop()

    def _adopt(self, fd: int) -> None:
        self._fd = fd
        self.resume()
        self._owner.on_open()

    def _lose(self, reason: str) -> None:
        self._drop()
        self._owner.on_lost(f"{self.address}: {reason}")

    def _drop(self) -> None:
        if self._fd >= 0:
            self.rest()
            fd, self._fd = self._fd, -1
            with contextlib.suppress(OSError):  # a vanished device may complain; it is gone either way
                os.close(fd)


class DialPort(Port):
    """A TCP endpoint we connect to."""

    def __init__(self, address: str, owner: Owner) -> None:
        super().__init__(address, owner)
        self._host, self._service = split_address(address)

    async def open(self) -> None:
        """Connect, names resolved in a thread, within 3 s for the whole."""
        self._closed = False
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                sock = await _connect(loop, await _addresses(loop, self._host, self._service))
        except TimeoutError:
            raise LineDown(f"{self.address}: no connection within {CONNECT_TIMEOUT:g} s") from None
        except OSError as error:
            raise LineDown(f"{self.address}: {error.strerror or error}") from None
        if self._closed:
            sock.close()
            raise LineDown(f"{self.address}: closed while connecting")
        tune(sock)
        self._adopt(sock.detach())


class ListenPort(Port):
    """A TCP port of ours where a unit dials in. One connection lives; a newer one replaces the older."""

    def __init__(self, address: str, peers: tuple[str, ...], owner: Owner) -> None:
        super().__init__(address, owner)
        self._listener = Listener(address, peers, self._take)

    @property
    def bound(self) -> tuple[str, int]:
        """Where it really listens."""
        return self._listener.bound

    @property
    def refused(self) -> int:
        """Connections from addresses not on the list."""
        return self._listener.refused

    async def open(self) -> None:
        """Begin to listen. The port is open for writing once a unit has dialled in."""
        self._closed = False
        await self._listener.open()

    def close(self) -> None:
        """Stop listening and hang up."""
        self._listener.close()
        super().close()

    def _take(self, sock: socket.socket, peer: str) -> None:
        if self.is_open:
            self._lose(f"replaced by a newer connection from {peer}")
        self._adopt(sock.detach())


class GivenPort(Port):
    """A connection that somebody else accepted. Once lost it does not come back."""

    def __init__(self, sock: socket.socket, peer: str, owner: Owner) -> None:
        super().__init__(peer, owner)
        self._sock: socket.socket | None = sock

    async def open(self) -> None:
        """Take the connection over. Raises LineDown the second time."""
        self.take()

    def take(self) -> None:
        """Take the connection over, at once. Raises LineDown the second time."""
        sock, self._sock = self._sock, None
        if sock is None:
            raise LineDown(f"{self.address}: hung up")
        self._closed = False
        self._adopt(sock.detach())


def make_port(settings: LineSettings, owner: Owner) -> Port:
    """Return the port, not yet open, that the settings describe."""
    if settings.serial is not None:
        from drivers.line.serial_port import SerialPort  # noqa: PLC0415  TCP-only sites need no pyserial

        return SerialPort(settings, owner)
    if settings.tcp is not None:
        return DialPort(settings.tcp, owner)
    if settings.listen is not None:
        return ListenPort(settings.listen, settings.peers, owner)
    raise ValueError(f"line {settings.name} has none of serial, tcp and listen")


async def _addresses(
    loop: asyncio.AbstractEventLoop, host: str, service: int | str
) -> Sequence[tuple[int, int, int, str, Any]]:
    """Look a name up in a thread. A number needs none: two hundred lines would wait for six threads."""
    numbers = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    try:
        return socket.getaddrinfo(host, service, type=socket.SOCK_STREAM, flags=numbers)
    except socket.gaierror:
        return await loop.getaddrinfo(host, service, type=socket.SOCK_STREAM)


async def _connect(
    loop: asyncio.AbstractEventLoop,
    found: Sequence[tuple[int, int, int, str, Any]],
) -> socket.socket:
    failure = OSError("no address found")
    for family, kind, proto, _, where in found:
        sock = socket.socket(family, kind, proto)
        sock.setblocking(False)  # noqa: FBT003  the socket's own signature
        with (
            contextlib.ExitStack() as undo
        ):  # also when cancelled, or out of time: no descriptor stays behind
            undo.callback(sock.close)
            try:
                await loop.sock_connect(sock, where)
            except OSError as error:
                failure = error
            else:
                undo.pop_all()
                return sock
    raise failure
