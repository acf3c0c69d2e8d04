"""Recent history out of the telemetry files: read-only, beside the store's thread, never in its way."""

from __future__ import annotations

import re
import sqlite3
import zlib
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.store.files import connect_reader

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_SCAN_LIMIT = 64 << 20  # bytes of line protocol looked through for one question
_QUERY = "SELECT body FROM records WHERE until >= ? AND at <= ? ORDER BY id DESC"


@dataclass(frozen=True, slots=True)
class History:
    """Lines of one device, oldest first. Not complete: there were more than the bounds allow."""

    lines: list[bytes]
    complete: bool


@dataclass(frozen=True, slots=True)
class Stretch:
    """A telemetry file and the wall nanoseconds it covers."""

    path: Path
    since: int
    until: int


def history(stretches: Sequence[Stretch], device: str, since: int, until: int, limit: int) -> History:
    """Return the newest `limit` lines of a device in `since..until` (wall nanoseconds).

    `stretches` are the files, oldest first. One that has been unlinked meanwhile, or is damaged, is
    passed over: what it held is no longer recent history.
    """
    found: list[bytes] = []
    scanned = 0
    for body in _bodies(stretches, since, until):
        scanned += len(body)
        found += reversed(_lines_of(body, device, since, until))
        if len(found) > limit or scanned > _SCAN_LIMIT:
            return History(found[:limit][::-1], complete=False)
    return History(found[::-1], complete=True)


def _bodies(stretches: Sequence[Stretch], since: int, until: int) -> Iterator[bytes]:
    for stretch in reversed(stretches):
        if stretch.until < since or stretch.since > until:
            continue
        try:
            with closing(connect_reader(stretch.path)) as db:
                for (body,) in db.execute(_QUERY, (since, until)):
                    yield zlib.decompress(body)
        except (sqlite3.DatabaseError, UnicodeDecodeError, zlib.error):
            continue  # gone or damaged: the store's thread deals with it


def _lines_of(body: bytes, device: str, since: int, until: int) -> list[bytes]:
    """Return the lines of a device, in their order. The device is a tag: `,device=NAME` before the fields."""
    pattern = re.compile(rb"^[^\n ]*,device=" + re.escape(device.encode()) + rb"[, ][^\n]*$", re.MULTILINE)
    lines = pattern.findall(body)
    return [line for line in lines if since <= int(line.rsplit(b" ", 1)[1]) <= until]
