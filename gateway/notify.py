"""What systemd is told: ready, alive, stopping (sd_notify(3), sent as plain datagrams)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Systemd:
    """The notification socket of the service manager; silent when there is none."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        env = os.environ if environment is None else environment
        address = env.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        usec = env.get("WATCHDOG_USEC", "")
        ours = env.get("WATCHDOG_PID", "") in {"", str(os.getpid())}  # a child is not the one that is watched
        self.watchdog = int(usec) / 1e6 if usec.isdigit() and ours else 0.0  # seconds; 0 = not watched

    def tell(self, *states: str) -> None:
        """Send the states in one datagram; a service manager that went away is no reason to stop."""
        if not self._address:
            return
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.sendto("\n".join(states).encode(), self._address)

    async def watch(self, progress: Callable[[], int]) -> None:
        """Feed the watchdog as long as `progress()` keeps growing, and only then.

        A gateway whose loop turns but whose pipeline stands still is as dead as one that hangs.
        """
        if not self.watchdog:
            return
        seen = -1
        while True:
            done = progress()
            if done != seen:
                seen = done
                self.tell("WATCHDOG=1")
            await asyncio.sleep(self.watchdog / 3)
