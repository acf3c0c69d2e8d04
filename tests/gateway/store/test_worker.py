"""The journal's thread: one job at a time, the most urgent first."""

from __future__ import annotations

import asyncio
import threading

import pytest

from gateway.store.worker import Turn, Worker


async def wait_for(job: asyncio.Future[None]) -> None:
    await job


async def test_an_alarm_goes_ahead_of_what_waits_and_order_holds_within_a_turn() -> None:
    worker, gate, done = Worker(), threading.Event(), list[str]()
    first = worker.do(Turn.UPKEEP, gate.wait, 60.0)
    jobs = [(Turn.GROUP, "group 1"), (Turn.LINK, "read"), (Turn.GROUP, "group 2"), (Turn.ALARM, "alarm")]
    waiting = [worker.do(turn, done.append, name) for turn, name in jobs]
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(first, *waiting)
    assert done == ["alarm", "read", "group 1", "group 2"]
    worker.close()


async def test_what_was_handed_over_is_done_even_if_the_caller_is_cancelled() -> None:
    worker, gate, done = Worker(), threading.Event(), list[str]()
    first = worker.do(Turn.UPKEEP, gate.wait, 60.0)
    second = asyncio.create_task(wait_for(worker.do(Turn.ALARM, done.append, "alarm")))
    await asyncio.sleep(0)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    gate.set()
    await first
    worker.close()
    assert done == ["alarm"]


async def test_an_error_reaches_the_caller_and_the_thread_goes_on() -> None:
    worker = Worker()
    with pytest.raises(ValueError, match="not a number"):
        await worker.do(Turn.LINK, int, "not a number")
    assert await worker.do(Turn.LINK, int, "7") == 7
    worker.close()
