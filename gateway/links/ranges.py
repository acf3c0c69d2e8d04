"""Sets of record numbers kept as closed ranges: receipts out of order, doubled and late. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Range = tuple[int, int]
"""First and last number, both included."""


class Ranges:
    """A set of whole numbers; as small as the number of holes in it."""

    def __init__(self, ranges: Iterable[Range] = ()) -> None:
        self._first: list[int] = []
        self._last: list[int] = []
        for first, last in ranges:
            self.add(first, last)

    def add(self, first: int, last: int) -> None:
        """Take in `first`..`last`; melts with what it touches. An empty range adds nothing."""
        if last < first:
            return
        low = bisect_left(self._last, first - 1)
        high = bisect_right(self._first, last + 1)
        if low < high:
            first = min(first, self._first[low])
            last = max(last, self._last[high - 1])
        self._first[low:high] = [first]
        self._last[low:high] = [last]

    def discard_up_to(self, number: int) -> None:
        """Forget `number` and everything below it."""
        gone = bisect_right(self._last, number)
        del self._first[:gone], self._last[:gone]
        if self._first and self._first[0] <= number:
            self._first[0] = number + 1

    def __contains__(self, number: int) -> bool:
        place = bisect_left(self._last, number)
        return place < len(self._first) and self._first[place] <= number

    def __iter__(self) -> Iterator[Range]:
        return iter(zip(self._first, self._last, strict=True))

    def __len__(self) -> int:
        return len(self._first)

    def __bool__(self) -> bool:
        return bool(self._first)
