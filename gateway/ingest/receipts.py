"""What the database has and the gateways do not know yet: receipts, coalesced to ranges. Pure."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from gateway.links.custody import RecordId, receipt
from gateway.links.ranges import Ranges

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.links.encode import Topics

MOST_RANGES = 200  # in one receipt, so that it stays a small message


class Origin(NamedTuple):
    """Whose record it is."""

    topics: Topics
    record: RecordId


class Receipts:
    """Holds written records for `after` seconds, then turns them into as few receipts as it can."""

    def __init__(self, after: float = 0.0) -> None:
        self._after = after
        self._written: deque[tuple[float, tuple[Origin, ...]]] = deque()

    def written(self, origins: Iterable[Origin], now: float) -> None:
        """Note that the database took these at `now` (monotonic seconds)."""
        self._written.append((now + self._after, tuple(origins)))

    def next_deadline(self) -> float | None:
        """Return the monotonic second at which `due` has something."""
        return self._written[0][0] if self._written else None

    def due(self, now: float) -> list[tuple[str, bytes]]:
        """Return the receipts to publish: (topic, payload)."""
        found: dict[tuple[Topics, str, int], Ranges] = {}
        while self._written and self._written[0][0] <= now:
            for topics, record in self._written.popleft()[1]:
                ranges = found.setdefault((topics, record.lane, record.epoch), Ranges())
                ranges.add(record.seq, record.seq)
        messages = []
        for (topics, lane, epoch), ranges in found.items():
            pieces = list(ranges)
            for start in range(0, len(pieces), MOST_RANGES):
                part = pieces[start : start + MOST_RANGES]
                messages.append((topics.receipt(lane), receipt(epoch, part)))
        return messages
