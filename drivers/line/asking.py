"""How one device asks on its line: at its own pace, once more after noise, patiently when somebody waits."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar

from drivers.errors import BadAnswer, Held, NoAnswer
from drivers.line.dialect import Q

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from drivers.errors import DriverError
    from drivers.line import Line

T = TypeVar("T")

SHORT = 0.05  # seconds of a device's own interval that are waited out here rather than given back


class Asking(Generic[Q]):
    """One device's way to its line. `interval`: seconds that the device wants between two requests."""

    def __init__(self, name: str, line: Line[Q], interval: float = 0.0) -> None:
        self._name = name
        self._line = line
        self._interval = interval
        self._next = 0.0

    def refuse_haste(self) -> None:
        """Raise Held when the device's own interval is not over; the line has other work."""
        if self._interval and self._next - asyncio.get_running_loop().time() > SHORT:
            raise Held(f"{self._name}: it takes one request in a while", self._next)

    async def ask(self, query: Q) -> bytes:
        """Ask; see `drivers.line.Line.exchange`."""
        if not self._interval:
            return await self._line.exchange(query)
        loop = asyncio.get_running_loop()
        if (wait := self._next - loop.time()) > 0:
            await asyncio.sleep(wait)
        try:
            return await self._line.exchange(query)
        finally:
            self._next = loop.time() + self._interval

    async def once_more(self, query: Q) -> bytes:
        """Ask; when only broken bytes come, ask once more at once: noise is seldom twice in a row."""
        try:
            return await self.ask(query)
        except BadAnswer:
            return await self.ask(query)

    async def patient(self, query: Q) -> bytes:
        """Ask, and wait where a poll would give way: somebody is waiting for the outcome."""
        try:
            return await self.ask(query)
        except Held as held:
            await self.wait_out(held)
            return await self.ask(query)

    @staticmethod
    async def wait_out(held: Held) -> None:
        """Return when the device may be asked again."""
        await asyncio.sleep(max(0.0, held.until - asyncio.get_running_loop().time()))


async def each(parts: Iterable[T], take: Callable[[T], Awaitable[None]], lost: Callable[[T], None]) -> None:
    """Take the parts of a reading one after the other; a unit that is silent is not asked for the next one.

    Parts that brought nothing go to `lost`. Raises NoAnswer or BadAnswer when no part at all was answered.
    """
    failure: DriverError | None = None
    answered = False
    for part in parts:
        if isinstance(failure, NoAnswer):
            lost(part)
            continue
        try:
            await take(part)
        except (NoAnswer, BadAnswer) as error:
            failure = error
            if not answered and isinstance(error, NoAnswer):
                raise
            lost(part)
        else:
            answered = True
    if failure is not None and not answered:
        raise failure
