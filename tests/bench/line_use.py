"""How much of a serial wire the line uses, and whether it keeps the silences: 16 devices x 10 registers.

    python tests/bench/line_use.py [SECONDS] [BAUD ...]

The devices answer after exactly 3.5 characters on a paced pty; the limit is that of the wire (13 + 20
characters and two silences per exchange). Exit 0 when the share and the silences are as promised.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import tempfile
import time
from pathlib import Path

import _checkout  # noqa: F401  first: it says where the others are
import pace

from drivers.errors import NoAnswer
from drivers.line.settings import LineSettings
from drivers.modbus import pdu
from drivers.registry import make_line

DEVICES = 16
REGISTERS = 10
PROMISED = {9600: 0.95, 115200: 0.85}


async def poll(path: str, baud: int, seconds: float) -> tuple[int, float]:
    line = make_line(LineSettings("use", "modbus-rtu", serial=path, baud=baud))
    queries = [pdu.read(unit, 3, 0, REGISTERS) for unit in range(1, DEVICES + 1)]
    await line.open()
    end = time.monotonic() + seconds
    began = time.process_time()
    while time.monotonic() < end:
        for query in queries:
            try:
                await line.exchange(query)
            except NoAnswer:  # on a busy machine the far end may be late
                continue
    used = time.process_time() - began
    await line.close()
    if line.stats.timeouts:
        print(f"{line.stats.timeouts} timeouts: this machine is too busy to measure on")
    assert not line.stats.crc_errors, line.stats.to_dict()
    return line.stats.replies, used / line.stats.replies


def run(baud: int, seconds: float) -> bool:
    log = Path(tempfile.mkdtemp()) / "bytes.log"
    with pace.paced_pair(baud, 10, log, units=DEVICES) as line:
        replies, cpu = asyncio.run(poll(line.app, baud, seconds))
    use = pace.use(log, baud, 10, REGISTERS)
    gaps = pace.gaps(log, baud, 10)
    silence = pace.silence(baud, 10)
    inside = sum(gap < silence for gap in gaps)
    print(
        f"{baud:6} baud: {use.rate:6.1f} exchanges/s of {pace.wire_limit(baud, 10, REGISTERS):.1f}, "
        f"{use.share:.1%} of the wire; shortest silence {min(gaps) * 1e3:.3f} ms of {silence * 1e3:.3f}, "
        f"{inside} of {len(gaps)} inside; {replies} replies, {cpu * 1e3:.3f} ms CPU each",
        flush=True,
    )
    return use.share >= PROMISED.get(baud, 0.0) and inside == 0


def main() -> int:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 20.0
    bauds = [int(baud) for baud in sys.argv[2:]] or [9600, 115200]
    good = [run(baud, seconds) for baud in bauds]
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
