"""Late answers of meters (DL/T 645) and inclinometers: none may be credited to another request.

    python tests/bench/late_answers.py dlt645|tilt68 [TRIALS] [LINES]

A meter's answer names its address and its item, an inclinometer's its address and its command only; neither says
which request it belongs to. A trial: two requests of the same shapes again and again, every other one on average
answered late. Every answer carries the number of the request it answers. Half of the lines are ptys, half TCP
ends. Beside ours runs a client that takes the first frame of the right address, command and item. Exit 0 when
ours had none wrong and that client had some: a trial that it passes too would prove nothing.
"""

from __future__ import annotations

import asyncio
import functools
import os
import random
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import _checkout  # noqa: F401  first: it says where the others are
from late_unit import MeterWords, PtyUnit, TcpUnit, TiltWords

from drivers.bcd import from_bcd
from drivers.cutter import Cutter
from drivers.dlt645 import frame as dlt645
from drivers.dlt645 import query as meter
from drivers.errors import Held, NoAnswer
from drivers.line.settings import LineSettings
from drivers.registry import make_line
from drivers.tilt import frame as tilt
from drivers.tilt import query as sensor

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

TIMEOUT = 0.1
ADDRESS = "000000000161"
ITEMS = (0x00010100, 0x00010200)
WORDS: dict[str, Callable[[], Any]] = {"dlt645": MeterWords, "tilt68": TiltWords}


def lateness(seed: int) -> Callable[[int], float]:
    chance = random.Random(seed)
    return lambda _: TIMEOUT + chance.uniform(0.02, 0.3) if chance.random() < 0.5 else 0.0


def a_query(protocol: str, chance: random.Random) -> Any:
    if protocol == "dlt645":
        return meter.read(ADDRESS, chance.choice(ITEMS))
    return sensor.ask(tilt.Family.RION, 0, tilt.READ)


def number(protocol: str, data: bytes) -> int | None:
    """Which request an answer says that it belongs to."""
    return from_bcd(data[5:][::-1]) if protocol == "dlt645" else from_bcd(data[:4])


async def a_unit(protocol: str, seed: int) -> tuple[PtyUnit | TcpUnit, dict[str, str]]:
    if seed % 2:
        tcp = TcpUnit(lateness(seed), WORDS[protocol]())
        return tcp, {"tcp": await tcp.start()}
    unit = PtyUnit(lateness(seed), WORDS[protocol]())
    return unit, {"serial": unit.path}


async def ours(protocol: str, seed: int, trials: int) -> Counter[str]:
    told: Counter[str] = Counter()
    loop, chance = asyncio.get_running_loop(), random.Random(seed)
    unit, where = await a_unit(protocol, seed)
    settings = LineSettings("late", protocol, baud=115200, timeout=TIMEOUT, quarantine=0.5, **where)  # type: ignore[arg-type]
    line = make_line(settings)
    sent = 0

    def count(way: str, data: bytes, at: float) -> None:
        nonlocal sent
        sent += way == ">>"

    line.listen(count)
    asked = 0
    while asked < 2 * trials:
        try:
            data = await line.exchange(a_query(protocol, chance))
        except Held as held:  # nothing was sent, or only a fence: no trial
            await asyncio.sleep(max(0.0, min(held.until - loop.time(), 0.02)))
            continue
        except NoAnswer:
            told["no answer"] += 1
        else:
            told["right" if number(protocol, data) == sent - 1 else "WRONG"] += 1
        asked += 1
    told["late answers discarded"] = line.stats.late
    told["fences"] = line.stats.fences
    await line.close()
    unit.close()
    return told


class Plain:
    """A client as they are often written: it takes the first answer that looks like the one it waits for."""

    def __init__(self, protocol: str) -> None:
        framing: Any = dlt645.FRAMING if protocol == "dlt645" else tilt.framing(tilt.Family.RION)
        self._cutter: Cutter[Any] = Cutter(framing)
        self._protocol = protocol
        self.got: asyncio.Future[int | None] | None = None
        self.shape = b""

    def hear(self, data: bytes) -> None:
        for frame in self._cutter.feed(data):
            if self._protocol == "dlt645":
                looks, value = bytes((frame.control,)) + frame.data, from_bcd(frame.data[4:][::-1])
            else:
                looks, value = bytes((frame.command,)), from_bcd(frame.data[:4])
            if self.got is not None and not self.got.done() and looks.startswith(self.shape):
                self.got.set_result(value)

    async def ask(self, query: Any, write: Callable[[bytes], object]) -> int | None:
        self.shape, self.got = query.shape, asyncio.get_running_loop().create_future()
        write(query.frame)
        return await asyncio.wait_for(self.got, TIMEOUT)


async def a_way(
    where: dict[str, str], hear: Callable[[bytes], None]
) -> tuple[Callable[[bytes], object], Callable[[], None]]:
    """Open a pty or a TCP end without any care; return how to write to it and how to end."""
    loop = asyncio.get_running_loop()
    if "serial" in where:
        fd = os.open(where["serial"], os.O_RDWR | os.O_NOCTTY)
        loop.add_reader(fd, lambda: hear(os.read(fd, 4096)))

        def end_pty() -> None:
            loop.remove_reader(fd)
            os.close(fd)

        return functools.partial(os.write, fd), end_pty
    reader, writer = await asyncio.open_connection(*where["tcp"].split(":"))

    async def listen() -> None:
        while data := await reader.read(4096):
            hear(data)

    task = asyncio.create_task(listen())

    def end_tcp() -> None:
        task.cancel()
        writer.close()

    return writer.write, end_tcp


async def plain(protocol: str, seed: int, trials: int) -> Counter[str]:
    told: Counter[str] = Counter()
    chance, client = random.Random(seed), Plain(protocol)
    unit, where = await a_unit(protocol, seed)
    write, end = await a_way(where, client.hear)
    for sent in range(2 * trials):
        try:
            value = await client.ask(a_query(protocol, chance), write)
        except TimeoutError:
            told["no answer"] += 1
        else:
            told["right" if value == sent else "WRONG"] += 1
    end()
    unit.close()
    return told


async def trial(run: Callable[[int], Awaitable[Counter[str]]], lines: int) -> Counter[str]:
    return sum(await asyncio.gather(*(run(seed) for seed in range(lines))), Counter())


def main() -> int:
    protocol = sys.argv[1]
    trials = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    lines = int(sys.argv[3]) if len(sys.argv) > 3 else 100
    each = max(1, trials // lines)
    wrong = []
    for name, run, count in (("tocsin", ours, each), ("plain", plain, max(4, each // 10))):
        began = time.monotonic()
        told = asyncio.run(trial(lambda seed, run=run, count=count: run(protocol, seed, count), lines))  # type: ignore[misc]
        wrong.append(told["WRONG"])
        text = ", ".join(f"{what} {told[what]}" for what in sorted(told) if what != "WRONG")
        took = f"{time.monotonic() - began:.0f} s"
        print(
            f"{name:9} {count * lines:6} trials of {protocol}: wrong {told['WRONG']}; {text}; {took}",
            flush=True,
        )
    return 0 if wrong[0] == 0 and wrong[1] > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
