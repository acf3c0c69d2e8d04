"""The journal as its thread sees it: both lanes, the epoch, the links' positions. No asyncio."""

from __future__ import annotations

import secrets
from itertools import islice
from typing import TYPE_CHECKING

from gateway.store.alarm_file import AlarmFile
from gateway.store.alarm_lane import AlarmLane
from gateway.store.book import Position, Sum
from gateway.store.files import write_whole
from gateway.store.losses import gap_of
from gateway.store.records import (
    Backlog,
    DiskRefused,
    Lane,
    Limits,
    Place,
    Record,
    StoreHealth,
    place,
    row_id,
)
from gateway.store.table import Row
from gateway.store.telemetry_lane import DOOMED, TelemetryLane

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from gateway.model import Instant
    from gateway.store.groups import Group
    from gateway.store.ranges import Range

_LEAP = 1 << 20
_TOLD = 100_000  # gap records looked at when a file was damaged
_DAY = 86400.0


def record_of(lane: Lane, row: Row, *, durable: bool) -> Record:
    """Return a row as a record; the payload of telemetry is still compressed."""
    return Record(lane, *place(row.number), row.rows, row.body, row.at, durable)


class Core:
    """Owned by one thread. Nothing here fails because of the disk; `health` says how it is."""

    def __init__(self, folder: Path, limits: Limits, synchronous: str = "FULL") -> None:
        self._folder = folder
        self._limits = limits
        self.alarms = AlarmLane(folder, limits.ring, synchronous)
        self.telemetry = TelemetryLane(folder, limits, self.alarms.note, synchronous)
        self.epoch = 0
        self._epoch_durable = False
        self._stored = True
        self._waiting = 0
        self._saved: dict[tuple[str, Lane], Position] = {}
        self._saved_at = 0.0
        self._prune_at = 0.0

    # -- opening ---------------------------------------------------------------------------------

    def open(self, now: Instant) -> None:
        """Open what is there, set aside what is damaged, and begin a new epoch."""
        self.alarms.disk.open()
        found = self.telemetry.scan(self.alarms.small(DOOMED))
        self._raise_epoch(max(found, self.alarms.last_epoch))
        self.alarms.begin(self.epoch, now.wall)
        self._saved = self.alarms.positions()
        told = [gap for gap in self.alarms.gaps(_TOLD) if gap.lane is Lane.TELEMETRY]
        known = [p for (_, lane), p in self._saved.items() if lane is Lane.TELEMETRY]
        self.telemetry.begin(self.epoch, told, known, now.wall)
        self.telemetry.keep_bounds(now.wall, synced=False)
        self._saved_at, self._prune_at = now.mono, now.mono

    def _raise_epoch(self, found: int) -> None:
        """Begin an epoch that was never used, and put it on disk before anything else.

        It is kept three times (a file of its own, and in the records of both lanes), because an epoch
        used twice would let a receipt for one record confirm another. When the disk refuses it, a leap
        at random keeps this run from meeting the epoch of another run that could not write either.
        """
        path = self._folder / "epoch"
        try:
            text = path.read_bytes()
        except OSError:
            text = b""
        self.epoch = max(found, int(text) if text.strip().isdigit() else 0) + 1
        if not self._write_epoch():
            self.epoch += secrets.randbelow(_LEAP)

    def _write_epoch(self) -> bool:
        try:
            write_whole(self._folder / "epoch", b"%d\n" % self.epoch)
        except OSError as error:
            self.alarms.disk.why = f"epoch: {error}"
            self._epoch_durable = False
        else:
            self._epoch_durable = True
        return self._epoch_durable

    # -- links -----------------------------------------------------------------------------------

    def _lane(self, lane: Lane) -> AlarmLane | TelemetryLane:
        return self.alarms if lane is Lane.ALARM else self.telemetry

    def register(self, link: str, lane: Lane, *, newest: bool) -> None:
        """Let records of a lane wait for a link. A link that was here before goes on where it was."""
        book = self._lane(lane).book
        saved = self._saved.get((link, lane))
        book.changed |= saved is None  # a link that is known waits, also for what a damaged file takes along
        if saved is None and not newest:
            saved = Position()
        book.register(link, saved)
        self._saved.pop((link, lane), None)
        self._save_positions()

    def confirm(self, link: str, lane: Lane, epoch: int, ranges: Iterable[Range]) -> int:
        """Mark records as confirmed by a link; return how many had not been."""
        issued = self.alarms.issued if lane is Lane.ALARM else self.telemetry.issued
        return self._lane(lane).book.confirm(link, epoch, ranges, issued)

    def read(self, link: str, lane: Lane, after: Place | None, limit: int, size: int) -> list[Record]:
        """Return what a link has not confirmed after a place, oldest first."""
        book = self._lane(lane).book
        parts = list(islice(book.pending(link, row_id(*after) if after else 0), limit))
        return self._read_parts(lane, parts, limit, size, newest_first=False)

    def read_newest(self, link: str, lane: Lane, limit: int, size: int) -> list[Record]:
        """Return what a link has not confirmed, newest first."""
        parts = list(islice(self._lane(lane).book.pending_newest(link), limit))
        return self._read_parts(lane, parts, limit, size, newest_first=True)

    def _read_parts(
        self, lane: Lane, parts: list[Range], limit: int, size: int, *, newest_first: bool
    ) -> list[Record]:
        rows: list[Row] = []
        for first, last in parts:
            rows += self._lane(lane).read(first, last, limit - len(rows), size, newest_first=newest_first)
            size -= sum(len(row.body) for row in rows)
            if len(rows) >= limit or size <= 0:
                break
        memory = self.alarms.ring[0].number if lane is Lane.ALARM and self.alarms.ring else 1 << 62
        return [record_of(lane, row, durable=row.number < memory) for row in rows]

    def events(self, last: int, limit: int, size: int) -> list[Record]:
        """Return events up to a number, newest first."""
        return self._read_parts(Lane.ALARM, [(0, last)], limit, size, newest_first=True)

    # -- telemetry -------------------------------------------------------------------------------

    def append(self, group: Group) -> bool:
        """Put a group on disk; tell whether it is there."""
        row = Row(row_id(self.epoch, group.seq), group.at, group.until, group.count, group.body)
        try:
            self.telemetry.append(row)
        except DiskRefused:
            self._stored = False
        else:
            self._stored = True
        return self._stored

    def lose(self, groups: Iterable[Group], at: int) -> None:
        """Write down groups that were given up in memory. With no link nobody waited for them."""
        if not self.telemetry.book.links:
            return
        for group in groups:
            number = row_id(self.epoch, group.seq)
            self.telemetry.lose(gap_of(Lane.TELEMETRY, (number, number), Sum(1, group.count), "memory", at))

    # -- upkeep ----------------------------------------------------------------------------------

    def upkeep(self, now: Instant, waiting: int) -> bool:
        """Retry what the disk refused, keep the bounds; tell whether there is more to prune at once."""
        self._waiting = waiting
        if not self._epoch_durable:
            self._write_epoch()
        self.alarms.settle()
        self.alarms.disk.ask(AlarmFile.fold, None)
        self.telemetry.keep_bounds(now.wall, synced=now.synced)
        if not self.telemetry.space_low:
            self.alarms.disk.reserve.make()
        if now.mono - self._saved_at >= self._limits.settle:
            self._saved_at = now.mono
            self._save_positions()
        if not now.synced or now.mono < self._prune_at:
            return False
        before = now.wall - round(self._limits.events_keep * 1e9)
        more = self.alarms.prune(before, self._limits.events_least)
        self._prune_at = now.mono + (0 if more else _DAY / 24)
        return more

    def _save_positions(self) -> None:
        """Put on disk how far the links are, unless that would confirm what was not seen at the start."""
        books = {lane: self._lane(lane).book for lane in Lane if not self._lane(lane).unseen}
        changed = {
            (link, lane): book.position(link)
            for lane, book in books.items()
            if book.changed
            for link in book.links
        }
        if (changed or self.alarms.head_moved) and self.alarms.save_positions(changed):
            for book in books.values():
                book.changed = False

    def close(self) -> None:
        """Put on disk what is not there yet, and let go of the files."""
        self.alarms.settle()
        self._save_positions()
        self.alarms.disk.close()
        self.telemetry.close()

    # -- how it is -------------------------------------------------------------------------------

    def backlog(self, link: str, lane: Lane) -> Backlog:
        """Return what a link has not confirmed."""
        return self._lane(lane).book.backlog(link)

    def health(self) -> StoreHealth:
        """Return how it is. O(links)."""
        alarms, telemetry = self.alarms, self.telemetry
        head = alarms.disk.readable.head
        dropped = telemetry.dropped.plus(alarms.dropped)
        backlog = {(n, lane): self.backlog(n, lane) for lane in Lane for n in self._lane(lane).book.links}
        return StoreHealth(
            epoch=self.epoch,
            epoch_durable=self._epoch_durable,
            alarms_durable=alarms.durable,
            telemetry_stored=self._stored,
            space_low=telemetry.space_low,
            why=alarms.disk.why or telemetry.why,
            ring=len(alarms.ring),
            waiting=self._waiting,
            commits_failed=alarms.disk.failed,
            gaps=telemetry.gaps + alarms.lost,
            dropped_records=dropped.records,
            dropped_rows=dropped.rows,
            ignored_confirms=alarms.book.ignored + telemetry.book.ignored,
            damaged=(*alarms.disk.damaged, *telemetry.damaged),
            segments=len(telemetry.segments),
            size=telemetry.size,
            free=telemetry.free,
            backlog=backlog,
            audit=(head.n, head.hash.hex()),
        )
