"""Lines that sleep: where there is much to do they wake together, a little late; else on time. In simulated time."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar

from gateway.station import MANY, SLACK, Sleepers, Wakes

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")

LINES = 50
PERIOD = 0.5  # seconds
BEGIN = 1000.02


class Skipping(asyncio.SelectorEventLoop):
    """A loop whose time passes only while it waits, and then at once."""

    def __init__(self) -> None:
        super().__init__()
        self._now = BEGIN
        selector = self._selector  # type: ignore[attr-defined]
        look = selector.select

        def skip(timeout: float | None = None) -> Any:
            self._now += max(timeout or 0.0, 0.0)
            return look(0)

        selector.select = skip

    def time(self) -> float:
        return self._now


def run(story: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=Skipping) as runner:
        return runner.run(story)


async def woken(polls: float) -> list[float]:
    """Return by how many periods each line woke late, of lines that lie down for times spread over one."""
    loop, wakes = asyncio.get_running_loop(), Wakes(polls)

    async def line(wanted: float) -> float:
        await Sleepers(wakes, PERIOD).sleep(wanted - loop.time())
        return (loop.time() - wanted) / PERIOD

    return sorted(await asyncio.gather(*(line(BEGIN + PERIOD * n / LINES) for n in range(LINES))))


async def gaps(number: int) -> list[float]:
    """Return how many periods lie between the wakes of a line that is due once a period."""
    loop, at = asyncio.get_running_loop(), list[float]()
    sleepers = Sleepers(Wakes(MANY), PERIOD)
    for n in range(1, 20):
        await sleepers.sleep(BEGIN + PERIOD * (n + number / LINES) - loop.time())
        at.append(loop.time())
    return [(after - before) / PERIOD for before, after in pairwise(at)]


async def moments(polls: float) -> int:
    """Return at how many moments lines wake that are due one after the other within a third of the slack."""
    loop, wakes, found = asyncio.get_running_loop(), Wakes(polls), set[float]()

    async def line(n: int) -> None:
        await Sleepers(wakes, PERIOD).sleep(PERIOD + PERIOD * SLACK * n / LINES / 3)
        found.add(round(loop.time(), 6))

    await asyncio.gather(*(line(n) for n in range(LINES)))
    return len(found)


def test_where_there_is_little_to_do_lines_wake_on_time() -> None:
    late = run(woken(MANY - 1))
    assert late[0] >= -1e-6
    assert late[-1] < 1e-6


def test_where_there_is_much_to_do_lines_wait_for_each_other_and_never_wake_early() -> None:
    late = run(woken(MANY))
    assert late[0] >= -1e-6
    assert SLACK / 2 < late[-1] < SLACK + 1e-6


def test_who_waits_for_others_waits_equally_long_each_time() -> None:
    found = [gap for number in range(LINES) for gap in run(gaps(number))]
    assert max(found) - min(found) < 1e-6


def test_lines_that_are_due_within_the_slack_wake_together() -> None:
    assert run(moments(MANY)) <= 2, "one moment, or two where a slot ends within that time"
    assert run(moments(MANY - 1)) > LINES / 2
