"""The table of records, the same in both lanes: appended in order, read by number, summed without a scan."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

from gateway.store.book import Sum
from gateway.store.records import Damaged, place, row_id

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from gateway.store.ranges import Range

# `records`, `rows` and `size` are running totals, this row included: the sum of any stretch is the
# difference of its two ends. `body` stands last, so that looking at the others reads one page.
SCHEMA = """CREATE TABLE records (
    id INTEGER PRIMARY KEY, at INTEGER NOT NULL, until INTEGER NOT NULL, count INTEGER NOT NULL,
    records INTEGER NOT NULL, rows INTEGER NOT NULL, size INTEGER NOT NULL,
    crc INTEGER NOT NULL, body BLOB NOT NULL)"""
_INSERT = "INSERT OR IGNORE INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_FIRST = (
    "SELECT records - 1, rows - count, size - length(body), at FROM records WHERE id >= ? ORDER BY id LIMIT 1"
)
_LAST = "SELECT records, rows, size, until FROM records WHERE id <= ? ORDER BY id DESC LIMIT 1"
_READ = "SELECT id, at, until, count, crc, body FROM records WHERE id BETWEEN ? AND ? ORDER BY id"


class Row(NamedTuple):
    """One record as it lies in a file."""

    number: int
    at: int
    until: int
    rows: int  # events (1) or lines
    body: bytes

    @property
    def sum(self) -> Sum:
        """What this record adds to its lane."""
        return Sum(1, self.rows, len(self.body))


def check_sum(number: int, at: int, until: int, rows: int, body: bytes) -> int:
    """Return what tells a record that is as it was written from one that is not."""
    return zlib.crc32(body, zlib.crc32(b"%d,%d,%d,%d" % (number, at, until, rows)))


def _sum(values: Sequence[object]) -> Sum:
    """Return running totals, which in a damaged file may be anything."""
    records, rows, size = values
    if not (isinstance(records, int) and isinstance(rows, int) and isinstance(size, int)):
        raise Damaged(f"running totals {values}")
    return Sum(records, rows, size)


def totals(db: sqlite3.Connection) -> Sum:
    """Return the running totals at the end of the table."""
    found = db.execute(_LAST, (1 << 62,)).fetchone()
    return _sum(found[:3]) if found else Sum()


def last(db: sqlite3.Connection) -> int:
    """Return the highest number; 0 for an empty table."""
    return _one(db, "SELECT max(id) FROM records WHERE id > ?", 0)


def append(db: sqlite3.Connection, rows: Iterable[Row], total: Sum | None = None) -> tuple[list[Row], Sum]:
    """Add rows at the end, inside the caller's transaction; return those that were not there already.

    `total`: the running totals at the end, where the caller knows them; what they are now is returned.
    """
    total, fresh = totals(db) if total is None else total, []
    for row in rows:
        body = row.body
        grown = total.plus(row.sum)
        crc = check_sum(row.number, row.at, row.until, row.rows, body)
        values = (row.number, row.at, row.until, row.rows, *grown, crc, body)
        if db.execute(_INSERT, values).rowcount:
            total = grown
            fresh.append(row)
    return fresh, total


def row_of(line: Sequence[Any]) -> Row:
    """Return (id, at, until, count, crc, body) as a row. Raises Damaged when it is not as it was written."""
    number, at, until, rows, crc, body = line
    if not isinstance(body, bytes) or not all(isinstance(n, int) for n in (number, at, until, rows)):
        raise Damaged(f"record {number}: not of the types that were written")
    if check_sum(number, at, until, rows, body) != crc:
        raise Damaged(f"record {place(number)}: wrong check sum")
    return Row(number, at, until, rows, body)


def read(
    db: sqlite3.Connection,
    first: int,
    last: int,
    limit: int,
    size: int = 1 << 62,
    *,
    newest_first: bool = False,
) -> list[Row]:
    """Return at most `limit` rows of `first..last`, at least one if there is one, about `size` bytes.

    Raises Damaged at a record that is not as it was written.
    """
    found: list[Row] = []
    cursor = db.execute(_READ + (" DESC" if newest_first else ""), (first, last))
    for line in cursor:
        row = row_of(line)
        found.append(row)
        size -= len(row.body)
        if len(found) >= limit or size <= 0:
            break
    cursor.close()  # else an open read keeps the log from being folded back
    return found


def measure(db: sqlite3.Connection, first: int, last: int) -> Sum:
    """Return how much `first..last` holds, from its two ends."""
    low = db.execute(_FIRST, (first,)).fetchone()
    high = db.execute(_LAST, (last,)).fetchone()
    if low is None or high is None:
        return Sum()
    return _sum(high[:3]).minus(_sum(low[:3]))


def time_of(db: sqlite3.Connection, number: int) -> int | None:
    """Return the time of a record, None if it is not there."""
    found = db.execute("SELECT at FROM records WHERE id = ?", (number,)).fetchone()
    return found[0] if found else None


def until_of(db: sqlite3.Connection, number: int) -> int:
    """Return the time of the latest line of a record."""
    found = db.execute("SELECT until FROM records WHERE id = ?", (number,)).fetchone()
    return found[0] if found else 0


def spans(db: sqlite3.Connection) -> list[Range]:
    """Return first and last of every unbroken run, O(runs) look-ups: a table of one epoch takes three.

    Raises Damaged where the record after a hole is not as it was written: it may be the only one that is
    wrong, under a number that makes it look as if a milliard others were gone.
    """
    found: list[Range] = []
    number = 0
    while first := _one(db, "SELECT min(id) FROM records WHERE id > ?", number):
        end = row_id(place(first)[0] + 1, 0)
        last = _one(db, "SELECT max(id) FROM records WHERE id < ?", end)
        if not number < first <= last:
            raise Damaged(f"numbers out of order after {place(number)}")
        runs = _runs(db, first, last)
        for after_hole, _ in runs[1:]:
            read(db, after_hole, after_hole, 1)
        found += runs
        number = last
    return found


def _runs(db: sqlite3.Connection, first: int, last: int) -> list[Range]:
    """Split one epoch's stretch at the holes that a loss left in it, by halving.

    Each step begins and ends at a number that is there: in a damaged file the totals may claim anything, and
    a hole of a milliard numbers would be halved down to each of them.
    """
    first = _one(db, "SELECT min(id) FROM records WHERE id >= ?", first)
    last = _one(db, "SELECT max(id) FROM records WHERE id <= ?", last)
    if not 0 < first <= last:
        return []
    if first == last or measure(db, first, last).records == last - first + 1:
        return [(first, last)]
    middle = (first + last) // 2
    parts = _runs(db, first, middle) + _runs(db, middle + 1, last)
    joined: list[Range] = []
    for a, b in parts:
        if joined and joined[-1][1] + 1 == a:
            joined[-1] = (joined[-1][0], b)
        else:
            joined.append((a, b))
    return joined


def _one(db: sqlite3.Connection, query: str, value: int) -> int:
    found = db.execute(query, (value,)).fetchone()
    return found[0] or 0
