"""What a damaged file still gives: from the front up to the damage, then from the back."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

from gateway.store.records import Damaged
from gateway.store.table import Row, row_of

if TYPE_CHECKING:
    from pathlib import Path

_FIELDS = "SELECT id, at, until, count, crc, body FROM records ORDER BY id"


def lines(path: Path, table: str, width: int) -> list[tuple[Any, ...]]:
    """Return the readable lines of one of our tables, which has so many columns."""
    found = _readable(path, f"SELECT * FROM {table}")  # noqa: S608 - the caller's own names
    return [line for line in found if len(line) == width]


def records(path: Path) -> list[Row]:
    """Return the readable records, in order, those whose check sum holds."""
    found: dict[int, Row] = {}
    for query in (_FIELDS, f"{_FIELDS} DESC"):
        for line in _readable(path, query):
            try:
                row = row_of(line)
            except Damaged:
                continue
            found[row.number] = row
    return [found[number] for number in sorted(found)]


def _readable(path: Path, query: str) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            for line in db.execute(query):
                found.append(line)  # noqa: PERF402 - what came before the damage must be kept
    except (sqlite3.Error, UnicodeDecodeError):
        pass  # the damage: nothing more this way
    return found
