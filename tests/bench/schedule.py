"""What the schedule and the poller cost by themselves: microseconds per poll against a device that costs nothing.

Run: python tests/bench/schedule.py [SECONDS]. Prints one table; nothing is judged here.
"""

from __future__ import annotations

import asyncio
import platform
import resource
import sys
from contextlib import suppress
from pathlib import Path
from time import perf_counter, process_time
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[2]))

from gateway.clock import SystemClock  # a script finds its packages first
from gateway.liveness import Timing  # the same
from gateway.model import Quality, Sample, Value  # the same
from gateway.poller import Polled, Poller  # the same
from gateway.schedule import Schedule  # the same
from gateway.telemetry import Encoder, parse  # the same
from gateway.turns import Group, Member  # the same

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

POINTS = tuple(f"p{n}" for n in range(10))
VALUES: dict[str, Value] = {point: (123 + 77 * n) / 10 for n, point in enumerate(POINTS)}
NOTHING_BAD: dict[str, Quality] = {}


class NullDevice:
    """Answers at once, or after one turn of the loop as a real exchange does."""

    def __init__(self, name: str, *, turn: bool) -> None:
        self.name = name
        self._turn = turn

    async def read(self, points: tuple[str, ...]) -> tuple[dict[str, Value], dict[str, Quality]]:
        if self._turn:
            loop = asyncio.get_running_loop()
            answer: asyncio.Future[None] = loop.create_future()
            loop.call_soon(lambda: None if answer.done() else answer.set_result(None))
            await answer
        return VALUES, NOTHING_BAD

    async def write(self, point: str, value: Value) -> Value:
        return value


class NullLine:
    is_open = True

    async def open(self) -> None:
        pass

    async def ready(self) -> None:
        pass

    async def close(self) -> None:
        pass


def per_call(what: Callable[[], object], calls: int) -> float:
    best = float("inf")
    for _ in range(5):
        start = perf_counter()
        for _ in range(calls):
            what()
        best = min(best, perf_counter() - start)
    return best / calls * 1e6


def schedule_cost(devices: int, every: float, ailing: int = 0) -> float:
    """Microseconds for take and good, in simulated time."""
    schedule = Schedule([Member(f"d{n}", (Group(POINTS, every),)) for n in range(devices)], 0.0)
    now = 0.0
    step = (every or 0.001) / devices
    dead = {f"d{n}" for n in range(ailing)}

    def one() -> None:
        nonlocal now
        now += step
        turn = schedule.take(now)
        if turn is None:
            schedule.next_at(now)
        elif turn.device in dead:
            schedule.failed(turn, now)
        else:
            schedule.good(turn, now)

    return per_call(one, 20_000)


def poller_cost(devices: int, lanes: int, seconds: float, *, turn: bool) -> tuple[float, float]:
    """Polls per second as fast as it goes, and CPU microseconds for each."""
    count = 0

    async def accept(samples: Sequence[Sample]) -> None:
        nonlocal count
        count += len(samples)
        if not turn and count % 64 == 0:
            await asyncio.sleep(0)

    async def run() -> tuple[float, float]:
        polled = [Polled(NullDevice(f"d{n}", turn=turn), (Group(POINTS, 0.0),)) for n in range(devices)]
        poller = Poller("null", NullLine(), polled, accept, SystemClock(), Timing(inflight=lanes))
        task = asyncio.ensure_future(poller.run())
        wall, cpu = perf_counter(), process_time()
        await asyncio.sleep(seconds)
        wall, cpu = perf_counter() - wall, process_time() - cpu
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        return count / wall, cpu / count * 1e6

    return asyncio.run(run())


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 2.0
    print(f"{platform.python_implementation()} {platform.python_version()} {platform.machine()}")
    print("schedule, take + good                                 us/poll")
    for devices, every, ailing in ((32, 1.0, 0), (32, 0.0, 0), (250, 1.0, 0), (32, 1.0, 1), (32, 0.0, 8)):
        cost = schedule_cost(devices, every, ailing)
        print(f"  {devices:3} devices, every {every:g} s, {ailing} silent {cost:26.2f}")
    print("poller, always due                        polls/s     us/poll")
    for devices, lanes, turn in ((32, 1, False), (32, 1, True), (32, 8, True), (32, 32, True)):
        rate, cost = poller_cost(devices, lanes, seconds, turn=turn)
        kind = "answer a loop turn later" if turn else "answer at once"
        print(f"  {devices} devices, {lanes:2} lanes, {kind:24} {rate:9.0f} {cost:9.2f}")
    encoder = Encoder("gas", "gas-b1-07")
    sample = Sample("gas-b1-07", 1_790_000_000_000_000_000, 1.0, VALUES)
    text = encoder.encode(sample)
    print("telemetry, 10 floats                                  us/line")
    print(f"  encode {per_call(lambda: encoder.encode(sample), 20_000):54.2f}")
    print(f"  parse  {per_call(lambda: parse(text), 20_000):54.2f}")
    print(f"peak resident {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.1f} MB")


if __name__ == "__main__":
    main()
