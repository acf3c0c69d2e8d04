"""A set of whole numbers kept as ranges: which records exist, which are confirmed. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Range = tuple[int, int]
"""First and last, both inside."""


class Ranges:
    """Disjoint ranges, neighbours merged. Adding at the end is O(1), a look-up O(log n)."""

    __slots__ = ("_first", "_last")

    def __init__(self, ranges: Iterable[Range] = ()) -> None:
        self._first: list[int] = []
        self._last: list[int] = []
        for first, last in ranges:
            self.add(first, last)

    def __iter__(self) -> Iterator[Range]:
        return iter(list(zip(self._first, self._last, strict=True)))

    def __len__(self) -> int:
        return len(self._first)

    def __contains__(self, number: int) -> bool:
        i = bisect_right(self._first, number) - 1
        return i >= 0 and number <= self._last[i]

    @property
    def last(self) -> int:
        """The largest number in the set; 0 when it is empty."""
        return self._last[-1] if self._last else 0

    def within(self, first: int, last: int) -> list[Range]:
        """Return the parts of `first..last` that are in the set."""
        i = bisect_left(self._last, first)
        found = []
        while i < len(self._first) and self._first[i] <= last:
            found.append((max(first, self._first[i]), min(last, self._last[i])))
            i += 1
        return found

    def missing(self, first: int, last: int) -> list[Range]:
        """Return the parts of `first..last` that are not in the set."""
        found = []
        for a, b in self.within(first, last):
            if a > first:
                found.append((first, a - 1))
            first = b + 1
        if first <= last:
            found.append((first, last))
        return found

    def add(self, first: int, last: int) -> None:
        """Put `first..last` into the set."""
        i = bisect_left(self._last, first - 1)
        j = bisect_right(self._first, last + 1)
        if i < j:
            first, last = min(first, self._first[i]), max(last, self._last[j - 1])
        self._first[i:j] = [first]
        self._last[i:j] = [last]

    def remove(self, first: int, last: int) -> None:
        """Take `first..last` out of the set."""
        i = bisect_left(self._last, first)
        j = bisect_right(self._first, last)
        if i >= j:
            return
        kept = [(a, b) for a, b in ((self._first[i], first - 1), (last + 1, self._last[j - 1])) if a <= b]
        self._first[i:j] = [a for a, _ in kept]
        self._last[i:j] = [b for _, b in kept]

    def since(self, number: int) -> Iterator[Range]:
        """Yield the ranges above `number`, the first one cut if it lies across."""
        i = bisect_left(self._last, number + 1)
        while i < len(self._first):
            yield max(self._first[i], number + 1), self._last[i]
            i += 1

    def backwards(self) -> Iterator[Range]:
        """Yield the ranges from the highest down."""
        yield from zip(reversed(self._first), reversed(self._last), strict=True)
