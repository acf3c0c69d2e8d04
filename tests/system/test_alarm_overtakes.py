"""An alarm raised while a million readings wait is in InfluxDB within two seconds of the change of the register."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

import pytest
from pace import responder
from servers import Influx, Mosquitto
from stack import MISTAKEN, TOCSIN, Gateway, counters, ingest, until, write_register

from gateway.clock import SystemClock
from gateway.store import Lane, Limits, Store

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

pytestmark = [pytest.mark.system, pytest.mark.alone]

WAITING = 1_000_000
DEVICES = 8
PROMISED = 2.0  # seconds
AT_ONCE = 5_000  # lines


async def fill(data: Path, lines: int) -> None:
    """Let so many lines wait in the journal, as a broker that was away for long leaves them."""
    store = await Store.open(data, SystemClock(), Limits(max_bytes=4 << 30))
    for lane in Lane:
        await store.cursor("mqtt", lane)
    at = SystemClock().now().wall - lines * 10**6 - 10**12
    for first in range(0, lines, AT_ONCE):
        times = range(at + first * 10**6, at + (first + AT_ONCE) * 10**6, 10**6)
        text = "\n".join(
            f"meter,device=old{t // 10**6 % 50} level=1i,reads={t % 60000}i,q=0i {t}" for t in times
        )
        store.add(text.encode(), AT_ONCE, times[0])
        await store.flush()
    await store.close()


@contextlib.contextmanager
def draining(folder: Path, tocsin: Sequence[str]) -> Iterator[tuple[Gateway, Influx, Sequence[int]]]:
    """A gateway that has just begun to send a million and a half waiting lines."""
    asyncio.run(fill(folder / "data", WAITING * 3 // 2))
    with (
        Mosquitto(folder / "broker") as broker,
        Influx(folder / "influx") as influx,
        responder("tcp", DEVICES) as ports,
        ingest(folder, broker, influx),
        Gateway(counters(folder, ports, broker.url), tocsin) as gateway,
    ):
        gateway.ready()
        until(gateway.connected, 20, "not connected")
        yield gateway, influx, ports


def stored(influx: Influx, device: str) -> bool:
    return bool(influx.rows(f"SELECT event FROM alarm WHERE device = '{device}' AND rule = 'high'"))


def seconds_until_stored(influx: Influx, port: int, device: str, patience: float) -> float:
    began = time.monotonic()
    write_register(port, 0, 400)
    while not stored(influx, device) and time.monotonic() - began < patience:
        time.sleep(0.005)  # looks at another process, with a deadline
    return time.monotonic() - began


def test_an_alarm_behind_a_million_waiting_readings_is_stored_within_two_seconds(tmp_path: Path) -> None:
    with draining(tmp_path, TOCSIN) as (gateway, influx, ports):
        took = []
        for n, port in enumerate(ports):
            waiting = gateway.waiting()["telemetry"]["rows"]
            if waiting < WAITING:
                break
            took.append((seconds_until_stored(influx, port, f"d{n}", 10.0), waiting))
        print("\n" + ", ".join(f"{seconds * 1000:.0f} ms behind {rows}" for seconds, rows in took))
        assert took, "drained too fast to be measured"
        assert max(seconds for seconds, _ in took) < PROMISED


def test_control_in_one_queue_the_alarm_waits_longer(tmp_path: Path) -> None:
    with draining(tmp_path, (*MISTAKEN, "fifo")) as (gateway, influx, ports):
        waiting = gateway.waiting()["telemetry"]["rows"]
        took = seconds_until_stored(influx, ports[0], "d0", 2 * PROMISED)
        print(f"\none queue: not stored after {took:.1f} s behind {waiting}")
        assert waiting > WAITING
        assert took > PROMISED
