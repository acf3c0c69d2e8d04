"""The audit as others read and prove it: in a running gateway's folder, or in a copy of it. Read-only."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.store.chain import GENESIS, HEAD, Head, canonical, link
from gateway.store.files import connect_reader, copy_into
from gateway.store.records import StoreError, place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MOST_PROBLEMS = 100  # told one by one; more are only counted
_ENTRIES = """SELECT a.n, a.at, a.record, a.body, a.hash, r.body, r.at
    FROM audit a LEFT JOIN records r ON r.id = a.record WHERE a.n > ? ORDER BY a.n LIMIT ?"""
_NEWEST = "SELECT min(n) FROM (SELECT n FROM audit ORDER BY n DESC LIMIT ?)"
_UNCHAINED = """SELECT r.id FROM records r LEFT JOIN audit a ON a.record = r.id
    WHERE a.n IS NULL AND r.id > ? ORDER BY r.id LIMIT ?"""
_OLDER = "SELECT count(*) FROM records WHERE id < ?"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the audit."""

    n: int
    at: int
    record: int | None  # number of the event's record
    body: bytes | None  # None: the record it points at is gone
    hash: bytes

    def to_json(self) -> dict[str, Any]:
        """Return it for people and programs; `hash` proves the rest of the line, see `proven`."""
        where = None if self.record is None else list(place(self.record))
        told = json.loads(self.body or b"null")
        return {"n": self.n, "at": self.at, "record": where, "entry": told, "hash": self.hash.hex()}


@dataclass(slots=True)
class Proof:
    """What a walk through the chain found."""

    entries: int = 0
    first: int = 0
    head: Head = field(default_factory=Head)
    unchained: int = 0  # records from before there was a chain
    damaged: int = 0  # files that were set aside as damaged: what they took along is missing for a reason
    found: int = 0  # problems in all
    problems: list[tuple[int, str, str]] = field(default_factory=list)  # entry, in Chinese, in English

    @property
    def whole(self) -> bool:
        """Whether nothing was changed, taken out or moved."""
        return not self.found

    def blame(self, n: int, zh: str, en: str) -> None:
        """Note a problem at an entry."""
        self.found += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append((n, zh, en))

    def to_json(self) -> dict[str, Any]:
        """Return it for people and programs."""
        return {
            "whole": self.whole,
            "entries": self.entries,
            "first": self.first,
            "head": self.head.text,
            "unchained": self.unchained,
            "damaged": self.damaged,
            "found": self.found,
            "problems": [{"n": n, "zh": zh, "en": en} for n, zh, en in self.problems],
        }


@contextmanager
def opened(folder: Path) -> Iterator[sqlite3.Connection]:
    """Open the alarms file of a data folder for reading. Raises StoreError.

    A copy may lie on a medium that cannot be written, where SQLite cannot open a file with its log beside it:
    then a copy of the copy is read.
    """
    path = folder / "alarms.db"
    if not path.is_file():
        raise StoreError(f"{path}: not there")
    try:
        with closing(connect_reader(path)) as db:
            db.execute("SELECT 1 FROM audit LIMIT 1").fetchone()
            yield db
            return
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            raise StoreError(f"{path}: has no audit chain: {error}") from error
        if "unable to open" not in str(error) and "readonly" not in str(error):
            raise StoreError(f"{path}: {error}") from error
    except sqlite3.DatabaseError as error:
        raise StoreError(f"{path}: {error}") from error
    with (
        tempfile.TemporaryDirectory() as room,
        closing(connect_reader(copy_into(Path(room), path))) as db,
    ):
        yield db


def entries(db: sqlite3.Connection, after: int, limit: int) -> Iterator[Entry]:
    """Yield entries above a number, oldest first."""
    for n, at, record, body, digest, event, _ in db.execute(_ENTRIES, (after, limit)):
        yield Entry(n, at, record, body if record is None else event, digest)


def newest(db: sqlite3.Connection, count: int) -> int:
    """Return the number before the newest `count` entries."""
    found = db.execute(_NEWEST, (count,)).fetchone()[0]
    return (found or 1) - 1


def prove(db: sqlite3.Connection, heads: Iterable[Head] = ()) -> Proof:
    """Walk through the whole chain; `heads` are published ones that it must contain."""
    proof = Proof()
    wanted = {head.n: head for head in heads}
    if (kept := db.execute("SELECT value FROM small WHERE key = ?", (HEAD,)).fetchone()) is not None:
        try:
            head = Head.of(kept[0])
        except ValueError:
            proof.blame(0, "链头记录损坏", "the note of the head is damaged")
        else:
            wanted.setdefault(head.n, head)
    last, first = _walk(db, proof, wanted)
    for head in wanted.values():
        if head.n > proof.head.n:
            proof.blame(
                head.n,
                f"缺少第 {proof.head.n + 1} 至 {head.n} 条",
                f"entries {proof.head.n + 1} to {head.n} are missing",
            )
    _stray(db, proof, first, last)
    return proof


def _walk(db: sqlite3.Connection, proof: Proof, wanted: dict[int, Head]) -> tuple[int, int | None]:
    """Check every entry; return the last record of the chain and its first."""
    before, n, last, first = GENESIS, 0, 0, None
    for number, at, record, own, digest, event, event_at in db.execute(_ENTRIES, (-1, -1)):
        if not proof.entries:
            proof.first = number
            n, before = number - 1, _anchor(db, number, proof)
        if number != n + 1:
            proof.blame(
                number, f"缺少第 {n + 1} 至 {number - 1} 条", f"entries {n + 1} to {number - 1} are missing"
            )
        kept = (own, at, digest) if record is None else (event, event_at, digest)
        if record is None:
            proof.damaged += _said(own).get("type") == "damaged"
        else:
            first = record if first is None else first
            if record <= last:
                proof.blame(number, "事件次序被改动", "its event is out of order")
            last = max(last, record)
        if fault := _fault(before, (number, at, record), kept):
            proof.blame(number, *fault)
        if number in wanted and wanted[number].hash != digest:
            proof.blame(number, "与已公布的链头不符", "is not the head that was published")
        n, before = number, digest
        proof.entries += 1
    proof.head = Head(n, before)
    return last, first


def _fault(
    before: bytes, entry: tuple[int, int, int | None], kept: tuple[object, object, object]
) -> tuple[str, str] | None:
    """Return what is wrong with an entry (n, at, record) for what is kept of it (body, time, hash)."""
    n, at, record = entry
    body, body_at, digest = kept
    if body is None:
        return "事件记录已被删除", "the record of its event is gone"
    if body_at != at:
        return "事件时间被改动", "the time of its event was changed"
    if not isinstance(body, bytes) or link(before, canonical(n, at, record, body)) != digest:
        return "内容与哈希不符", "is not what was written: its hash does not fit"
    return None


def _anchor(db: sqlite3.Connection, first: int, proof: Proof) -> bytes:
    """Return the hash before the first entry that is left: the marker of retention says it."""
    if first == 1:
        return GENESIS
    for (body,) in db.execute("SELECT body FROM audit WHERE record IS NULL ORDER BY n DESC"):
        said = _said(body)
        if said.get("type") == "pruned" and said.get("upto") == first - 1:
            try:
                return bytes.fromhex(said["hash"])
            except (KeyError, TypeError, ValueError):
                break
    proof.blame(
        first,
        f"第 1 至 {first - 1} 条缺失，且无清理标记",
        f"entries 1 to {first - 1} are gone, and no marker of retention says so",
    )
    return GENESIS


def _stray(db: sqlite3.Connection, proof: Proof, first: int | None, last: int) -> None:
    """Look for events that no entry points at."""
    if first is None:
        proof.unchained = db.execute("SELECT count(*) FROM records").fetchone()[0]
        return
    proof.unchained = db.execute(_OLDER, (first,)).fetchone()[0]
    for (record,) in db.execute(_UNCHAINED, (first, MOST_PROBLEMS)):
        epoch, seq = place(record)
        where = "after the end" if record > last else "in between"
        proof.blame(
            0, f"事件 ({epoch}, {seq}) 不在链中", f"event ({epoch}, {seq}) is not in the chain, {where}"
        )


def _said(body: object) -> dict[str, Any]:
    try:
        said = json.loads(body) if isinstance(body, bytes) else None
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
