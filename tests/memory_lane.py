"""One lane of a store that lives in memory: what a link needs of `gateway.store.Cursor`, and no disk."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gateway.store.records import Backlog, Lane, Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gateway.links.ranges import Range


class MemoryLane:
    def __init__(self, lane: Lane, epoch: int = 1) -> None:
        self.lane = lane
        self.epoch = epoch
        self.seq = 0
        self.records: dict[tuple[int, int], Record] = {}
        self.confirms: list[tuple[int, list[Range]]] = []
        self.wake = asyncio.Event()

    def append(self, payload: bytes, count: int = 1) -> Record:
        self.seq += 1
        record = Record(self.lane, self.epoch, self.seq, count, payload, at=0)
        self.records[record.place] = record
        self.wake.set()
        return record

    @property
    def backlog(self) -> Backlog:
        return Backlog(len(self.records), sum(r.count for r in self.records.values()))

    async def read(
        self, after: tuple[int, int] | None = None, limit: int = 64, size: int = 1 << 20
    ) -> Sequence[Record]:
        await asyncio.sleep(0)
        if after is None or after < (self.epoch, 1):
            found = iter(self.records)  # in the order of their places
            return [self.records[k] for k, _ in zip(found, range(limit), strict=False)]
        places = ((self.epoch, n) for n in range(after[1] + 1, self.seq + 1))
        found_after = (self.records[p] for p in places if p in self.records)
        return [r for r, _ in zip(found_after, range(limit), strict=False)]

    async def read_newest(self, limit: int = 1) -> Sequence[Record]:
        await asyncio.sleep(0)
        return [self.records[k] for k, _ in zip(reversed(self.records), range(limit), strict=False)]

    async def confirm(self, epoch: int, ranges: Iterable[Range]) -> int:
        await asyncio.sleep(0)
        ranges = list(ranges)
        self.confirms.append((epoch, ranges))
        before = len(self.records)
        for first, last in ranges:
            for seq in range(first, min(last, self.seq) + 1):
                self.records.pop((epoch, seq), None)
        return before - len(self.records)
