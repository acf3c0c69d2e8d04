"""One file of telemetry, `telemetry-NNNNNN.db`: filled, sealed, read, unlinked whole. Store's thread."""

from __future__ import annotations

from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING

from gateway.store import table
from gateway.store.book import Sum
from gateway.store.files import FOLD, connect, connect_reader, make, seal, told_apart, transaction
from gateway.store.records import Damaged

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from gateway.store.ranges import Range


# A record is a few KiB and is written twice, to the log and to the file: with small pages less of that is
# the rest of a half-filled page. 200 lines a group cost 58 bytes a line, with pages of 4096 bytes 104.
_PAGE = 1024
_CACHE = 128  # KiB: it is only appended to; the default fills up within the first quarter of an hour


class Segment:
    """A file that is either being filled (has a connection) or sealed (opened for each look)."""

    def __init__(self, path: Path, synchronous: str = "FULL", fold: int = FOLD) -> None:
        self.path = path
        self._fold = fold
        self.number = int(path.stem.rpartition("-")[2])
        self._synchronous = synchronous
        self._db: sqlite3.Connection | None = None
        self.spans: list[Range] = []
        self.sum = Sum()
        self.since = 0  # wall ns of its earliest line
        self.until = 0  # and of its latest
        self.bytes = 0

    @property
    def first(self) -> int:
        """The lowest number in it; 0 when it is empty."""
        return self.spans[0][0] if self.spans else 0

    @property
    def last(self) -> int:
        """The highest number in it; 0 when it is empty."""
        return self.spans[-1][1] if self.spans else 0

    def survey(self) -> None:
        """Learn what is in it: a few look-ups, however large it is."""
        with self._looking() as db:
            self.spans = table.spans(db)
            self.sum = table.totals(db)
            seen = sum(last - first + 1 for first, last in self.spans)
            if seen != self.sum.records:
                raise Damaged(f"{self.path.name}: {seen} records where {self.sum.records} were written")
            if self.spans:
                for end in (
                    self.first,
                    self.last,
                ):  # their numbers decide the next epoch: believed only if whole
                    table.read(db, end, end, 1)
                self.since = table.time_of(db, self.first) or 0
                self.until = table.until_of(db, self.last)
        self.weigh()

    def weigh(self) -> None:
        """Learn how much of the disk it takes."""
        with told_apart(self.path):
            self.bytes = sum(p.stat().st_size for p in (self.path, self._log) if p.exists())

    @property
    def _log(self) -> Path:
        return self.path.with_name(self.path.name + "-wal")

    def open(self) -> None:
        """Open it for filling."""
        with told_apart(self.path):
            if not self.path.exists():
                make(self.path, [table.SCHEMA], _PAGE)
            self._db = connect(self.path, self._synchronous, _PAGE, self._fold, _CACHE)

    def sound(self) -> bool:
        """Look through all of it. Only for small files: it reads every page."""
        with self._looking() as db:
            return bool(db.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")

    def append(self, rows: Sequence[table.Row]) -> None:
        """Put records on disk, in one transaction."""
        if self._db is None:
            self.open()
        db = self._db
        assert db is not None
        with ExitStack() as undo:
            undo.callback(self.close)  # after a failed fsync only a file opened anew is to be trusted
            with told_apart(self.path), transaction(db):
                table.append(db, rows)
            undo.pop_all()
        for row in rows:
            self._grown(row)
        self.weigh()

    def _grown(self, row: table.Row) -> None:
        if self.spans and self.spans[-1][1] + 1 == row.number:
            self.spans[-1] = (self.spans[-1][0], row.number)
        else:
            self.spans.append((row.number, row.number))
        self.sum = self.sum.plus(row.sum)
        self.since = min(self.since or row.at, row.at)
        self.until = max(self.until, row.until)

    def seal(self) -> None:
        """Close it for good."""
        if self._db is not None:
            seal(self._db)
            self._db = None

    def close(self) -> None:
        """Let go of the file; it may be opened again."""
        if self._db is not None:
            self._db.close()
            self._db = None

    @contextmanager
    def _looking(self) -> Iterator[sqlite3.Connection]:
        with told_apart(self.path):
            if self._db is not None:
                yield self._db
                return
            with closing(connect_reader(self.path)) as db:
                yield db

    def read(
        self, first: int, last: int, limit: int, size: int, *, newest_first: bool = False
    ) -> list[table.Row]:
        """Return rows of `first..last`."""
        with self._looking() as db:
            return table.read(db, first, last, limit, size, newest_first=newest_first)

    def measure(self, first: int, last: int) -> Sum:
        """Return how much `first..last` holds here."""
        if first <= self.first and self.last <= last:
            return self.sum
        with self._looking() as db:
            return table.measure(db, first, last)

    def time_of(self, number: int) -> int | None:
        """Return the time of a record."""
        with self._looking() as db:
            return table.time_of(db, number)
