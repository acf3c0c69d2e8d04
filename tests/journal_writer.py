"""A process that writes to a journal and says what was acknowledged, to be killed by a test.

    python journal_writer.py DATA SYNCHRONOUS

One line per start, `E epoch pid`, and per acknowledgement: `A epoch seq payload` or `T epoch seq payload`.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from gateway.clock import SystemClock
from gateway.store import Lane, Limits, Store


def say(text: str) -> None:
    os.write(1, f"{text}\n".encode())  # one write: a kill cuts between lines, not within


async def main(data: Path, synchronous: str) -> None:
    limits = Limits(segment=40_000, settle=0.0)
    store = await Store.open(data, SystemClock(), limits, synchronous=synchronous)
    cursor = await store.cursor("mqtt", Lane.ALARM)
    await store.cursor("mqtt", Lane.TELEMETRY)
    say(f"E {store.epoch} {os.getpid()}")
    number = 0
    while True:
        number += 1
        payload = f"{store.epoch}-{number}"
        [record] = await store.commit_alarms([payload.encode()], [(("d", "r"), payload)])
        say(f"A {record.epoch} {record.seq} {payload}")
        if number % 3 == 0:
            store.add(f"t,device=d v={number} {number}\n".encode(), 1, number)
            await store.flush()
            say(f"T {store.epoch} {number // 3} {number}")
        if number % 10 == 0:
            await cursor.confirm(store.epoch, [(number - 9, number - 9)])
            await store.upkeep()


asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
