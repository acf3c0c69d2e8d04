"""alarms.db: events, alarm states, positions of links, gaps, small values. Lives in the store's thread."""

from __future__ import annotations

import json
import zlib
from contextlib import ExitStack
from typing import TYPE_CHECKING, Literal

from gateway.store import chain, salvage, table
from gateway.store.book import Position, Sum
from gateway.store.files import connect, make, set_aside, told_apart, transaction
from gateway.store.records import Damaged, DiskRefused, Gap, Lane

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping
    from pathlib import Path


Key = tuple[str, ...]
"""(device, rule): whose alarm state it is."""

_SCHEMA = (
    table.SCHEMA,
    chain.SCHEMA,
    "CREATE TABLE states (key TEXT PRIMARY KEY, value TEXT NOT NULL, crc INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE small (key TEXT PRIMARY KEY, value TEXT NOT NULL, crc INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE positions (key TEXT PRIMARY KEY, value TEXT NOT NULL, crc INTEGER NOT NULL) WITHOUT ROWID",
    """CREATE TABLE gaps (
    n INTEGER PRIMARY KEY, lane TEXT NOT NULL, epoch INTEGER NOT NULL, first INTEGER NOT NULL,
    last INTEGER NOT NULL, records INTEGER NOT NULL, rows INTEGER NOT NULL, reason TEXT NOT NULL,
    at INTEGER NOT NULL, crc INTEGER NOT NULL)""",
)
_TABLES = {"states": 3, "small": 3, "positions": 3, "gaps": 10, "audit": 5}
Lines = Literal["states", "small", "positions"]
"""Tables of keys and values, each line with a check sum: one bit is an alarm forgotten, or one confirmed."""
_FOLD_AFTER = 10  # transactions, of some 25 that fit into the log: folding it back is not left to an alarm
_CHECK_BELOW = 16 << 20  # bytes: a file up to this size is checked whole at the start (30 ms here)


class AlarmFile:
    """The file that no promise can do without. A damaged one is set aside and what it still holds is saved.

    Every method raises DiskRefused or Damaged, and after either the file stands as before the call.
    """

    def __init__(self, path: Path, synchronous: str = "FULL") -> None:
        self.path = path
        self._synchronous = synchronous
        self._db: sqlite3.Connection | None = None
        self._unfolded = 0  # transactions since the log was folded back
        # As they are on disk; nobody else writes there, so they need not be looked up for each alarm.
        self.head = chain.Head()  # of the audit
        self._total = Sum()  # of the records

    @property
    def db(self) -> sqlite3.Connection:
        """The open file."""
        if self._db is None:
            raise DiskRefused(f"{self.path.name}: not open")
        return self._db

    @property
    def closed(self) -> bool:
        """Whether there is no open file, because the disk refused it."""
        return self._db is None

    def open(self) -> None:
        """Open the file, making what is not there yet."""
        self.close()
        with told_apart(self.path), ExitStack() as undo:
            if not self.path.exists():
                make(self.path, _SCHEMA)
            self._db = connect(self.path, self._synchronous)
            undo.callback(self.close)
            if self.path.stat().st_size <= _CHECK_BELOW:
                self._check(self._db)
            self._db.execute(chain.SCHEMA)  # a file from before there was an audit
            self.learn()
            undo.pop_all()

    def learn(self) -> None:
        """Take in how the tables end."""
        with told_apart(self.path):
            self.head, self._total = chain.head(self.db), table.totals(self.db)

    def _check(self, db: sqlite3.Connection) -> None:
        found = db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise Damaged(f"{self.path.name}: {found}")

    def reborn(self) -> AlarmFile:
        """Return the same file, opened anew."""
        file = AlarmFile(self.path, self._synchronous)
        file.open()
        return file

    def close(self) -> None:
        """Let go of the file."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def write(
        self,
        rows: Iterable[table.Row] = (),
        states: Mapping[Key, str | None] | None = None,
        gaps: Iterable[Gap] = (),
        small: Mapping[str, str | None] | None = None,
        positions: Mapping[tuple[str, Lane], Position] | None = None,
        deeds: Iterable[chain.Deed] = (),
    ) -> None:
        """Put all of this on disk in one transaction, or none of it."""
        with told_apart(self.path), transaction(self.db):
            fresh, total = table.append(self.db, rows, self._total)
            deeds = tuple(deeds)
            head = chain.append(self.db, self.head, fresh, deeds) if fresh or deeds else self.head
            for key, state in (states or {}).items():
                self._put("states", json.dumps(key), state)
            for name, value in (small or {}).items():
                self._put("small", name, value)
            for gap in map(_fields, gaps):
                line = (*gap, _check_sum(*gap))
                self.db.execute("INSERT INTO gaps VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)", line)
            for place, position in (positions or {}).items():
                self._put("positions", json.dumps(place), json.dumps(position))
        self.head, self._total = head, total  # only now is it on disk
        self._unfolded += 1

    def fold(self) -> None:
        """Fold the log back into the file when there is much in it: two more syncs, while nobody waits.

        Left to itself SQLite does it within the commit that finds the log full, and that is an alarm's.
        """
        if self._db is None or self._unfolded < _FOLD_AFTER:
            return
        self._unfolded = 0
        with ExitStack() as undo:
            undo.callback(self.close)  # after a failed fsync only a file opened anew is to be trusted
            with told_apart(self.path):
                self._db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            undo.pop_all()

    def _put(self, where: Lines, key: str, value: str | None) -> None:
        if value is None:
            self.db.execute(f"DELETE FROM {where} WHERE key = ?", (key,))  # noqa: S608 - one of our own names
        else:
            line = (key, value, _check_sum(key, value))
            self.db.execute(f"INSERT OR REPLACE INTO {where} VALUES (?, ?, ?)", line)  # noqa: S608 - as above

    def lines(self, where: Lines) -> tuple[dict[str, str], list[str]]:
        """Return the values by their keys, and the keys of those that are not as they were written."""
        with told_apart(self.path):
            found = self.db.execute(f"SELECT key, value, crc FROM {where}").fetchall()  # noqa: S608 - as above
        whole = {key: value for key, value, crc in found if crc == _check_sum(key, value)}
        return whole, [key for key, _, _ in found if key not in whole]

    def drop(self, where: Lines, keys: Iterable[str]) -> None:
        """Take out lines that are not as they were written."""
        with told_apart(self.path), transaction(self.db):
            for key in keys:
                self._put(where, key, None)

    def gaps(self, limit: int) -> list[Gap]:
        """Return the newest gap records that are as they were written, newest first."""
        fields = "lane, epoch, first, last, records, rows, reason, at, crc"
        with told_apart(self.path):
            query = f"SELECT {fields} FROM gaps ORDER BY n DESC LIMIT ?"  # noqa: S608 - two lines up
            found = self.db.execute(query, (limit,)).fetchall()
        return [Gap(Lane(row[0]), *row[1:-1]) for row in found if row[-1] == _check_sum(*row[:-1])]

    def old(self, before: int, limit: int) -> int:
        """Return the number of the last of the first `limit` events that are all older than `before`."""
        query = "SELECT id, at FROM records ORDER BY id LIMIT ?"
        last = 0
        with told_apart(self.path):
            for number, at in self.db.execute(query, (limit,)).fetchall():
                if at >= before:
                    break
                last = number
        return last

    def prune(self, last: int, marker: str, before: int, at: int) -> int:
        """Delete the events up to `last` and write down that it was done; return how many went."""
        with told_apart(self.path), transaction(self.db):
            gone = self.db.execute("DELETE FROM records WHERE id <= ?", (last,)).rowcount
            head = chain.cut(self.db, last, before, at) or self.head
            self._put("small", "pruned", marker)
            self._put("small", chain.HEAD, head.text)
        self.learn()
        return gone


def _fields(gap: Gap) -> tuple[str | int, ...]:
    return (gap.lane.value, gap.epoch, gap.first, gap.last, gap.records, gap.rows, gap.reason, gap.at)


def _check_sum(*values: object) -> int:
    """Return the check sum of what is read; a damaged line may hold anything, of any type."""
    return zlib.crc32(repr(values).encode())


def rescue(damaged: AlarmFile, epoch: int) -> tuple[AlarmFile, Path, int]:
    """Set a damaged alarms.db aside and open a fresh one with all that can still be read.

    Returns the file, the name of the damaged one, and how many records were saved.
    """
    with told_apart(damaged.path):
        bad = set_aside(damaged.path, epoch)
    fresh = damaged.reborn()
    with told_apart(bad):
        rows = salvage.records(bad)
        others = {name: salvage.lines(bad, name, width) for name, width in _TABLES.items()}
        others["audit"] = [line for line in others["audit"] if chain.is_head(line[0], line[-1])]
    with told_apart(fresh.path), transaction(fresh.db):
        table.append(fresh.db, rows)
        for name, lines in others.items():
            marks = ", ".join("?" * _TABLES[name])
            fresh.db.executemany(f"INSERT OR IGNORE INTO {name} VALUES ({marks})", lines)  # noqa: S608 - our names
    fresh.learn()
    return fresh, bad, len(rows)
