"""The last minutes of one point, in at most a hundred and twenty slots: bounded, time-weighted. Pure."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from itertools import combinations
from statistics import median

SLOTS = 120
EPSILON = 1e-6


@dataclass(slots=True)
class Slot:
    """Some readings in a row."""

    start: float  # monotonic
    last: float  # monotonic time of the last reading in it
    weight: float  # seconds its readings stand for
    total: float  # sum of weight x value
    square: float  # sum of weight x value x value
    low: float
    high: float
    count: int = 1
    above: int = 0  # readings at or above the threshold

    @property
    def mean(self) -> float:
        """The time-weighted mean."""
        return self.total / self.weight if self.weight else (self.low + self.high) / 2

    @property
    def middle(self) -> float:
        """The time it stands for."""
        return (self.start + self.last) / 2


class Past:
    """What was seen in the last `span` seconds. A hole longer than `gap` seconds empties it."""

    __slots__ = ("gap", "interval", "slots", "span", "threshold", "width")

    def __init__(
        self, span: float, interval: float, gap: float, threshold: float = math.inf, slots: int = SLOTS
    ) -> None:
        self.span, self.interval, self.gap, self.threshold = span, interval, gap, threshold
        self.width = span / slots if span / slots > interval else 0.0  # 0: a slot per reading
        self.slots: deque[Slot] = deque()

    def see(self, now: float, value: float) -> bool:
        """Take in a reading; return whether it began a new slot."""
        slots = self.slots
        weight = min(now - slots[-1].last, self.gap) if slots else self.interval
        if slots and now - slots[-1].last > self.gap + EPSILON:
            slots.clear()
            weight = self.interval
        while slots and slots[0].start <= now - self.span + EPSILON:
            slots.popleft()
        above = value >= self.threshold
        if slots and now - slots[-1].start < self.width - EPSILON:
            slot = slots[-1]
            slot.last, slot.weight, slot.count = now, slot.weight + weight, slot.count + 1
            slot.total += weight * value
            slot.square += weight * value * value
            slot.low, slot.high, slot.above = min(slot.low, value), max(slot.high, value), slot.above + above
            return False
        slots.append(Slot(now, now, weight, weight * value, weight * value * value, value, value, 1, above))
        return True

    @property
    def coverage(self) -> float:
        """The part of the window that readings stand for."""
        return min(1.0, sum(slot.weight for slot in self.slots) / self.span)

    @property
    def count(self) -> int:
        """How many readings there are."""
        return sum(slot.count for slot in self.slots)

    def mean(self) -> float:
        """Return the time-weighted mean."""
        return sum(s.total for s in self.slots) / sum(s.weight for s in self.slots)

    def deviation(self) -> float:
        """Return the time-weighted standard deviation."""
        weight = sum(slot.weight for slot in self.slots)
        mean = sum(slot.total for slot in self.slots) / weight
        return math.sqrt(max(0.0, sum(slot.square for slot in self.slots) / weight - mean * mean))

    def percentile(self, part: float) -> float:
        """Return what the point did not exceed for `part` (0 to 1) of the time, by the means of the slots."""
        ordered = sorted((slot.mean, slot.weight) for slot in self.slots)
        wanted, seen = part * sum(weight for _, weight in ordered), 0.0
        for value, weight in ordered:
            seen += weight
            if seen >= wanted - EPSILON:
                return value
        return ordered[-1][0]

    def theil_sen(self) -> float:
        """Return the median of all slopes per second: one wild reading in three does not move it."""
        pairs = [(slot.middle, slot.mean) for slot in self.slots]
        return median((b - a) / (t - s) for (s, a), (t, b) in combinations(pairs, 2))

    def least_squares(self) -> float:
        """Return the slope per second of the line with the least squares."""
        times, means = [s.middle for s in self.slots], [s.mean for s in self.slots]
        t, m = sum(times) / len(times), sum(means) / len(means)
        return sum((x - t) * (y - m) for x, y in zip(times, means, strict=True)) / sum(
            (x - t) ** 2 for x in times
        )

    def step(self, recent: int = 3) -> tuple[float, float, float]:
        """Return (median of the last readings, median before them, how much that one scatters (MAD))."""
        means = [slot.mean for slot in self.slots]
        before = means[:-recent]
        rest = median(before)
        return median(means[-recent:]), rest, median(abs(value - rest) for value in before)
