"""The alarm lane: on disk before it is told, in memory while the disk refuses. Store's thread."""

from __future__ import annotations

import json
from collections import deque
from typing import TYPE_CHECKING

from gateway.store import chain, table
from gateway.store.alarm_disk import AlarmDisk
from gateway.store.book import Book, Position, Sum
from gateway.store.losses import gap_of, holes
from gateway.store.ranges import Range, Ranges
from gateway.store.records import Damaged, DiskRefused, Gap, Lane, Record, place, row_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from gateway.store.alarm_file import Key

_PRUNE_AT_ONCE = 2000  # events: about 20 ms, so that an alarm never waits long behind it
_MANY = 100_000


class AlarmLane:
    """Events and alarm states. `commit` never fails: what the disk refuses stays in a bounded ring.

    The order on disk is the order of the numbers, also after a refusal: the ring goes first.
    """

    def __init__(self, folder: Path, ring: int, synchronous: str = "FULL") -> None:
        self.disk = AlarmDisk(folder, synchronous, self._damaged, self._healed)
        self._limit = ring
        self._seq = 0
        self.ring: deque[table.Row] = deque()
        self._states: dict[Key, str | None] = {}
        self._gaps: list[Gap] = []
        self._small: dict[str, str | None] = {}
        self._deeds: deque[chain.Deed] = deque(maxlen=ring)
        self._told_head = chain.Head()
        self.lost = 0  # gap records of this lane since the start
        self.dropped = Sum()
        self._at = 0  # wall ns of the latest call, for gap records made in passing
        self.book = Book((), self.measure, self.time_of)
        self.unseen = False  # whether there is more on the disk than could be seen at the start

    # -- beginning ---------------------------------------------------------------------------------

    def begin(self, epoch: int, at: int) -> None:
        """Start numbering events under a new epoch."""
        self.disk.epoch, self._seq, self.unseen = epoch, 0, self.disk.readable.closed
        exists = self.disk.look(table.spans, list[Range]())
        told = [gap for gap in self.gaps(_MANY) if gap.lane is Lane.ALARM]
        self.book = Book(exists, self.measure, self.time_of)
        self._at = at
        known = [p for (_, lane), p in self.positions().items() if lane is Lane.ALARM]
        if self.disk.damaged or known:
            self._tell(gap_of(Lane.ALARM, part, Sum(), "damaged", at) for part in holes(exists, told, known))
            self.settle()
        self.disk.reserve.make()

    def gaps(self, limit: int) -> list[Gap]:
        """Return the newest gap records, newest first."""
        waiting = self._gaps[::-1]
        return [*waiting, *self.disk.ask(lambda file: file.gaps(limit), list[Gap]())][:limit]

    def positions(self) -> dict[tuple[str, Lane], Position]:
        """Return the saved positions of all links that ever were.

        Where one was damaged the link begins at the oldest again, and sends what it sent before.
        """
        found = {}
        for whose, value in self.disk.lines("positions").items():
            (link, lane), (below, above) = json.loads(whose), json.loads(value)
            found[link, Lane(lane)] = Position(below, tuple((a, b) for a, b in above))
        return found

    def states(self) -> dict[Key, object]:
        """Return every alarm state that is on disk; of one that was damaged the alarm begins anew."""
        return {tuple(json.loads(key)): json.loads(value) for key, value in self.disk.lines("states").items()}

    def small(self, key: str) -> str | None:
        """Return a small value."""
        return self._small[key] if key in self._small else self.disk.lines("small").get(key)

    def _damaged(self, name: str, saved: int) -> None:
        """Have the audit say what of the file was damaged."""
        self._deeds.append(chain.Deed(self.issued, self._at, chain.damaged(name, saved)))

    # -- writing ---------------------------------------------------------------------------------

    def commit(
        self,
        events: Sequence[bytes],
        states: Mapping[Key, str | None],
        at: int,
        deeds: Sequence[bytes] = (),
        small: Mapping[str, str | None] | None = None,
    ) -> list[Record]:
        """Give the events numbers and put them on disk with all the rest, in one transaction.

        `deeds` are entries of the audit that come before these events.
        """
        self._at = at
        self._deeds.extend(chain.Deed(self.issued, at, deed) for deed in deeds)
        self._small.update(small or {})
        rows = []
        for event in events:
            self._seq += 1
            rows.append(table.Row(row_id(self.disk.epoch, self._seq), at, at, 1, event))
        self.ring.extend(rows)
        self._states.update(states)
        durable = self.settle()
        for row in rows:
            self.book.grown(row.number, row.sum)
        self._trim(at)
        return [Record(Lane.ALARM, *place(r.number), 1, r.body, r.at, durable) for r in rows]

    @property
    def last_epoch(self) -> int:
        """The epoch of the newest event on disk."""
        return place(self.disk.look(table.last, 0))[0]

    @property
    def issued(self) -> int:
        """The number of the last event."""
        return row_id(self.disk.epoch, self._seq)

    @property
    def durable(self) -> bool:
        """Whether everything that was decided is on disk."""
        return not (self.ring or self._states or self._gaps or self._small or self._deeds)

    def settle(self) -> bool:
        """Try to put on disk all that waits in memory; tell whether nothing waits any more."""
        if self.durable:
            return True
        for last_try in (False, True):
            try:
                if self.disk.file.closed:
                    self.disk.open()
                self.disk.file.write(self.ring, self._states, self._gaps, self._small, deeds=self._deeds)
            except Damaged as error:
                self.disk.heal(error)
            except DiskRefused as error:
                self.disk.refused(error)
                self.disk.file.close()  # after a failed fsync only a file opened anew is to be trusted
                if not self.disk.reserve.give_up() or last_try:
                    return False
            else:
                self._clear()
                return True
        return False

    def _healed(self) -> None:
        """Count what a damaged file took along: what somebody waited for is a gap."""
        exists = Ranges(self.disk.look(table.spans, list[Range]()))
        for row in self.ring:
            exists.add(row.number, row.number)
        lost = self.book.resurvey(exists)
        self._tell(gap_of(Lane.ALARM, part, Sum(), "damaged", self._at) for part in lost)

    def _tell(self, gaps: Iterable[Gap]) -> None:
        """Have gap records of this lane written with the next transaction."""
        for gap in gaps:
            self._gaps.append(gap)
            self.lost += 1
            self.dropped = self.dropped.plus(Sum(gap.records, gap.rows))

    def _clear(self) -> None:
        self.ring.clear()
        self._states.clear()
        self._gaps.clear()
        self._small.clear()
        self._deeds.clear()

    def _trim(self, at: int) -> None:
        """Keep the ring bounded: the oldest event goes, and if somebody waited for it that is a gap."""
        while len(self.ring) > self._limit:
            row = self.ring.popleft()
            if self.book.unconfirmed(row.number, row.number):
                self._tell([gap_of(Lane.ALARM, (row.number, row.number), row.sum, "memory", at)])
            self.book.forget(row.number, row.number)

    def note(self, gaps: Iterable[Gap], small: Mapping[str, str | None] | None = None) -> bool:
        """Write gap records and small values down; tell whether they are on disk now."""
        self._gaps.extend(gaps)
        self._small.update(small or {})
        return self.settle()

    def save_positions(self, positions: Mapping[tuple[str, Lane], Position]) -> bool:
        """Put confirmed positions on disk. One that is lost is confirmed again: no harm, so no retry here."""
        head = self.disk.file.head
        try:
            self.disk.file.write(
                positions=positions, small={chain.HEAD: head.text} if self.head_moved else None
            )
        except (DiskRefused, Damaged) as error:
            self.disk.why = str(error)
            return False
        self._told_head = head
        return True

    @property
    def head_moved(self) -> bool:
        """Whether the audit has grown since its head was noted beside it."""
        return self.disk.file.head != self._told_head

    def prune(self, before: int, least: int = 0) -> bool:
        """Delete some confirmed events of before `before`, but not the newest `least`; tell if more wait."""
        spare = self.measure(0, self.issued).records - least
        try:
            last = self.disk.file.old(before, max(0, min(spare, _PRUNE_AT_ONCE)))
            waiting = self.book.unconfirmed(0, last)
            if waiting:
                last = waiting[0][0] - 1
            if not self.book.exists.within(0, last):
                return False
            marker = json.dumps({"upto": place(last), "before": before})
            gone = self.disk.file.prune(last, marker, before, self._at)
        except (DiskRefused, Damaged) as error:
            self.disk.why = str(error)
            return False
        self.book.forget(0, last)
        return gone == _PRUNE_AT_ONCE

    # -- reading ---------------------------------------------------------------------------------

    def read(
        self, first: int, last: int, limit: int, size: int, *, newest_first: bool = False
    ) -> list[table.Row]:
        """Return rows of `first..last` from the file and the ring."""
        held = [row for row in self.ring if first <= row.number <= last]
        if newest_first:
            held.reverse()
        found = self.disk.look(
            lambda db: table.read(db, first, last, limit, size, newest_first=newest_first), list[table.Row]()
        )
        known = {row.number for row in held}
        found = [row for row in found if row.number not in known]
        both = held + found if newest_first else found + held
        return both[:limit]

    def measure(self, first: int, last: int) -> Sum:
        """Return how much `first..last` holds."""
        total = self.disk.look(lambda db: table.measure(db, first, last), Sum())
        stored = self.disk.look(table.last, 0) if self.ring else 0
        for row in self.ring:  # one that reached the disk although the disk said no counts once
            if stored < row.number and first <= row.number <= last:
                total = total.plus(row.sum)
        return total

    def time_of(self, number: int) -> int | None:
        """Return the time of an event."""
        for row in self.ring:
            if row.number == number:
                return row.at
        return self.disk.look(lambda db: table.time_of(db, number), None)
