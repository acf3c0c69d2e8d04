"""Who has confirmed what: for one lane, the records that exist and each link's position. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gateway.store.ranges import Range, Ranges
from gateway.store.records import LAST_SEQ, Backlog, row_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


class Sum(NamedTuple):
    """How much a stretch of a lane holds."""

    records: int = 0
    rows: int = 0
    size: int = 0

    def plus(self, other: Sum) -> Sum:
        """Return both together."""
        return Sum(self.records + other.records, self.rows + other.rows, self.size + other.size)

    def minus(self, other: Sum) -> Sum:
        """Return what is left without `other`."""
        return Sum(self.records - other.records, self.rows - other.rows, self.size - other.size)


class Position(NamedTuple):
    """How far a link is, as it is saved: all that exists up to `below`, and these ranges above."""

    below: int = 0
    above: tuple[Range, ...] = ()


class _Link:
    """What one link has confirmed of what exists, and how much is left for it."""

    def __init__(self, done: Ranges, left: Sum) -> None:
        self.done = done
        self.left = left
        self.oldest: tuple[int, int] | None = None  # number of the oldest unconfirmed record, and its time


class Book:
    """Records by number (`row_id`); a record waits until every registered link has confirmed it.

    `measure(first, last)` and `time_of(number)` look into the files of the lane.
    """

    def __init__(
        self,
        exists: Iterable[Range],
        measure: Callable[[int, int], Sum],
        time_of: Callable[[int], int | None],
    ) -> None:
        self.exists = Ranges(exists)
        self._measure = measure
        self._time_of = time_of
        self._links: dict[str, _Link] = {}
        self.ignored = 0
        self.changed = False  # a position differs from what was saved

    def register(self, link: str, saved: Position | None) -> None:
        """Let records wait for this link from now on; `saved` is None for one that starts at the newest."""
        below, above = (self.exists.last, ()) if saved is None else saved
        done = Ranges(self.exists.within(0, below))
        for first, last in above:
            for part in self.exists.within(first, last):
                done.add(*part)
        left = self._total(self.exists).minus(self._total(done))
        self._links[link] = _Link(done, left)

    def _total(self, ranges: Iterable[Range]) -> Sum:
        total = Sum()
        for first, last in ranges:
            total = total.plus(self._measure(first, last))
        return total

    def grown(self, number: int, size: Sum) -> None:
        """Note a new record."""
        self.exists.add(number, number)
        for link in self._links.values():
            link.left = link.left.plus(size)

    def confirm(self, name: str, epoch: int, ranges: Iterable[Range], issued: int) -> int:
        """Mark records as confirmed by a link; return how many had not been.

        A range that reaches beyond what was ever issued is not ours (forged, or of another gateway): it is
        ignored as a whole and counted. What has been dropped meanwhile is no news.
        """
        link, count = self._links[name], 0
        for first, last in ranges:
            if not 1 <= first <= last <= LAST_SEQ or row_id(epoch, last) > issued:
                self.ignored += 1
                continue
            for part in self.exists.within(row_id(epoch, first), row_id(epoch, last)):
                for fresh in link.done.missing(*part):
                    size = self._measure(*fresh)
                    link.done.add(*fresh)
                    link.left = link.left.minus(size)
                    count += size.records
        self.changed |= count > 0
        return count

    def pending(self, name: str, after: int = 0) -> Iterator[Range]:
        """Yield what a link has not confirmed above `after`, oldest first."""
        done = self._links[name].done
        for first, last in self.exists.since(after):
            yield from done.missing(first, last)

    def pending_newest(self, name: str) -> Iterator[Range]:
        """Yield what a link has not confirmed, newest first."""
        done = self._links[name].done
        for first, last in self.exists.backwards():
            yield from reversed(done.missing(first, last))

    def unconfirmed(self, first: int, last: int) -> list[Range]:
        """Return the parts of `first..last` that at least one registered link still waits for."""
        waiting = Ranges()
        for part in self.exists.within(first, last):
            for link in self._links.values():
                for left in link.done.missing(*part):
                    waiting.add(*left)
        return list(waiting)

    def forget(self, first: int, last: int) -> None:
        """Take records out that are about to go; call while they can still be measured."""
        for part in self.exists.within(first, last):
            for link in self._links.values():
                for waiting in link.done.missing(*part):
                    link.left = link.left.minus(self._measure(*waiting))
                link.done.remove(*part)
                if link.oldest is not None and first <= link.oldest[0] <= last:
                    link.oldest = None
        self.exists.remove(first, last)
        self.changed = True

    def resurvey(self, exists: Iterable[Range]) -> list[Range]:
        """Take a new look at what exists, after a file was damaged; return what was lost unconfirmed."""
        found = Ranges(exists)
        waiting = self.unconfirmed(0, self.exists.last)
        lost = [part for first, last in waiting for part in found.missing(first, last)]
        positions = {name: self.position(name) for name in self._links}
        self.exists = found
        for name, position in positions.items():
            self.register(name, position)
        return lost

    def position(self, name: str) -> Position:
        """Return what is to be saved for a link."""
        done = self._links[name].done
        waiting = next(self.pending(name), None)
        if waiting is None:
            return Position(self.exists.last)
        return Position(waiting[0] - 1, tuple(done.since(waiting[0])))

    def backlog(self, name: str) -> Backlog:
        """Return what waits for a link. Costs one look-up when the oldest record has changed."""
        link = self._links[name]
        waiting = next(self.pending(name), None)
        if waiting is None:
            return Backlog()
        if link.oldest is None or link.oldest[0] != waiting[0]:
            link.oldest = (waiting[0], self._time_of(waiting[0]) or 0)
        return Backlog(*link.left, oldest=link.oldest[1])

    @property
    def links(self) -> tuple[str, ...]:
        """The links that records wait for."""
        return tuple(self._links)
