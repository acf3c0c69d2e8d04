"""A deadline that is set anew for every request, at next to no cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable


class Deadline:
    """Calls back when `due` has passed. One loop timer serves many settings: it is only ever moved late."""

    def __init__(self, loop: asyncio.AbstractEventLoop, ring: Callable[[], None]) -> None:
        self._loop = loop
        self._ring = ring
        self._timer: asyncio.TimerHandle | None = None
        self.due = 0.0

    def set(self, due: float) -> None:
        """Call back at `due` (seconds of the loop's clock) instead of before."""
        self.due = due
        if self._timer is not None and self._timer.when() <= due:
            return  # it will look again when it rings
        self.cancel()
        self._timer = self._loop.call_at(due, self._look)

    def cancel(self) -> None:
        """Forget it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        if self._loop.time() < self.due:
            self._timer = self._loop.call_at(self.due, self._look)
        else:
            self._ring()
