"""Lines that were refused, with the reason and whose they are: set aside so that the rest flows."""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.ingest.answers import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

MOST = 200_000  # lines kept; beyond it the oldest go

_SCHEMA = """
CREATE TABLE IF NOT EXISTS refused (
  id TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, source TEXT NOT NULL, epoch INTEGER, seq INTEGER,
  reason TEXT NOT NULL, line BLOB NOT NULL)
"""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One line that nobody takes."""

    line: bytes
    reason: str
    source: str  # site/gateway/lane, or the topic where that is not known
    epoch: int = 0
    seq: int = 0

    @property
    def id(self) -> str:
        """The same line of the same record is set aside once, however often it is delivered."""
        place = f"{self.source} {self.epoch} {self.seq} ".encode()
        return hashlib.blake2b(place + self.line, digest_size=16).hexdigest()


class Quarantine:
    """A small SQLite file; may be shared by workers. Used by one thread at a time."""

    def __init__(self, path: Path, most: int = MOST) -> None:
        self._path, self._most = path, most
        self._db: sqlite3.Connection | None = None

    def keep(self, refusals: Iterable[Refusal], at: int) -> None:
        """Set lines aside; on disk when it returns. Raises Unavailable when they cannot be kept."""
        rows = [(r.id, at, r.source, r.epoch, r.seq, r.reason, r.line) for r in refusals]
        if not rows:
            return
        try:
            db = self._db or self._open()
            with db:
                db.executemany("INSERT OR IGNORE INTO refused VALUES (?,?,?,?,?,?,?)", rows)
                db.execute(
                    "DELETE FROM refused WHERE rowid <= (SELECT max(rowid) FROM refused) - ?", (self._most,)
                )
        except (sqlite3.OperationalError, OSError) as error:
            raise Unavailable(f"quarantine {self._path}: {error}") from error

    def _open(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(self._path, timeout=10.0, check_same_thread=False)
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")  # the receipt that follows makes this the only copy
        db.execute(_SCHEMA)
        self._db = db
        return db

    def close(self) -> None:
        """Close the file."""
        if self._db:
            self._db.close()
            self._db = None
