"""One watch over the requests of many lines: each is given up in its time, and none that was answered."""

from __future__ import annotations

import asyncio

from drivers.line.patience import Patience

SOON = 0.03


class Line:
    def __init__(self) -> None:
        self.asked: dict[int, float] = {}
        self.given_up: list[int] = []

    def ask(self, patience: Patience, number: int) -> None:
        self.asked[number] = sent = asyncio.get_running_loop().time()
        patience.watch(self, number, sent)

    def waits(self, number: int, sent: float) -> bool:
        return self.asked.get(number) == sent

    def expire(self, number: int) -> None:
        assert asyncio.get_running_loop().time() >= self.asked.pop(number) + SOON
        self.given_up.append(number)


async def until(line: Line, count: int) -> None:
    async with asyncio.timeout(5):
        while len(line.given_up) < count:  # noqa: ASYNC110  it looks at other people's state
            await asyncio.sleep(0.001)


async def test_what_is_answered_is_left_alone_and_what_is_not_is_given_up_once() -> None:
    patience, a, b = Patience.of(asyncio.get_running_loop(), SOON), Line(), Line()
    for number in range(4):
        a.ask(patience, number)
        b.ask(patience, number)
    del a.asked[1], a.asked[3], b.asked[0]
    await until(b, 3)
    assert (a.given_up, b.given_up) == ([0, 2], [1, 2, 3])


async def test_a_number_used_again_is_waited_for_as_long_as_any() -> None:
    patience, line = Patience.of(asyncio.get_running_loop(), SOON), Line()
    line.ask(patience, 7)
    await asyncio.sleep(SOON / 2)
    line.ask(patience, 7)  # answered meanwhile, and asked anew
    await until(line, 1)
    await asyncio.sleep(SOON)
    assert line.given_up == [7]


async def test_a_request_after_a_pause_is_watched_too() -> None:
    patience, line = Patience.of(asyncio.get_running_loop(), SOON), Line()
    line.ask(patience, 1)
    await until(line, 1)
    await asyncio.sleep(2 * SOON)
    line.ask(patience, 2)
    await until(line, 2)
    assert line.given_up == [1, 2]


async def test_lines_that_wait_equally_long_share_one() -> None:
    loop = asyncio.get_running_loop()
    assert Patience.of(loop, 0.5) is Patience.of(loop, 0.5)
    assert Patience.of(loop, 0.5) is not Patience.of(loop, 0.3)
