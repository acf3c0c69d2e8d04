"""Tools for tests of the journal: a store that cannot be left open, and what a kill leaves behind."""

from __future__ import annotations

import random
import shutil
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from clock import FakeClock

from gateway.store import Cursor, Limits, Record, Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

WALL = 1_790_000_000_000_000_000
DAY = 86400 * 10**9


@asynccontextmanager
async def opened(
    data: Path, clock: FakeClock | None = None, limits: Limits | None = None, synchronous: str = "FULL"
) -> AsyncIterator[Store]:
    store = await Store.open(data, clock or FakeClock(), limits or Limits(), synchronous=synchronous)
    try:
        yield store
    finally:
        await store.close()


def killed(data: Path, copy: Path) -> Path:
    """What a killed process leaves: all it has written to its files, and no shared memory."""
    shutil.copytree(data, copy, ignore=shutil.ignore_patterns("*-shm"))
    return copy


def noise(size: int, seed: int = 0) -> bytes:
    """Lines that do not compress: size on disk can be reckoned with."""
    return random.Random(seed).randbytes(size // 2).hex().encode()


async def everything(cursor: Cursor, page: int = 7) -> list[Record]:
    found: list[Record] = []
    while batch := await cursor.read(found[-1].place if found else None, page):
        found += batch
    return found
