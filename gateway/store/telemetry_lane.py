"""The telemetry lane: segments filled one after the other, unlinked oldest first. Store's thread."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gateway.store import salvage, table
from gateway.store.book import Book, Sum
from gateway.store.files import free_space, set_aside, unlink
from gateway.store.losses import gap_of, holes
from gateway.store.records import Damaged, DiskRefused, Gap, Lane, Limits, place, row_id
from gateway.store.segment import Segment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from gateway.store.book import Position

_NAME = re.compile(r"telemetry-(\d{6,})\.db")
_DAY = 86400 * 10**9
_SMALLEST = 1 << 20  # bytes: segments are not made smaller than this,
_TINY = 256 << 10  # but on a disk so small that a 32nd of it is less
_FOLD = 4 << 20  # bytes of log before it is folded into a segment
_RESUME = 4 << 20  # bytes: a last segment up to this size is looked through and filled on after a restart
_EMPTY = 8 << 10  # bytes: a segment without records is no larger
_INODES = 32  # free inodes below which files are unlinked
DOOMED = "doomed"  # small value: the segment whose loss is written down but which may still be there


class TelemetryLane:
    """Groups of telemetry in files that can be unlinked whole, because a full disk refuses DELETE.

    `note(gaps, small)` puts gap records on disk and tells whether they are there.
    """

    def __init__(
        self,
        folder: Path,
        limits: Limits,
        note: Callable[[list[Gap], Mapping[str, str | None]], bool],
        synchronous: str = "FULL",
    ) -> None:
        self._folder = folder
        self._limits = limits
        self._note = note
        self._synchronous = synchronous
        self.segments: list[Segment] = []  # oldest first; the last one is being filled
        usual = max(_SMALLEST, limits.max_bytes // 64)
        self._segment_bytes = limits.segment or min(usual, max(_TINY, free_space(folder)[1] // 32))
        self._fold = min(_FOLD, self._segment_bytes // 2)
        self._next = 1  # a number is never used twice, or a doomed name could take a new file with it
        self.epoch = 0
        self.damaged: list[str] = []
        self.why = ""
        self.gaps = 0
        self.dropped = Sum()
        self.space_low = False
        self.free = 0
        self.book = Book((), self.measure, self.time_of)
        self.unseen = False  # whether there is more on the disk than could be seen at the start

    @property
    def size(self) -> int:
        """Bytes of all segments on the disk."""
        return sum(s.bytes for s in self.segments)

    @property
    def issued(self) -> int:
        """The number of the last record on disk, or the start of this epoch."""
        return max(self.book.exists.last, row_id(self.epoch, 0))

    # -- opening ---------------------------------------------------------------------------------

    def scan(self, doomed: str | None) -> int:
        """Look at every segment, without reading it; return the highest epoch found."""
        for unfinished in self._folder.glob("*.new*"):
            unfinished.unlink()
        names = sorted({p.name for p in self._folder.iterdir()} | {doomed or ""})
        self._next = 1 + max((int(found[1]) for found in map(_NAME.match, names) if found), default=0)
        for path in (self._folder / name for name in names if _NAME.fullmatch(name)):
            if path.name == doomed:
                unlink(path)
                continue
            segment = Segment(path, self._synchronous, self._fold)
            try:
                self._take(segment)
            except Damaged as error:
                self._quarantine(segment, error)
            except DiskRefused as error:
                self.why, self.unseen = str(error), True
        return place(self.segments[-1].last)[0] if self.segments else 0

    def _take(self, segment: Segment) -> None:
        segment.survey()
        if segment.spans:
            self.segments.append(segment)
        elif segment.bytes > _EMPTY:
            raise Damaged(f"{segment.path.name}: {segment.bytes} bytes and no records")
        else:
            unlink(segment.path)  # made, and then the power went

    def begin(self, epoch: int, told: Iterable[Gap], positions: Iterable[Position], at: int) -> None:
        """Start storing under a new epoch."""
        self.epoch = epoch
        exists = [span for segment in self.segments for span in segment.spans]
        self.book = Book(exists, self.measure, self.time_of)
        positions = list(positions)
        if not self.why and (self.damaged or positions):
            lost = holes(exists, told, positions)
            self._tell([gap_of(Lane.TELEMETRY, part, Sum(), "damaged", at) for part in lost])
        if self.segments and not self._resumable(self.segments[-1]):
            self._new_segment()

    def _resumable(self, segment: Segment) -> bool:
        try:
            return segment.bytes <= min(_RESUME, self._segment_bytes) and segment.sound()
        except (Damaged, DiskRefused):
            return False

    def _quarantine(self, segment: Segment, error: Damaged) -> None:
        """Set a damaged file aside; what can be read of it takes its place."""
        segment.close()
        bad = set_aside(segment.path, self.epoch)
        saved = salvage.records(bad)
        self.damaged.append(f"{bad.name} ({error}; {len(saved)} records saved)")
        if saved:
            fresh = Segment(segment.path, self._synchronous, self._fold)
            fresh.append(saved)
            fresh.seal()
            self.segments.append(fresh)
            self.segments.sort(key=lambda s: s.number)

    # -- writing ---------------------------------------------------------------------------------

    def append(self, row: table.Row) -> None:
        """Put one group on disk. Raises DiskRefused; then nothing of it is there."""
        segment = self._current(row)
        try:
            segment.append([row])
        except Damaged as error:
            self._lost_file(segment, error, row.at)
            raise DiskRefused(str(error)) from error  # the caller tries again, into a new file
        except DiskRefused as error:
            self.why = str(error)
            raise
        self.book.grown(row.number, row.sum)

    def _current(self, row: table.Row) -> Segment:
        """Return the segment to fill: a new one when the last is large or more than a day long."""
        if not self.segments:
            self._new_segment()
        segment = self.segments[-1]
        if segment.spans and (segment.bytes >= self._segment_bytes or row.at - segment.since >= _DAY):
            segment.seal()
            self._new_segment()
        return self.segments[-1]

    def _new_segment(self) -> None:
        path = self._folder / f"telemetry-{self._next:06}.db"
        self._next += 1
        self.segments.append(Segment(path, self._synchronous, self._fold))

    # -- bounds ----------------------------------------------------------------------------------

    def keep_bounds(self, now: int, *, synced: bool) -> None:
        """Unlink the oldest files as long as there is too much, too old or too little room."""
        while len(self.segments) > 1 and self.size > self._limits.max_bytes:
            if not self._drop(self.segments[0], "size", now):
                return
        self._keep_age(now, synced=synced)
        self._keep_room(now)

    def _keep_age(self, now: int, *, synced: bool) -> None:
        """Unlink what is old and confirmed. A clock that leaps ten years ahead must not empty the journal."""
        if not synced:
            return
        oldest = now - round(self._limits.keep * 1e9)
        while len(self.segments) > 1 and self.segments[0].until < oldest:
            first = self.segments[0]
            if self.book.unconfirmed(first.first, first.last) or not self._drop(first, "age", now):
                return

    def _keep_room(self, now: int) -> None:
        """Act before the disk is full; below a quarter of the floor even the file being filled goes."""
        self.free, total, inodes = free_space(self._folder)
        floor = total // 20 if self._limits.floor is None else self._limits.floor
        self.space_low = self.free < floor or inodes < _INODES
        while self.segments and (self.free < floor or inodes < _INODES):
            segment = self.segments[0]
            if len(self.segments) == 1 and (self.free >= floor // 4 or not segment.spans):
                return
            if not self._drop(segment, "space", now):
                return
            self.free, _, inodes = free_space(self._folder)

    def _drop(self, segment: Segment, reason: str, now: int) -> bool:
        """Unlink one file; first write down what of it nobody has confirmed. Tell whether it is gone."""
        lost = self.book.unconfirmed(segment.first, segment.last) if segment.spans else []
        try:
            gaps = [gap_of(Lane.TELEMETRY, part, segment.measure(*part), reason, now) for part in lost]
        except (Damaged, DiskRefused):
            gaps = [gap_of(Lane.TELEMETRY, part, Sum(), reason, now) for part in lost]
        if gaps and not self._tell(gaps, {DOOMED: segment.path.name}):
            return False  # not even the gap record fits: nothing goes unnoticed, so nothing goes
        for span in segment.spans:
            self.book.forget(*span)
        segment.close()
        self.segments.remove(segment)
        try:
            unlink(segment.path)
        except OSError as error:
            self.why = str(error)
            return False
        return True

    def _tell(self, gaps: list[Gap], small: Mapping[str, str | None] | None = None) -> bool:
        self.gaps += len(gaps)
        self.dropped = self.dropped.plus(Sum(sum(g.records for g in gaps), sum(g.rows for g in gaps)))
        return self._note(gaps, small or {})

    def lose(self, gap: Gap) -> bool:
        """Write down a group that never reached the disk."""
        return self._tell([gap])

    # -- reading ---------------------------------------------------------------------------------

    def _across(self, first: int, last: int) -> Iterator[Segment]:
        return (s for s in self.segments if s.spans and s.first <= last and first <= s.last)

    def read(
        self, first: int, last: int, limit: int, size: int, *, newest_first: bool = False
    ) -> list[table.Row]:
        """Return rows of `first..last`; a file found damaged is set aside and its rows are missing."""
        found: list[table.Row] = []
        across = list(self._across(first, last))
        for segment in reversed(across) if newest_first else across:
            try:
                found += segment.read(first, last, limit - len(found), size, newest_first=newest_first)
            except Damaged as error:
                self._lost_file(segment, error, 0)
                break
            except DiskRefused as error:
                self.why = str(error)
                break
            size -= sum(len(row.body) for row in found)
            if len(found) >= limit or size <= 0:
                break
        return found

    def _lost_file(self, segment: Segment, error: Damaged, at: int) -> None:
        self.segments.remove(segment)
        self._quarantine(segment, error)
        exists = [span for s in self.segments for span in s.spans]
        lost = self.book.resurvey(exists)
        self._tell([gap_of(Lane.TELEMETRY, part, Sum(), "damaged", at or segment.until) for part in lost])

    def measure(self, first: int, last: int) -> Sum:
        """Return how much `first..last` holds."""
        total = Sum()
        for segment in self._across(first, last):
            try:
                total = total.plus(segment.measure(first, last))
            except (Damaged, DiskRefused) as error:
                self.why = str(error)
        return total

    def time_of(self, number: int) -> int | None:
        """Return the time of a record."""
        for segment in self._across(number, number):
            try:
                return segment.time_of(number)
            except (Damaged, DiskRefused) as error:
                self.why = str(error)
        return None

    def close(self) -> None:
        """Let go of the files; the last one is filled on after the next start."""
        for segment in self.segments:
            segment.close()
