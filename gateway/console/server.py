"""Serves the local API inside the daemon's own event loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from typing import TYPE_CHECKING

import uvicorn

from gateway.console.peers import PeerProtocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.applications import Starlette

log = logging.getLogger(__name__)
MAX_PATH = 107  # sizeof(sockaddr_un.sun_path) - 1


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone: the daemon owns them."""
        yield


def _bind(path: Path) -> socket.socket:
    """Return a socket that listens at the path, for owner and group only; a leftover is replaced.

    It gets its name when it listens already: who finds the path must not be refused.
    """
    if len(os.fsencode(path)) >= MAX_PATH:
        raise OSError(f"{path}: a Unix socket's path may have {MAX_PATH - 1} bytes at most")
    unnamed = path.with_name(path.name + "~")
    _unlink(unnamed)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o117)
    try:
        sock.bind(str(unnamed))
        sock.listen()
    finally:
        os.umask(mask)
    unnamed.rename(path)
    return sock


def _unlink(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


async def serve(app: Starlette, path: Path, stopping: asyncio.Event) -> None:
    """Serve until cancelled. A socket that cannot be made is reported; measuring goes on without it."""
    try:
        sock = _bind(path)
    except OSError as error:
        log.error("api: not served: %s", error)  # noqa: TRY400 - the reason is the message, not the traceback
        return
    config = uvicorn.Config(
        app, http=PeerProtocol, ws="none", lifespan="off", loop="none", log_config=None, access_log=False,
        timeout_graceful_shutdown=2, timeout_keep_alive=10,
    )  # fmt: skip
    server = _Server(config)
    task = asyncio.create_task(server.serve([sock]), name="api")
    try:
        await asyncio.shield(task)
    finally:
        stopping.set()
        server.should_exit = True
        with contextlib.suppress(asyncio.CancelledError):
            await task
        _unlink(path)
