"""A Modbus TCP server of pymodbus with registers from a file of lines "TABLE ADDRESS VALUE".

    python pymodbus_server.py tcp|rtu UNIT FILE      (rtu: RTU frames over TCP)
    python pymodbus_server.py PATH UNIT FILE         (RTU on that serial port)

Prints its port ("ready" on a serial port) and serves until its standard input ends.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from pathlib import Path

from pymodbus import FramerType
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
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
    way, unit, path = sys.argv[1:]
    held = [device(int(unit), path)]
    server: ModbusSerialServer | ModbusTcpServer
    if way in {"tcp", "rtu"}:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        framer = FramerType.RTU if way == "rtu" else FramerType.SOCKET
        server = ModbusTcpServer(held, framer=framer, address=("127.0.0.1", port))
    else:
        port = "ready"
        server = ModbusSerialServer(held, framer=FramerType.RTU, port=way, baudrate=115200)
    await server.serve_forever(background=True)
    print(port, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await server.shutdown()  # type: ignore[no-untyped-call]  # not typed there


asyncio.run(main())
