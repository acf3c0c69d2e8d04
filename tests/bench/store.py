"""What the journal costs: bytes to the disk per reading, an alarm's commit beside a backlog, a group.

    python tests/bench/store.py [FOLDER]

FOLDER should lie on the disk that is to be measured. Bytes are the process's own `write_bytes`
(/proc/self/io): what it made dirty, the file system's journal not included.
"""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from gateway.clock import SystemClock
from gateway.store import Cursor, Lane, Store

DEVICES = 250
LINES = 500  # two seconds of 250 devices


def group(number: int, seed: random.Random) -> bytes:
    """Return lines as they come from real devices: values that wander, times a second apart."""
    at = 1_790_000_000_000_000_000 + number * 2 * 10**9
    lines = [
        f"gas,device=gas-b{d % 9}-{d:03} lel={seed.gauss(3, 0.4):.1f},co={seed.randrange(6)}i,q=0i"
        f" {at + s * 10**9 + seed.randrange(10**9)}"
        for s in range(2)
        for d in range(DEVICES)
    ]
    return "\n".join(lines).encode()


def written() -> int:
    """Return the bytes this process has caused to be written."""
    for line in Path("/proc/self/io").read_text(encoding="ascii").splitlines():
        name, _, value = line.partition(": ")
        if name == "write_bytes":
            return int(value)
    return 0


async def drain(cursor: Cursor) -> None:
    """Read the backlog over and over, as a link does that has come back."""
    while True:
        after = None
        while records := await cursor.read(after, 64):
            after = records[-1].place


async def feed(store: Store, groups: list[bytes]) -> None:
    """Go on storing groups, twenty times as fast as they would come."""
    number = 0
    while True:
        store.add(groups[number % len(groups)], LINES, number)
        await store.flush()
        await asyncio.sleep(0.1)
        number += 1


async def alarms(store: Store, count: int) -> list[float]:
    """Return how long each of some commits took, one every few milliseconds."""
    took = []
    for number in range(count):
        event = json.dumps({"n": number, "message": "x" * 300}).encode()
        begun = time.perf_counter()
        await store.commit_alarms([event], [(("gas-b1-007", "lel-high"), {"n": number, "state": "active"})])
        took.append(time.perf_counter() - begun)
        await asyncio.sleep(0.005)
    return took


def shown(name: str, took: list[float]) -> None:
    """Print a distribution in milliseconds."""
    ranked = sorted(took)
    p50, p99 = statistics.median(ranked), ranked[int(len(ranked) * 0.99)]
    print(f"{name:44} p50 {p50 * 1e3:7.2f}  p99 {p99 * 1e3:7.2f}  max {ranked[-1] * 1e3:7.2f} ms")


async def fill(store: Store, groups: list[bytes], count: int) -> None:
    """Store a backlog and say what it cost."""
    before, cpu, begun, took = written(), time.process_time(), time.perf_counter(), []
    for number in range(count):
        store.add(groups[number % len(groups)], LINES, 1_790_000_000_000_000_000 + number * 2 * 10**9)
        start = time.perf_counter()
        await store.flush()
        took.append(time.perf_counter() - start)
        await store.upkeep()
    rows = count * LINES
    spent = time.perf_counter() - begun
    shown("group of 500 lines to disk", took)
    print(f"{'bytes written per line':44} {(written() - before) / rows:7.1f}")
    print(f"{'CPU per line':44} {(time.process_time() - cpu) / rows * 1e6:7.2f} us")
    print(f"{'lines stored per second':44} {rows / spent:7.0f}")


async def main(folder: Path) -> None:
    """Run all of it."""
    seed = random.Random(1)
    groups = [group(number, seed) for number in range(20)]
    store = await Store.open(folder, SystemClock())
    telemetry = await store.cursor("mqtt", Lane.TELEMETRY)
    await store.cursor("mqtt", Lane.ALARM)
    shown("alarm commit, empty journal", await alarms(store, 500))
    await fill(store, groups, 2000)
    print(f"{'readings waiting':44} {telemetry.backlog.rows:7}, {store.health.size / 2**20:.1f} MiB")
    shown("alarm commit, 1,000,000 waiting, link idle", await alarms(store, 500))
    loads = [asyncio.create_task(drain(telemetry)), asyncio.create_task(feed(store, groups))]
    shown("the same while it drains and fills", await alarms(store, 500))
    for load in loads:
        load.cancel()
    await asyncio.gather(*loads, return_exceptions=True)
    begun = time.perf_counter()
    await store.commit_alarms([b"{}" * 150] * 10_000, [])
    print(f"{'10,000 alarms in one call':44} {time.perf_counter() - begun:7.3f} s")
    begun, size = time.perf_counter(), 0
    after = None
    while records := await telemetry.read(after, 64):
        after, size = records[-1].place, size + sum(r.count for r in records)
    print(f"{'lines read back per second':44} {size / (time.perf_counter() - begun):7.0f}")
    found = await store.history("gas-b1-010", 0, 1 << 62, 5000)
    begun = time.perf_counter()
    found = await store.history("gas-b1-010", 0, 1 << 62, 5000)
    print(
        f"{'history, newest of one device':44} {time.perf_counter() - begun:7.3f} s, {len(found.lines)} lines"
    )
    await store.close()
    begun = time.perf_counter()
    store = await Store.open(folder, SystemClock())
    print(f"{'start with all that':44} {time.perf_counter() - begun:7.3f} s")
    await store.close()


if __name__ == "__main__":
    place = Path(tempfile.mkdtemp(prefix="tocsin-bench-", dir=sys.argv[1] if len(sys.argv) > 1 else None))
    try:
        asyncio.run(main(place / "data"))
    finally:
        shutil.rmtree(place)
