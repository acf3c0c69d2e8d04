"""Who is at the other end of the socket: the kernel says it, not the caller.

The account is the Unix user of the process that connected (SO_PEERCRED). Its role stands in the site file:

    people:
      wang: {user: wang, role: operator}

Where nobody in the site file has a role, the permissions of the socket are all there is: whoever may open it
is an engineer. As soon as one role is given, an account without one only looks, but for root and the
gateway's own, who could change the files anyway. A name that the caller claims beside his account is
written down as `claimed@account`: it helps people, it proves nothing.
"""

from __future__ import annotations

import os
import pwd
import socket
import struct
from typing import TYPE_CHECKING

from uvicorn.protocols.http.h11_impl import H11Protocol

from rules.permissions import Person, Role

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping

    from starlette.requests import Request

    from gateway.config.settings import Person as Named

_CREDENTIALS = struct.Struct("3i")  # struct ucred: pid, uid, gid
_PEER = "uid:"
NOBODY = Person("?", Role.VIEWER)


class PeerProtocol(H11Protocol):
    """HTTP that knows which process is at the other end of a Unix socket."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Ask the kernel who connected; it becomes the `client` of every request."""
        super().connection_made(transport)
        sock = transport.get_extra_info("socket")
        if sock is not None and sock.family == socket.AF_UNIX:
            raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
            pid, uid, _ = _CREDENTIALS.unpack(raw)
            self.client = (f"{_PEER}{uid}", pid)


class People:
    """The people of the site file, by their accounts."""

    def __init__(self, people: Mapping[str, Named]) -> None:
        self._by_user = {person.user: (name, person) for name, person in people.items() if person.user}
        self._roles_given = any(person.role for person in people.values())

    def asking(self, request: Request, claimed: str = "") -> Person:
        """Return who sent a request; `claimed` is the name he gives."""
        client = request.client
        if client is None or not client.host.startswith(_PEER):
            return NOBODY
        return self.person(int(client.host.removeprefix(_PEER)), claimed, client.port)

    def person(self, uid: int, claimed: str = "", pid: int = 0) -> Person:
        """Return the person behind an account."""
        account = account_of(uid)
        name, known = self._by_user.get(account, (account, None))
        if known is not None:
            role = known.role or Role.VIEWER
        elif not self._roles_given or uid in {0, os.getuid()}:
            role = Role.ENGINEER
        else:
            role = Role.VIEWER
        if claimed not in {"", name, account}:
            name = f"{claimed}@{account}"
        return Person(name, role, account, "cli", f"pid {pid}")


def account_of(uid: int) -> str:
    """Return the name of an account."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid-{uid}"
