"""What the service manager is told, over a real datagram socket."""

from __future__ import annotations

import asyncio
import os
import socket
from typing import TYPE_CHECKING

import pytest

from gateway.notify import Systemd

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(path)
        sock.settimeout(0)
        yield path, sock


def heard(sock: socket.socket) -> list[bytes]:
    found = []
    while True:
        try:
            found.append(sock.recv(1000))
        except BlockingIOError:
            return found


def test_states_go_in_one_datagram(manager: tuple[str, socket.socket]) -> None:
    path, sock = manager
    Systemd({"NOTIFY_SOCKET": path}).tell("READY=1", "STATUS=30 devices")
    assert heard(sock) == [b"READY=1\nSTATUS=30 devices"]


def test_an_abstract_address_is_reached() -> None:
    name = f"tocsin-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind("\0" + name)
        Systemd({"NOTIFY_SOCKET": "@" + name}).tell("STOPPING=1")
        assert sock.recv(100) == b"STOPPING=1"


def test_a_manager_that_is_not_there_or_went_away_stops_nobody(tmp_path: Path) -> None:
    Systemd({}).tell("READY=1")
    Systemd({"NOTIFY_SOCKET": str(tmp_path / "gone")}).tell("READY=1")


def test_who_is_not_watched_does_not_feed(manager: tuple[str, socket.socket]) -> None:
    path, _ = manager
    for usec, pid in (("", ""), ("x", ""), ("1000000", "1")):
        environment = {"NOTIFY_SOCKET": path, "WATCHDOG_USEC": usec, "WATCHDOG_PID": pid}
        assert Systemd(environment).watchdog == 0.0
    assert Systemd({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}).watchdog == 30.0


async def test_the_watchdog_is_fed_only_while_something_moves(manager: tuple[str, socket.socket]) -> None:
    path, sock = manager
    steps = 0
    systemd = Systemd({"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "60000"})
    watching = asyncio.create_task(systemd.watch(lambda: steps))
    for _ in range(5):
        steps += 1
        await asyncio.sleep(0.03)
    assert len(heard(sock)) >= 3
    await asyncio.sleep(0.05)
    heard(sock)
    await asyncio.sleep(0.15)  # the loop turns, the pipeline stands
    assert heard(sock) == []
    steps += 1
    await asyncio.sleep(0.05)
    assert heard(sock) == [b"WATCHDOG=1"]
    watching.cancel()
