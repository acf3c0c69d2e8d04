"""What a damaged file still gives: from the front up to the damage, then from the back."""

from __future__ import annotations

import sqlite3
import zlib
from contextlib import closing
from typing import TYPE_CHECKING, Any

from gateway.store.table import Row

if TYPE_CHECKING:
    from pathlib import Path

_FIELDS = "SELECT id, at, until, count, crc, body FROM records ORDER BY id"


def lines(path: Path, table: str) -> list[tuple[Any, ...]]:
    """Return the readable lines of one of our tables."""
    return _readable(path, f"SELECT * FROM {table}")  # noqa: S608 - the caller's own names


def records(path: Path) -> list[Row]:
    """Return the readable records, in order, those whose check sum holds."""
    found: dict[int, Row] = {}
    for query in (_FIELDS, f"{_FIELDS} DESC"):
        for line in _readable(path, query):
            row = _believed(line)
            if row is not None:
                found[row.number] = row
    return [found[number] for number in sorted(found)]


def _believed(line: tuple[Any, ...]) -> Row | None:
    *numbers, crc, body = line
    if not isinstance(body, bytes) or zlib.crc32(body) != crc:
        return None
    if not all(isinstance(n, int) and n >= 0 for n in numbers):
        return None
    number, at, until, rows = numbers
    return Row(number, at, until, rows, body)


def _readable(path: Path, query: str) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            for line in db.execute(query):
                found.append(line)  # noqa: PERF402 - what came before the damage must be kept
    except sqlite3.Error:
        pass  # the damage: nothing more this way
    return found
