"""A TCP port of ours that others dial into: listens, turns strangers away, hands on who was let in."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import TYPE_CHECKING

from drivers.errors import LineDown
from drivers.line.endpoint import split_address, tune

if TYPE_CHECKING:
    from collections.abc import Callable

QUEUE = 64  # connections that may wait to be accepted: a power cut brings a whole street back at once


class Listener:
    """Listens while it is open. `take` gets each connection, not blocking, with the address of its peer."""

    def __init__(
        self, address: str, peers: tuple[str, ...], take: Callable[[socket.socket, str], None]
    ) -> None:
        self.address = address
        self.refused = 0  # connections from addresses not on the list
        self.bound = ("", 0)  # where it really listens
        self._host, self._service = split_address(address)
        self._allowed = [ipaddress.ip_network(peer, strict=False) for peer in peers]
        self._take = take
        self._socket: socket.socket | None = None

    @property
    def is_open(self) -> bool:
        """True while it listens."""
        return self._socket is not None

    async def open(self) -> None:
        """Begin to listen. Raises LineDown."""
        if self._socket is not None:
            return
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(
                self._host, self._service, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )
            family, kind, proto, _, where = found[0]
            listener = socket.socket(family, kind, proto)
            listener.setblocking(False)  # noqa: FBT003  the socket's own signature
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(where)
                listener.listen(QUEUE)
            except OSError:
                listener.close()
                raise
        except OSError as error:
            raise LineDown(f"{self.address}: cannot listen: {error.strerror or error}") from None
        self._socket = listener
        self.bound = listener.getsockname()[:2]
        loop.add_reader(listener.fileno(), self._accept)

    def close(self) -> None:
        """Stop listening. Connections that were handed on live on."""
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket = None

    def _accept(self) -> None:
        if self._socket is None:
            return
        try:
            sock, peer = self._socket.accept()
        except OSError:  # gone again before we looked
            return
        if not self._welcome(peer[0]):
            self.refused += 1
            sock.close()
            return
        sock.setblocking(False)  # noqa: FBT003  the socket's own signature
        tune(sock)
        self._take(sock, peer[0])

    def _welcome(self, peer: str) -> bool:
        address = ipaddress.ip_address(peer.partition("%")[0])
        mapped = getattr(address, "ipv4_mapped", None)
        return not self._allowed or any((mapped or address) in network for network in self._allowed)
