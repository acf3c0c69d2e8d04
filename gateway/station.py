"""What the poller keeps beside its schedule: the stamp of each device, the load, the way out."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from math import ceil, inf
from typing import TYPE_CHECKING

from gateway.model import Sample

if TYPE_CHECKING:
    from drivers.errors import DriverError
    from drivers.registry import Device
    from gateway.model import Instant, Quality, Value

Accept = Callable[[Sequence[Sample]], Awaitable[None]]

BACKLOG = 4  # samples per lane that may wait for the pipeline; then reading waits
WINDOW = 10.0  # seconds over which utilisation is taken


class Station:
    """What the poller keeps of one device."""

    __slots__ = ("device", "errors", "last_at", "last_error")

    def __init__(self, device: Device) -> None:
        self.device = device
        self.last_at = 0
        self.last_error = ""
        self.errors: Counter[str] = Counter()

    def sample(self, now: Instant, values: dict[str, Value], bad: dict[str, Quality]) -> Sample:
        """Stamp, once and for good: a clock set back may repeat a second, a series may not."""
        at = now.wall if now.wall > self.last_at else self.last_at + 1
        self.last_at = at
        return Sample(self.device.name, at, now.mono, values, bad)

    def note(self, error: DriverError) -> None:
        """Count an error by its kind."""
        self.errors[type(error).__name__] += 1
        self.last_error = str(error)


class Load:
    """How busy the line is, over the last whole window."""

    __slots__ = ("_busy", "_lanes", "_since", "share")

    def __init__(self, lanes: int, now: float) -> None:
        self.share = 0.0
        self._lanes = lanes
        self._busy = 0.0
        self._since = now

    def add(self, took: float, now: float) -> None:
        """Count an exchange of `took` seconds that ended now."""
        self._busy += took
        if now - self._since >= WINDOW:
            self.share = min(self._busy / (now - self._since) / self._lanes, 1.0)
            self._busy = 0.0
            self._since = now


class Outlet:
    """Hands samples to the pipeline in order; several that are ready together go together."""

    def __init__(self, accept: Accept, lanes: int) -> None:
        self._accept = accept
        self._alone = lanes == 1
        self._limit = BACKLOG * lanes
        self._ready: list[Sample] = []
        self._bell = asyncio.Event()
        self._room = asyncio.Event()

    async def put(self, samples: Sequence[Sample]) -> None:
        """Hand on. A lane alone waits for the pipeline; several wait only when it falls behind."""
        if self._alone:
            await self._accept(samples)
            return
        self._ready += samples
        self._bell.set()
        while len(self._ready) >= self._limit:
            self._room.clear()
            await self._room.wait()

    async def run(self) -> None:
        """Pass on what is ready until cancelled; what is left then goes too."""
        try:
            while True:
                await self._bell.wait()
                await self.flush()
        finally:
            await self.flush()

    async def flush(self) -> None:
        """Pass on what is ready now."""
        self._bell.clear()
        batch, self._ready = self._ready, []
        self._room.set()
        if batch:
            await self._accept(batch)


class Sleepers:
    """The lanes of one line that have nothing to do. One timer serves them all.

    `slack`: seconds by which a wake may come late. Lines that have the same then wake at the same moments:
    work done in a row costs half of what it costs in single steps out of sleep, with cold caches.
    """

    __slots__ = ("_beds", "_slack", "_timer")

    def __init__(self, slack: float = 0.0) -> None:
        self._beds: deque[asyncio.Future[None]] = deque()
        self._slack = slack
        self._timer: asyncio.TimerHandle | None = None

    @property
    def any(self) -> bool:
        """True while a lane sleeps."""
        return bool(self._beds)

    async def sleep(self, seconds: float) -> None:
        """Wait until woken, or so many seconds. The last lane to lie down sets the timer for all."""
        loop = asyncio.get_running_loop()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        if seconds < inf:
            at, slack = loop.time() + max(seconds, 0.0), self._slack
            self._timer = loop.call_at(ceil(at / slack) * slack if slack else at, self.wake)
        bed: asyncio.Future[None] = loop.create_future()
        self._beds.append(bed)
        await bed

    def wake(self) -> None:
        """Wake one lane, if one sleeps."""
        while self._beds:
            bed = self._beds.popleft()
            if not bed.done():
                bed.set_result(None)
                return

    def wake_all(self) -> None:
        """Wake every lane and forget the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._beds:
            self.wake()
