"""DL/T 645-2007 as others wrote it (PyPI dlt645): a meter that serves given values, or a client that reads some.

    python dlt645_peer.py serve tcp|PATH ADDRESS FILE    (FILE: a JSON object, identifier -> value)
    python dlt645_peer.py read PORT|PATH ADDRESS DI ...

`serve` prints "ready PORT" and serves until its standard input ends; `read` prints "read {DI: value}" as JSON,
null for what was not answered, and the meter's own address under "address". The package logs to stdout.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path

from dlt645 import MeterClientService, MeterServerService

EVEN_ON_A_PTY = "N"  # a pty has no parity


def on_the_wire(address: str) -> str:
    """Return the pairs of digits in the order of the wire, lowest first, which is how the package wants them."""
    return bytes.fromhex(address)[::-1].hex()


def serve(way: str, address: str, file: str) -> None:
    port = 0
    if way == "tcp":
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        meter = MeterServerService.new_tcp_server("127.0.0.1", port, 60)
    else:
        meter = MeterServerService.new_rtu_server(way, 8, 1, 115200, EVEN_ON_A_PTY, 60)
    meter.set_address(on_the_wire(address))
    setters = {"00": meter.set_00, "02": meter.set_02, "04": meter.set_04}
    for di, value in json.loads(Path(file).read_text(encoding="utf-8")).items():
        if not setters[di[:2]](int(di, 16), value):
            raise SystemExit(f"{di} was not taken")
    if not meter.server.start():
        raise SystemExit("it did not start")
    print(f"\nready {port}", flush=True)
    sys.stdin.read()
    os._exit(0)  # its own stop waits for its connections


def read(way: str, address: str, wanted: list[str]) -> None:
    if way.isdecimal():
        client = MeterClientService.new_tcp_client("127.0.0.1", int(way), 2)
    else:
        client = MeterClientService.new_rtu_client(way, 115200, 8, 1, EVEN_ON_A_PTY, 2)
    client.set_address(on_the_wire(address))
    readers = {"00": client.read_00, "02": client.read_02, "04": client.read_04}
    told = {}
    for di in wanted:
        item = readers[di[:2]](int(di, 16))
        told[di] = None if item is None else item.value
    own = client.read_address()
    told["address"] = None if own is None else on_the_wire(str(own.value))
    client.disconnect()
    print(f"\nread {json.dumps(told, default=str)}", flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(*sys.argv[2:5])
    else:
        read(sys.argv[2], sys.argv[3], sys.argv[4:])
