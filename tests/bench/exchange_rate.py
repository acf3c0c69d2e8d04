"""As fast as it goes over TCP: exchanges a second through lines and devices, decoding included, on one core.

    python tests/bench/exchange_rate.py [SECONDS] [CONNECTIONS] [tcp|rtu]

Each connection has one device with ten registers, read block by block as a poller would. The far end is
C in a process of its own.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import time

import _checkout  # noqa: F401  first: it says where the others are
import pace

from drivers.line.settings import LineSettings
from drivers.profile import Point, Profile
from drivers.registers import PointType
from drivers.registry import make_device, make_line

PROFILE = Profile(
    kind="meter",
    name={},
    source="a bench",
    points={f"p{n}": Point(f"holding:{n}", PointType.UINT16, scale=0.1) for n in range(10)},
)
POINTS = PROFILE.reported


async def one(port: int, protocol: str, end: float) -> int:
    line = make_line(LineSettings(f"l{port}", protocol, tcp=f"127.0.0.1:{port}"))
    device = make_device("d", PROFILE, 1, line)
    await line.open()
    done = 0
    while time.monotonic() < end:
        values, _ = await device.read(POINTS)
        done += len(values) == 10
    await line.close()
    return done


async def run(ports: list[int], protocol: str, seconds: float) -> None:
    began, cpu = time.monotonic(), time.process_time()
    done = sum(await asyncio.gather(*(one(port, protocol, began + seconds) for port in ports)))
    took, used = time.monotonic() - began, time.process_time() - cpu
    print(
        f"{protocol}, {len(ports)} connections: {done / took:,.0f} exchanges/s, {used / done * 1e6:.1f} us CPU "
        f"each, {done / used:,.0f} per CPU second; {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB"
    )


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    connections = int(sys.argv[2]) if len(sys.argv) > 2 else 32
    for framing in sys.argv[3:4] or ["tcp", "rtu"]:
        with pace.responder(framing, connections) as ports:
            asyncio.run(run(ports, f"modbus-{framing}", seconds))


if __name__ == "__main__":
    main()
