"""Values out of a stream whose checksum lets damage through: a frame alone is never believed. Pure.

The sum of a WitMotion frame has eight bits. Of two flipped bits one pair in fifteen cancels out in it (the
same bit of two bytes, up here and down there), so on a noisy wire a damaged frame passes every few
seconds. What it says is kept out thus:

1. **The middle of neighbours.** What counts is, axis by axis, the middle of the last five frames of a kind
   (the last three of a slow stream). One damaged frame among five, or two, cannot move it out of what the
   sound ones said within these 25 ms.
2. **The median of a period.** What is told is the median over the period's two hundred.
3. **Silence in a storm.** Of a period in which more than a fifth of the bytes made no frame nothing is
   told: the share of damage that passes grows with the square of the share that is caught.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

FAST: Final = 1.0  # seconds: five frames within so long are a fast stream
WIDE: Final = 5
NARROW: Final = 3
KEPT: Final = 1024  # values of a period that its median is taken of, the latest; extremes are of all
ALONE: Final = 512  # raw steps by which a frame may stand beside its neighbours: 2.8 °, 0.25 g

Words = tuple[int, int, int, int]
Spread = list[tuple[int, int]]


class Track:
    """The frames of one kind: their middle, and what a period brought."""

    __slots__ = ("_last", "_spread", "_times", "_values", "alone", "count")

    def __init__(self) -> None:
        self.count = 0  # frames in the period
        self.alone = 0  # frames that stood far beside their neighbours, since the beginning
        self._last: deque[Words] = deque(maxlen=WIDE)
        self._times: deque[float] = deque(maxlen=WIDE)
        self._values: list[Words] = []
        self._spread: Spread = []  # of values that made room for later ones

    def add(self, words: Words, now: float) -> Words | None:
        """Take in a frame; return the middle of it and its neighbours, None before there are enough."""
        last, times = self._last, self._times
        last.append(words)
        times.append(now)
        self.count += 1
        size = len(last)
        if size == WIDE and now - times[0] <= FAST:
            steady = _middle(last, WIDE // 2)
        elif size >= NARROW:
            steady = _middle(list(last)[-NARROW:], NARROW // 2)
        else:
            return None
        if abs(words[0] - steady[0]) > ALONE or abs(words[1] - steady[1]) > ALONE:
            self.alone += 1
        if len(self._values) >= KEPT:
            half = self._values[: KEPT // 2]
            self._spread = _join(self._spread, _spread(list(zip(*half, strict=True))))
            del self._values[: KEPT // 2]
        self._values.append(steady)
        return steady

    def take(self) -> tuple[Words, Spread] | None:
        """Return the medians and extremes of the period, and begin the next; None when it brought nothing."""
        values, spread = self._values, self._spread
        self.count, self._values, self._spread = 0, [], []
        if not values:
            return None
        axes = [sorted(axis) for axis in zip(*values, strict=True)]
        first, second, third, fourth = (axis[(len(axis) - 1) // 2] for axis in axes)
        return (first, second, third, fourth), _join(spread, [(axis[0], axis[-1]) for axis in axes])

    def forget(self) -> None:
        """Give up what the period brought; the neighbours go too."""
        self.take()
        self._last.clear()
        self._times.clear()


def _middle(frames: Iterable[Words], at: int) -> Words:
    first, second, third, fourth = zip(*frames, strict=True)
    return sorted(first)[at], sorted(second)[at], sorted(third)[at], sorted(fourth)[at]


def _spread(axes: list[tuple[int, ...]]) -> Spread:
    return [(min(axis), max(axis)) for axis in axes]


def _join(one: Spread, other: Spread) -> Spread:
    if not one:
        return other
    return [(min(a[0], b[0]), max(a[1], b[1])) for a, b in zip(one, other, strict=True)]
