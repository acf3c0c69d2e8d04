"""TCP endpoints: their addresses in words, and what every connection of ours is set to."""

from __future__ import annotations

import socket

USER_TIMEOUT_MS = 10_000  # unacknowledged bytes for so long: the far end is gone (a cut cable says nothing)


def split_address(address: str) -> tuple[str, int]:
    """Split "host:port" or "[v6]:port". Raises ValueError."""
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal():
        raise ValueError(f"{address!r} is no address; write host:port")
    return host.removeprefix("[").removesuffix("]"), int(port)


def tune(sock: socket.socket) -> None:
    """Let small frames leave at once, and find out within seconds that the far end is gone."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_USER_TIMEOUT", USER_TIMEOUT_MS),
        ("TCP_KEEPIDLE", 10),
        ("TCP_KEEPINTVL", 3),
        ("TCP_KEEPCNT", 3),
    ):
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
