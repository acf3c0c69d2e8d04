"""Watches for answers that do not come, for all lines of a loop: one queue and one timer for each timeout.

A timer for each request would be set and fall due for nothing nearly always: most answers come. And what
waits equally long falls due in the order in which it was sent, so the queue needs no sorting.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Protocol
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    import asyncio


class Waiting(Protocol):
    """A line with requests under way."""

    def waits(self, number: int, sent: float) -> bool:
        """Tell whether the request of this number, sent then, has no answer yet."""
        ...

    def expire(self, number: int) -> None:
        """Give the request up."""
        ...


class Patience:
    """Waits `timeout` seconds for each request that it is told of. Use `of` to get one."""

    def __init__(self, loop: asyncio.AbstractEventLoop, timeout: float) -> None:
        self._loop = loop
        self._timeout = timeout
        self._sent: deque[tuple[float, int, Waiting]] = deque()
        self._set = False

    @classmethod
    def of(cls, loop: asyncio.AbstractEventLoop, timeout: float) -> Patience:
        """Return that of all lines of the loop that wait so long."""
        found = _KNOWN.setdefault(loop, {})
        if timeout not in found:
            found[timeout] = cls(loop, timeout)
        return found[timeout]

    def watch(self, line: Waiting, number: int, sent: float) -> None:
        """Have `line` give up the request when it has no answer in time."""
        self._sent.append((sent, number, line))
        if not self._set:
            self._set = True
            self._loop.call_at(sent + self._timeout, self._look)

    def _look(self) -> None:
        """Give up what is due; forget what was answered, up to the first that was not."""
        self._set = False
        now = self._loop.time()
        while self._sent:
            sent, number, line = self._sent[0]
            if line.waits(number, sent):
                if now < sent + self._timeout:
                    self._set = True
                    self._loop.call_at(sent + self._timeout, self._look)
                    return
                self._sent.popleft()
                line.expire(number)
            else:
                self._sent.popleft()


_KNOWN: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[float, Patience]] = WeakKeyDictionary()
