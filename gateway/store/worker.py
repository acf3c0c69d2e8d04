"""The one thread that owns the journal's files. Alarms go ahead of everything that waits for it."""

from __future__ import annotations

import asyncio
import itertools
from concurrent.futures import Future, ThreadPoolExecutor
from enum import IntEnum
from functools import partial
from queue import PriorityQueue
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")


class Turn(IntEnum):
    """Who goes first. A job that has begun is not interrupted, so jobs are kept short."""

    ALARM = 0
    LINK = 1
    GROUP = 2
    UPKEEP = 3


class Worker:
    """Runs jobs one at a time in a thread of its own, the most urgent first.

    The executor's own queue only counts: for each job submitted, the thread takes the most
    urgent one that waits at that moment, which need not be the one that was submitted.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._waiting: PriorityQueue[tuple[int, int, Callable[[], Any], Future[Any]]] = PriorityQueue()
        self._order = itertools.count()

    async def do(self, turn: Turn, job: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        """Run the job in the thread; give back what it returns or raises.

        A job once queued is done, even if its caller is cancelled: what was decided gets written.
        """
        future: Future[T] = Future()
        self._waiting.put((turn, next(self._order), partial(job, *args, **named), future))
        self._thread.submit(self._next)
        return await asyncio.shield(asyncio.wrap_future(future))

    def _next(self) -> None:
        _, _, job, future = self._waiting.get_nowait()
        try:
            future.set_result(job())
        except BaseException as error:  # noqa: BLE001 - handed to whoever awaits it, as executors do
            future.set_exception(error)

    def close(self) -> None:
        """Finish what is queued, then end the thread."""
        self._thread.shutdown(wait=True)
