"""SQLite files that promise something: opened the same way, synced, private, set aside when damaged."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gateway.store.records import Damaged, DiskRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

SIDES = ("-wal", "-shm", "-journal")
_DAMAGE = {
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_FORMAT,
    sqlite3.SQLITE_SCHEMA,
    sqlite3.SQLITE_ERROR,  # "no such table": our statements do not change, so the file's schema has
}
# INTERNAL, MISUSE and the like stay what they are: bugs.
_REFUSAL = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PROTOCOL,
}
FOLD = 1 << 20  # bytes of log that are folded back into the file at once: it grows by as much in one go


@contextmanager
def told_apart(path: Path) -> Iterator[None]:
    """Turn what SQLite and the system raise into DiskRefused or Damaged; let bugs through."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", -1)
        undecodable = code == -1 and isinstance(error, sqlite3.OperationalError)  # a text that is not UTF-8
        code &= 0xFF  # the low byte of an extended code
        if code in _DAMAGE or undecodable:
            raise Damaged(f"{path.name}: {error}") from error
        if code in _REFUSAL:
            raise DiskRefused(f"{path.name}: {error}") from error
        raise
    except UnicodeDecodeError as error:  # the text of an error message that quotes a damaged schema
        raise Damaged(f"{path.name}: {error}") from error
    except OSError as error:
        raise DiskRefused(f"{path.name}: {error}") from error


def connect(
    path: Path, synchronous: str = "FULL", page: int = 4096, fold: int = FOLD, cache: int = 1024
) -> sqlite3.Connection:
    """Open a file for writing: WAL, each commit on the disk before it returns, mode 0600.

    The umask is not touched: the file is made private before SQLite sees it, and SQLite gives
    `-wal` and `-shm` the mode of the file itself. `page` must be that of the file; `cache` is in KiB.
    """
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    db = sqlite3.connect(path, isolation_level=None, timeout=5.0, check_same_thread=False)
    try:
        db.execute(f"PRAGMA page_size={page}")
        db.execute("PRAGMA journal_mode=WAL")
        db.execute(f"PRAGMA wal_autocheckpoint={fold // page}")
        db.execute(f"PRAGMA synchronous={synchronous}")
        db.execute(f"PRAGMA cache_size=-{cache}")
        db.execute(f"PRAGMA journal_size_limit={fold}")
    except sqlite3.Error:
        db.close()
        raise
    return db


def make(path: Path, schema: Iterable[str], page: int = 4096) -> None:
    """Make a database with its tables, whole or not at all.

    It gets its name only when it is finished and on disk: so a file without tables is one that was
    damaged, and never one that was just being made when the power went.
    """
    fresh = path.with_name(path.name + ".new")
    for side in ("", *SIDES):
        path.with_name(fresh.name + side).unlink(missing_ok=True)
    db = connect(fresh, page=page)
    try:
        with transaction(db):
            for statement in schema:
                db.execute(statement)
    finally:
        db.close()  # the last one to close folds the log into the file, synced
    for side in SIDES:
        path.with_name(path.name + side).unlink(missing_ok=True)
    fresh.replace(path)
    sync_folder(path.parent)


def connect_reader(path: Path) -> sqlite3.Connection:
    """Open a file for reading only."""
    db = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=1.0, check_same_thread=False
    )
    db.execute("PRAGMA cache_size=-512")
    return db


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Run what is inside as one transaction; on any failure nothing of it happened."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    finally:
        if db.in_transaction:  # it failed; SQLite rolls back by itself when the disk is full
            db.execute("ROLLBACK")


def seal(db: sqlite3.Connection) -> None:
    """Close a file that will not be written again, so that it can be read without `-wal` and `-shm`.

    On a full or read-only disk those two could not be made. A reader that is in the file right now
    prevents it; then the file stays in WAL mode, which costs nothing but that.
    """
    try:
        db.execute("PRAGMA busy_timeout=0")
        db.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.OperationalError:
        pass  # a reader is in it, or the disk is full: it stays a WAL file
    finally:
        db.close()


def sync_folder(folder: Path) -> None:
    """Put the names in a folder on disk: a new file exists after a power cut only then."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def unlink(path: Path) -> None:
    """Remove a database and what lies beside it. This needs no free space, unlike DELETE."""
    for side in ("", *SIDES):
        path.with_name(path.name + side).unlink(missing_ok=True)
    sync_folder(path.parent)


def set_aside(path: Path, epoch: int) -> Path:
    """Rename a damaged database to `.bad-<epoch>`, its log with it; return the new name."""
    number = 0
    bad = path.with_name(f"{path.name}.bad-{epoch}")
    while bad.exists():
        number += 1
        bad = path.with_name(f"{path.name}.bad-{epoch}.{number}")
    for side in ("", *SIDES):
        old = path.with_name(path.name + side)
        if old.exists():
            old.rename(bad.with_name(bad.name + side))
    sync_folder(path.parent)
    return bad


def copy_into(folder: Path, path: Path) -> Path:
    """Copy a database and its log, without the memory that its users share; return where it is."""
    for side in ("", "-wal", "-journal"):
        beside = path.with_name(path.name + side)
        if beside.exists():
            shutil.copyfile(beside, folder / beside.name)
    return folder / path.name


def write_whole(path: Path, data: bytes) -> None:
    """Replace a small file: after a power cut it is the old one or the new one, never half."""
    fresh = path.with_name(path.name + ".new")
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(fd, data)
        os.fsync(fd)
    finally:
        os.close(fd)
    fresh.replace(path)
    sync_folder(path.parent)


def free_space(folder: Path) -> tuple[int, int, int]:
    """Return free bytes, all bytes and free inodes (a large number where a disk does not count them)."""
    found = os.statvfs(folder)
    inodes = found.f_favail if found.f_files else 1 << 30
    return found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize, inodes
