"""The two clocks. Everything that needs time is given one of these, or an `Instant` from it."""

from __future__ import annotations

import time
from typing import Protocol

from gateway.model import Instant


class Clock(Protocol):
    """Where time comes from."""

    synced: bool  # whether somebody vouches for the wall clock: a label, it decides no delay

    def now(self) -> Instant:
        """Return the present moment on both clocks."""
        ...

    def mono(self) -> float:
        """Return monotonic seconds."""
        ...


class SystemClock:
    """The clocks of this machine. On Linux its `mono` is the time base of asyncio too."""

    def __init__(self) -> None:
        self.synced = False  # until gateway.health has looked

    def now(self) -> Instant:
        """Return the present moment on both clocks."""
        return Instant(time.monotonic(), time.time_ns(), self.synced)

    def mono(self) -> float:
        """Return monotonic seconds."""
        return time.monotonic()
