"""A Modbus TCP server of pymodbus with registers from a file of lines "TABLE ADDRESS VALUE".

    python pymodbus_server.py tcp|rtu UNIT FILE      (rtu: RTU frames over TCP)

Prints its port and serves until its standard input ends.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from pathlib import Path

from pymodbus import FramerType
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

TABLES = ("coil", "discrete", "holding", "input")
TOP = 4096


def device(unit: int, path: str) -> SimDevice:
    held: dict[str, dict[int, int]] = {table: {} for table in TABLES}
    for line in Path(path).read_text().splitlines():
        table, address, value = line.split()
        held[table][int(address)] = int(value)

    def block(table: str) -> list[SimData]:
        bits = table in {"coil", "discrete"}
        values = [held[table].get(address, 0) for address in range(TOP)]
        kind = DataType.BITS if bits else DataType.REGISTERS
        return [SimData(0, values=[bool(v) for v in values] if bits else values, datatype=kind)]

    return SimDevice(unit, simdata=(block("coil"), block("discrete"), block("holding"), block("input")))


async def main() -> None:
    framing, unit, path = sys.argv[1:]
    framer = FramerType.RTU if framing == "rtu" else FramerType.SOCKET
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = ModbusTcpServer([device(int(unit), path)], framer=framer, address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    print(port, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await server.shutdown()  # type: ignore[no-untyped-call]  # not typed there


asyncio.run(main())
