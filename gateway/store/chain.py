"""The audit chain: every event and every deed of people, each bound to all before it (alarms.md 8).

    hash(n) = sha256(hash(n - 1) || canonical(n)),     hash(0) = 32 zero bytes
    canonical = {"n":7,"at":1790000000000000000,"record":[3,12],"entry":{...}}

An event is not kept twice: its entry only points at its record of the alarm lane, `record`, and `entry` is
the body of that record, byte for byte as it was written; for a deed `record` is null, the body lies here. So
nothing in a line of either table can be changed, taken out or moved without breaking every hash after it. A
whole new chain can be forged by who owns the disk; it then ends in another head than the one that was told.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from gateway.store.records import Damaged, place

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from gateway.store.table import Row

SCHEMA = """CREATE TABLE IF NOT EXISTS audit (
    n INTEGER PRIMARY KEY, at INTEGER NOT NULL, record INTEGER, body BLOB, hash BLOB NOT NULL)"""
HEAD = "audit.head"  # the small value that repeats the head, so that a lost end shows
GENESIS = bytes(32)
_LAST = "SELECT n, hash FROM audit ORDER BY n DESC LIMIT 1"
_INSERT = "INSERT INTO audit VALUES (?, ?, ?, ?, ?)"


class Head(NamedTuple):
    """The newest entry of the chain; n is 0 before the first."""

    n: int = 0
    hash: bytes = GENESIS

    @property
    def text(self) -> str:
        """As it is published: `7:9f86d0...`."""
        return f"{self.n}:{self.hash.hex()}"

    @staticmethod
    def of(text: str) -> Head:
        """Return the head that was published so. Raises ValueError."""
        n, _, digits = text.partition(":")
        head = Head(int(n), bytes.fromhex(digits))
        if len(head.hash) != len(GENESIS) or head.n < 0:
            raise ValueError(f"{text!r}: wanted NUMBER:HASH, 64 hex digits")
        return head


class Deed(NamedTuple):
    """An entry that is no event: what a person did or was refused, what retention took."""

    after: int  # number of the last event before it
    at: int  # wall nanoseconds
    body: bytes  # JSON


def canonical(n: int, at: int, record: int | None, body: bytes) -> bytes:
    """Return the JSON that is hashed."""
    where = b"null" if record is None else b"[%d,%d]" % place(record)
    return b'{"n":%d,"at":%d,"record":%s,"entry":%s}' % (n, at, where, body)


def link(before: bytes, text: bytes) -> bytes:
    """Return the hash of an entry, from the one before it and its canonical JSON."""
    return sha256(before + text).digest()


def head(db: sqlite3.Connection) -> Head:
    """Return the newest entry. Raises Damaged when it is none."""
    found = db.execute(_LAST).fetchone()
    if found is None:
        return Head()
    if not is_head(*found):
        raise Damaged(f"audit: the newest entry is none: {found[0]!r}")
    return Head(*found)


def is_head(n: object, digest: object) -> bool:
    """Return whether an entry can be one, by its number and its hash."""
    return isinstance(n, int) and isinstance(digest, bytes) and len(digest) == len(GENESIS)


def append(db: sqlite3.Connection, after: Head, rows: Sequence[Row], deeds: Iterable[Deed]) -> Head:
    """Chain new records and deeds in their order, inside the caller's transaction; return the new head."""
    n, before = after
    lines = []
    for at, record, body in _in_order(rows, deeds):
        n += 1
        before = link(before, canonical(n, at, record, body))
        lines.append((n, at, record, body if record is None else None, before))
    db.executemany(_INSERT, lines)
    return Head(n, before)


def _in_order(rows: Sequence[Row], deeds: Iterable[Deed]) -> list[tuple[int, int | None, bytes]]:
    """Return (at, record, body), a deed before the events that came of it."""
    both = [(deed.after, 1, deed.at, None, deed.body) for deed in deeds]
    events = [(row.number, 0, row.at, row.number, row.body) for row in rows]
    return [found[2:] for found in sorted([*both, *events], key=lambda found: found[:2])]


def cut(db: sqlite3.Connection, last: int, before: int, at: int) -> Head | None:
    """Take out the entries of the records up to `last`, and write down that and where the chain was cut.

    The deeds between them go with them. None when no such record is in the chain.
    """
    end, gone = Head(), 0
    walk = db.execute("SELECT n, record, hash FROM audit ORDER BY n")
    for n, record, digest in walk:
        if record is None:
            continue
        if record > last:
            break
        end, gone = Head(n, digest), gone + 1
    walk.close()
    if not gone:
        return None
    db.execute("DELETE FROM audit WHERE n <= ?", (end.n,))
    marker = {"type": "pruned", "upto": end.n, "hash": end.hash.hex(), "records": gone, "before": before}
    return append(db, head(db), (), [Deed(last, at, compact(marker))])


def damaged(file: str, saved: int) -> bytes:
    """Return the marker of a file that was set aside: what it took along is missing for a reason."""
    return compact({"type": "damaged", "file": file, "saved": saved})


def compact(data: Any) -> bytes:  # noqa: ANN401 - JSON
    """Return JSON as it goes into the chain."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode(
        errors="replace"
    )
