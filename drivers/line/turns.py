"""Who may speak next: a few turns, given in the order they were asked for. A cancelled wait costs nothing."""

from __future__ import annotations

import asyncio
from collections import deque


class Turns:
    """`count` turns; who finds none free waits in line."""

    def __init__(self, loop: asyncio.AbstractEventLoop, count: int = 1) -> None:
        self._loop = loop
        self._free = count
        self._waiting: deque[asyncio.Future[None]] = deque()

    def take(self) -> bool:
        """Take a free turn, without waiting; False when there is none."""
        if self._free:
            self._free -= 1
            return True
        return False

    async def wait(self) -> None:
        """Wait for a turn. Each turn had by `take` or `wait` is given back by `give`."""
        turn: asyncio.Future[None] = self._loop.create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it was given to us, and we cannot use it
                self.give()
            raise

    def give(self) -> None:
        """Pass the turn on to who has waited longest, or free it."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
