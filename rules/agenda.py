"""Which alarm is to be looked at when, without anything running by itself. Pure.

An alarm stands in the heap once, at a time that is never later than its deadline. When a deadline moves to a
later time nothing is done: the alarm is met too early, asked again, and put where it belongs now.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rules.alarm import Alarm


class Agenda:
    """The alarms by the monotonic second of their next deadline."""

    __slots__ = ("_heap", "_pushed")

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Alarm]] = []
        self._pushed = 0

    def next(self) -> float | None:
        """Return the second at which there may be something to do."""
        return self._heap[0][0] if self._heap else None

    def plan(self, alarm: Alarm, due: float | None) -> None:
        """Put an alarm where it is due; one that stands earlier already is left there."""
        if due is not None and (alarm.scheduled is None or due < alarm.scheduled):
            alarm.scheduled = due
            self._pushed += 1
            heapq.heappush(self._heap, (due, self._pushed, alarm))

    def take(self, mono: float) -> tuple[float, Alarm] | None:
        """Return the next alarm that is due by `mono`, and when it was; None when all is done."""
        heap = self._heap
        while heap and heap[0][0] <= mono:
            then, _, alarm = heapq.heappop(heap)
            if alarm.scheduled != then:
                continue  # an earlier deadline took its place, or the alarm is gone
            alarm.scheduled = None
            due = alarm.due()
            if due is not None and due <= then:
                return then, alarm
            alarm.changed = False
            self.plan(alarm, due)  # samples have moved it meanwhile
        return None
