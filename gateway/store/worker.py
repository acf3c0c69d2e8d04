"""The one thread that owns the journal's files. Alarms go ahead of everything that waits for it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from enum import IntEnum
from functools import partial
from queue import PriorityQueue
from threading import Thread
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
    END = 4


class Worker:
    """Runs jobs one at a time in a thread of its own, the most urgent first."""

    def __init__(self) -> None:
        self._waiting: PriorityQueue[tuple[Turn, int, Callable[[], Any], asyncio.Future[Any] | None]]
        self._waiting = PriorityQueue()
        self._order = itertools.count()
        self._thread = Thread(target=self._work, name="store", daemon=True)
        self._thread.start()

    def do(self, turn: Turn, job: Callable[P, T], *args: P.args, **named: P.kwargs) -> asyncio.Future[T]:
        """Queue the job at once; the future gives what it returns or raises.

        A job once queued is done, even if nobody waits for it any more: what was decided gets written.
        """
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.put((turn, next(self._order), partial(job, *args, **named), done))
        return done

    def _work(self) -> None:
        while True:
            _, _, job, done = self._waiting.get()
            if done is None:
                return
            error: BaseException | None = None
            result = None
            try:
                result = job()
            except BaseException as raised:  # noqa: BLE001 - handed to whoever awaits it
                error = raised
            with contextlib.suppress(RuntimeError):  # the loop is closed: the process ends
                done.get_loop().call_soon_threadsafe(_settle, done, result, error)

    def close(self) -> None:
        """Finish what is queued, then end the thread."""
        self._waiting.put((Turn.END, next(self._order), lambda: None, None))
        self._thread.join()


def _settle(done: asyncio.Future[Any], result: object, error: BaseException | None) -> None:
    if not done.done():
        if error is None:
            done.set_result(result)
        else:
            done.set_exception(error)
    elif error is not None:
        raise error  # who waited was cancelled; a bug comes out all the same
