"""Keeping a line open: one attempt at a time, growing pauses, no task of its own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from drivers.errors import LineDown

if TYPE_CHECKING:
    from drivers.line.stats import LineStats

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 5.0
STEADY = 5.0  # a port that stayed open so long starts again with the first pause


class Openable(Protocol):
    """What a door leads to: a port, or a listener."""

    address: str

    @property
    def is_open(self) -> bool:
        """True while it can be used."""
        ...

    async def open(self) -> None:
        """Open it. Raises LineDown; never blocks the loop."""
        ...

    def close(self) -> None:
        """Close it at once."""
        ...


P = TypeVar("P", bound=Openable)


class Door(Generic[P]):
    """Opens a port whenever somebody needs it and its pause is over.

    Nobody needs it: nothing happens. So there is no background task that could die unseen.
    """

    def __init__(self, port: P, stats: LineStats) -> None:
        self.port = port
        self._stats = stats
        self._wanted = True
        self._pause = 0.0
        self._next_try = 0.0
        self._opened_at = -STEADY
        self._opens = 0
        self._reason = f"{port.address}: not opened yet"
        self._attempt: asyncio.Task[LineDown | None] | None = None
        self._opened = asyncio.Event()

    async def require(self) -> None:
        """Return when the port is open. Raises LineDown at once while it is not and its pause lasts."""
        if self.port.is_open:
            return
        if not self._wanted:
            raise LineDown(f"{self.port.address}: the line is closed")
        wait = self._next_try - asyncio.get_running_loop().time()
        if wait > 0 and self._attempt is None:
            raise LineDown(f"{self._reason}; next attempt in {wait:.1f} s")
        await self.open()
        if not self.port.is_open:
            raise LineDown(f"{self.port.address}: nobody has dialled in")

    async def open(self) -> None:
        """Try to open now; several callers share one attempt. Raises LineDown."""
        self._wanted = True
        if self.port.is_open:
            return
        if self._attempt is None:
            self._attempt = asyncio.create_task(self._try(), name=f"open {self.port.address}")
        failure = await asyncio.shield(self._attempt)
        if failure is not None:
            raise LineDown(str(failure))

    async def ready(self) -> None:
        """Return as soon as the port is open, trying again with growing pauses until then."""
        loop = asyncio.get_running_loop()
        while not self.port.is_open:
            self._opened.clear()
            pause = self._next_try - loop.time()
            if pause <= 0:
                try:
                    await self.open()
                except LineDown:
                    continue
                if self.port.is_open:
                    return
                pause = LONGEST_PAUSE  # listening: the event comes when somebody dials in
            try:
                async with asyncio.timeout(pause):
                    await self._opened.wait()
            except TimeoutError:
                continue

    def close(self) -> None:
        """Close the port and do not open it again until `open` is called."""
        self._wanted = False
        self.port.close()

    def opened(self) -> None:
        """Note that the port can be written to now."""
        self._opened_at = asyncio.get_running_loop().time()
        self._stats.reopened += self._opens > 0
        self._opens += 1
        self._opened.set()

    def lost(self, reason: str) -> None:
        """Note that the port failed; soon after opening counts as one more failure to open."""
        now = asyncio.get_running_loop().time()
        if now - self._opened_at >= STEADY:
            self._pause = 0.0
        self._put_off(reason)

    async def _try(self) -> LineDown | None:
        try:
            await self.port.open()
        except LineDown as down:
            self._put_off(str(down))
            return down
        finally:
            self._attempt = None
        return None

    def _put_off(self, reason: str) -> None:
        self._reason = reason
        self._pause = min(max(FIRST_PAUSE, self._pause * 2), LONGEST_PAUSE)
        self._next_try = asyncio.get_running_loop().time() + self._pause
