"""What was lost, as gap records. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.store.ranges import Range, Ranges
from gateway.store.records import Gap, Lane, place, row_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.store.book import Position, Sum


def gap_of(lane: Lane, part: Range, size: Sum, reason: str, at: int) -> Gap:
    """Return the gap record of one unbroken stretch of an epoch."""
    epoch, first = place(part[0])
    return Gap(lane, epoch, first, place(part[1])[1], part[1] - part[0] + 1, size.rows, reason, at)


def holes(exists: Iterable[Range], told: Iterable[Gap], positions: Iterable[Position]) -> list[Range]:
    """Return what must once have stood between `exists`, is not told yet, and was not confirmed by all.

    Without any position nobody is known to have confirmed anything.
    """
    found: list[Range] = []
    known = Ranges((row_id(g.epoch, g.first), row_id(g.epoch, g.last)) for g in told if g.last >= g.first)
    done = [Ranges([(0, p.below), *p.above]) for p in positions]
    before = 0
    for first, last in exists:
        begin = row_id(place(first)[0], 1)
        start = max(before + 1, begin) if before else first  # what went from the front went by the bounds
        for untold in known.missing(start, first - 1) if start < first else ():
            waiting = Ranges([untold] if not done else ())
            for confirmed in done:
                for part in confirmed.missing(*untold):
                    waiting.add(*part)
            found += list(waiting)
        before = last
    return found
