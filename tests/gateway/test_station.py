"""Lines that sleep: where there is much to do they wake together, a little late; else on time."""

from __future__ import annotations

import asyncio
from itertools import pairwise

from gateway.station import MANY, SLACK, Sleepers, Wakes

PERIOD = 0.5  # seconds


async def woken(polls: float) -> list[float]:
    """Return by how many periods each line woke late, of lines that lie down for times spread over one."""
    loop = asyncio.get_running_loop()
    wakes = Wakes(polls)

    async def line(wanted: float) -> tuple[float, float]:
        await Sleepers(wakes, PERIOD).sleep(wanted - loop.time())
        return wanted, loop.time()

    begin = loop.time() + 0.02
    done = await asyncio.gather(*(line(begin + PERIOD * n / 50) for n in range(50)))
    return [(at - wanted) / PERIOD for wanted, at in done]


async def test_where_there_is_little_to_do_lines_wake_on_time() -> None:
    late = sorted(await woken(MANY - 1.0))
    assert late[0] >= -0.001
    assert late[len(late) // 2] < SLACK / 4


async def test_where_there_is_much_to_do_lines_wait_for_each_other_and_never_wake_early() -> None:
    late = sorted(await woken(MANY))
    assert late[0] >= -0.001
    assert late[len(late) // 2] > SLACK / 4, "most of them wait for others"


async def test_who_waits_for_others_waits_equally_long_each_time() -> None:
    loop = asyncio.get_running_loop()
    begin = loop.time() + 0.02

    async def woke(number: int) -> list[float]:
        sleepers, at = Sleepers(Wakes(MANY), PERIOD), list[float]()
        for n in range(4):
            await sleepers.sleep(begin + PERIOD * (n + number / 50) - loop.time())
            at.append(loop.time())
        return [after - before for before, after in pairwise(at)]

    gaps = sorted(gap / PERIOD for each in await asyncio.gather(*map(woke, range(50))) for gap in each)
    assert gaps[len(gaps) // 10] > 0.98
    assert gaps[-len(gaps) // 10] < 1.02


async def test_lines_that_are_due_within_the_slack_share_one_timer() -> None:
    loop = asyncio.get_running_loop()
    wakes, rung = Wakes(MANY), list[float]()
    sleepers = [Sleepers(wakes, 1.0) for _ in range(20)]

    async def lie(one: Sleepers, seconds: float) -> None:
        await one.sleep(seconds)
        rung.append(loop.time())

    start = loop.time()
    first = (int(start / SLACK) + 2) * SLACK - start  # the next moment but one at which lines may wake
    await asyncio.gather(*(lie(one, first - SLACK * (0.05 + 0.9 * n / 20)) for n, one in enumerate(sleepers)))
    assert len(rung) == 20
    assert max(rung) - min(rung) < SLACK / 2
