"""Getting a line open and keeping at it, without hammering one that opens but carries nothing."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Protocol

from drivers.errors import LineDown

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

# Seconds before a line that carried nothing is opened again; shorter than `rules.roots.CONFIRM`, or the pause
# would itself be taken for a line that is down.
PAUSE_FIRST, PAUSE_LIMIT = 0.5, 4.0
TELL = 10.0  # seconds between two reports of a line that stays down


class Port(Protocol):
    """What the poller needs of a line."""

    @property
    def is_open(self) -> bool:
        """True while bytes can be sent."""
        ...

    async def open(self) -> None:
        """Open the port now; raise LineDown when it will not open."""
        ...

    async def ready(self) -> None:
        """Return as soon as the line is open; try to open it with growing pauses until then."""
        ...

    async def close(self) -> None:
        """Give the port back. Exchanges under way end with LineDown."""
        ...


class Opening:
    """Opens one line as often as needed."""

    __slots__ = ("_line", "_name", "_pause", "_tell", "opened", "proven")

    def __init__(self, name: str, line: Port, tell: Callable[[], Awaitable[None]]) -> None:
        self.opened = 0
        self.proven = True  # something was answered since the line was opened
        self._name = name
        self._line = line
        self._tell = tell
        self._pause = 0.0

    async def bring_up(self) -> None:
        """Return when the line is open. While it is not, `tell` is called now and then."""
        if self.proven:
            self._pause = 0.0
        else:
            self._pause = min(max(self._pause * 2, PAUSE_FIRST), PAUSE_LIMIT)
            await self._tell()
            await asyncio.sleep(self._pause)
        try:
            await self._line.open()
        except LineDown as error:
            log.warning("line does not open line=%s why=%s", self._name, error)
            await self._wait()
        self.proven = False
        self.opened += 1
        log.info("line is open line=%s", self._name)

    async def _wait(self) -> None:
        opening = asyncio.ensure_future(self._line.ready())
        try:
            while not opening.done():
                await self._tell()
                await asyncio.wait((opening,), timeout=TELL)
            opening.result()
        finally:
            opening.cancel()
