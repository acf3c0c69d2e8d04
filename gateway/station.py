"""What the poller keeps beside its schedule: the stamp of each device, the load, the way out."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from math import ceil, inf
from typing import TYPE_CHECKING

from gateway.model import Sample
from gateway.stamps import Stamps

if TYPE_CHECKING:
    from drivers.entry import Device
    from drivers.errors import DriverError
    from gateway.model import Instant, Quality, Value

Accept = Callable[[Sequence[Sample]], Awaitable[None]]

BACKLOG = 4  # samples per lane that may wait for the pipeline; then reading waits
WINDOW = 10.0  # seconds over which utilisation is taken


class Station:
    """What the poller keeps of one device."""

    __slots__ = ("device", "errors", "last_error", "stamps")

    def __init__(self, device: Device) -> None:
        self.device = device
        self.stamps = Stamps()
        self.last_error = ""
        self.errors: Counter[str] = Counter()

    def sample(self, now: Instant, values: dict[str, Value], bad: dict[str, Quality]) -> Sample:
        """Stamp, once and for good: a clock set back may repeat a second, a series may not."""
        return Sample(self.device.name, self.stamps.next(now.wall), now.mono, values, bad)

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


class Straight:
    """The way out of a lane that is alone: it waits for the pipeline."""

    def __init__(self, accept: Accept) -> None:
        self.put = accept

    async def flush(self) -> None:
        """Nothing waits here."""


class Outlet:
    """Hands samples of several lanes to the pipeline in order; what is ready together goes together."""

    def __init__(self, accept: Accept, lanes: int) -> None:
        self._accept = accept
        self._limit = BACKLOG * lanes
        self._ready: list[Sample] = []
        self._bell = asyncio.Event()
        self._room = asyncio.Event()

    async def put(self, samples: Sequence[Sample]) -> None:
        """Hand on; wait only when the pipeline falls behind."""
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


MANY = 50.0  # polls a second over TCP from which on it pays to begin some of them together
SLACK = 1 / 10  # of a line's shortest period: how late it may begin for that; as it divides it, equally late


class Wakes:
    """The timers of all lines. Lines that are to be woken at the same moment share one.

    Where there is much to do each may wake a little late, so that they do wake at the same moments: work
    done in a row costs half of what it costs in single steps out of sleep, with cold caches. Else all are
    punctual.
    """

    def __init__(self, polls: float = 0.0) -> None:
        """Take how many `polls` there are a second on all lines together."""
        self.slack = SLACK if polls >= MANY else 0.0  # of a line's shortest period
        self._at: dict[float, list[Callable[[float], None]]] = {}

    def at(self, moment: float, ring: Callable[[float], None]) -> None:
        """Call `ring(moment)` at that monotonic second. No taking back: who is rung may ignore it."""
        rings = self._at.get(moment)
        if rings is None:
            rings = self._at[moment] = []
            asyncio.get_running_loop().call_at(moment, self._ring, moment)
        rings.append(ring)

    def _ring(self, moment: float) -> None:
        for ring in self._at.pop(moment):
            ring(moment)


class Sleepers:
    """The lanes of one line that have nothing to do. One alarm clock serves them all.

    `cycle`: the shortest period of the line, in seconds.
    """

    __slots__ = ("_at", "_beds", "_loop", "_slack", "_wakes")

    def __init__(self, wakes: Wakes, cycle: float = 0.0) -> None:
        self._beds: list[asyncio.Future[None]] = []  # no more than lanes: a deque takes 700 bytes, empty
        self._slack = wakes.slack * cycle  # seconds
        self._wakes = wakes
        self._at = inf  # when the next one is to be woken
        self._loop = asyncio.get_running_loop()

    @property
    def any(self) -> bool:
        """True while a lane sleeps."""
        return bool(self._beds)

    async def sleep(self, seconds: float) -> None:
        """Wait until woken, or so many seconds. The last lane to lie down sets the clock for all."""
        if seconds < inf:
            at, slack = self._loop.time() + max(seconds, 0.0), self._slack
            at = ceil(at / slack) * slack if slack else at
            if at != self._at:
                self._at = at
                self._wakes.at(at, self._ring)
        else:
            self._at = inf
        bed: asyncio.Future[None] = self._loop.create_future()
        self._beds.append(bed)
        await bed

    def _ring(self, moment: float) -> None:
        if moment == self._at:  # else the clock was set anew meanwhile
            self._at = inf
            self.wake()

    def wake(self) -> None:
        """Wake one lane, if one sleeps."""
        while self._beds:
            bed = self._beds.pop(0)
            if not bed.done():
                bed.set_result(None)
                return

    def wake_all(self) -> None:
        """Wake every lane and forget the time."""
        self._at = inf
        while self._beds:
            self.wake()
