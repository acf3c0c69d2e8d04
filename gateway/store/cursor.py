"""What one link has still to deliver of one lane, and where it tells what has arrived."""

from __future__ import annotations

import asyncio
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, ParamSpec, Protocol, TypeVar

from gateway.store.records import Backlog, Lane, Place, Record
from gateway.store.worker import Turn

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from gateway.store.core import Core

P = ParamSpec("P")
T = TypeVar("T")

_SIZE = 1 << 18  # bytes, compressed, of one read: about 2 MiB of line protocol


class Do(Protocol):
    """Runs a job in the journal's thread."""

    def __call__(self, turn: Turn, job: Callable[P, T], *args: P.args, **named: P.kwargs) -> Awaitable[T]:
        """Queue it; what is awaited is what it returns."""
        ...


class Cursor:
    """A link's place in a lane. Records may be on their way in any number and order."""

    def __init__(self, link: str, lane: Lane, core: Core, do: Do) -> None:
        self.link = link
        self.lane = lane
        self.wake = asyncio.Event()  # the lane grew; the reader clears it before it reads
        self.backlog = Backlog()  # what is not confirmed yet, as of the journal's last job
        self._core = core
        self._do = do

    async def read(self, after: Place | None = None, limit: int = 64, size: int = _SIZE) -> list[Record]:
        """Return unconfirmed records after a place, oldest first.

        At most `limit` records and about `size` bytes as they lie on disk, but at least one.
        """
        found = await self._do(Turn.LINK, self._core.read, self.link, self.lane, after, limit, size)
        return await self._unpacked(found)

    async def read_newest(self, limit: int = 1, size: int = _SIZE) -> list[Record]:
        """Return unconfirmed records, newest first."""
        found = await self._do(Turn.LINK, self._core.read_newest, self.link, self.lane, limit, size)
        return await self._unpacked(found)

    async def _unpacked(self, records: list[Record]) -> list[Record]:
        if self.lane is Lane.ALARM or not records:
            return records
        return await asyncio.to_thread(_unpack, records)  # not in the journal's thread: an alarm may come

    async def confirm(self, epoch: int, ranges: Iterable[tuple[int, int]]) -> int:
        """Note that the far end has these for good: ranges of seq, first and last both inside.

        Idempotent. A range that reaches beyond what was issued is ignored and counted. Returns how many
        records became confirmed by it. Positions reach the disk within seconds and at `close`: what a
        power cut takes of them is sent again.
        """
        return await self._do(Turn.LINK, self._core.confirm, self.link, self.lane, epoch, list(ranges))


def _unpack(records: list[Record]) -> list[Record]:
    return [replace(record, payload=zlib.decompress(record.payload)) for record in records]
