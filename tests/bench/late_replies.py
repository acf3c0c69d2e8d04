"""Ten thousand late answers: none may be credited to another register. Beside it the same for pymodbus.

    python tests/bench/late_replies.py [TRIALS] [LINES]

A trial: two requests of one shape for different registers; every other one on average is answered 50 to
900 ms after its timeout of 300 ms. Half of the lines are ptys, half RTU over TCP. Exit 0 when ours had none wrong and the
control had some: a trial that a plain client passes too would prove nothing.
"""

from __future__ import annotations

import asyncio
import logging
import random
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

import _checkout  # noqa: F401  first: it says where the others are
from late_unit import PtyUnit, TcpUnit
from pymodbus import FramerType
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException

from drivers.errors import Held, NoAnswer
from drivers.line.settings import LineSettings
from drivers.modbus import pdu
from drivers.registry import make_line

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

TIMEOUT = 0.3


def lateness(seed: int) -> Callable[[int], float]:
    chance = random.Random(seed)
    return lambda _: TIMEOUT + chance.uniform(0.05, 0.9) if chance.random() < 0.5 else 0.0


async def ours(seed: int, trials: int) -> Counter[str]:
    told: Counter[str] = Counter()
    loop = asyncio.get_running_loop()
    if seed % 2:
        tcp = TcpUnit(lateness(seed))
        settings = LineSettings("late", "modbus-rtu", tcp=await tcp.start(), timeout=TIMEOUT)
        unit: TcpUnit | PtyUnit = tcp
    else:
        unit = PtyUnit(lateness(seed))
        settings = LineSettings("late", "modbus-rtu", serial=unit.path, baud=115200, timeout=TIMEOUT)
    line = make_line(settings)
    n = 0
    while n < 2 * trials:
        register = 100 * (seed + 1) + n % 100
        n += 1
        try:
            got = pdu.registers(await line.exchange(pdu.read(17, 3, register, 2)))
        except Held as held:  # nothing was sent: no trial
            n -= 1
            await asyncio.sleep(max(0.0, min(held.until - loop.time(), 0.02)))
        except NoAnswer:
            told["no answer"] += 1
        else:
            told["right" if got == (register, register + 1) else "WRONG"] += 1
    told["late answers discarded"] = line.stats.late
    told["fences"] = line.stats.fences
    await line.close()
    unit.close()
    return told


async def plain(seed: int, trials: int) -> Counter[str]:
    told: Counter[str] = Counter()
    if seed % 2:
        tcp = TcpUnit(lateness(seed))
        host, port = (await tcp.start()).split(":")
        unit: TcpUnit | PtyUnit = tcp
        client: AsyncModbusTcpClient | AsyncModbusSerialClient = AsyncModbusTcpClient(
            host, port=int(port), framer=FramerType.RTU, timeout=TIMEOUT, retries=0
        )
    else:
        unit = PtyUnit(lateness(seed))
        client = AsyncModbusSerialClient(unit.path, baudrate=115200, timeout=TIMEOUT, retries=0)
    await client.connect()
    for n in range(2 * trials):
        register = 100 * (seed + 1) + n % 100
        try:
            got = await client.read_holding_registers(register, count=2, device_id=17)
        except ModbusException:
            told["no answer"] += 1
            if not client.connected:
                await client.connect()
        else:
            told["right" if got.registers == [register, register + 1] else "WRONG"] += 1
    client.close()
    unit.close()
    return told


async def trial(run: Callable[[int, int], Awaitable[Counter[str]]], lines: int, each: int) -> Counter[str]:
    return sum(await asyncio.gather(*(run(seed, each) for seed in range(lines))), Counter())


def main() -> int:
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    lines = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    each = max(1, trials // lines)
    logging.getLogger("pymodbus").setLevel(logging.CRITICAL + 1)
    wrong = []
    for name, run, count in (("tocsin", ours, each), ("pymodbus", plain, max(4, each // 10))):
        began = time.monotonic()
        told = asyncio.run(trial(run, lines, count))
        wrong.append(told["WRONG"])
        text = ", ".join(f"{what} {told[what]}" for what in sorted(told) if what != "WRONG")
        print(f"{name:9} {count * lines:6} trials on {lines} lines: wrong {told['WRONG']}; {text}; "
              f"{time.monotonic() - began:.0f} s", flush=True)  # fmt: skip
    return 0 if wrong[0] == 0 and wrong[1] > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
