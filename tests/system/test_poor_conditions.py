"""A gateway starts with nothing there, lives through a stepped clock and a full disk, and delivers all in the end."""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from disks import disk
from mqtt_ear import Ear
from pace import compiler, paced_pair, responder
from servers import Influx, Mosquitto
from stack import (
    Gateway,
    committed_events,
    committed_telemetry,
    counters,
    counts_of,
    holes,
    ingest,
    missing,
    until,
    write_register,
    write_site,
)

from gateway import app
from gateway.clock import SystemClock
from gateway.config import load
from gateway.model import Instant
from gateway.store import Store

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.system


@pytest.mark.skipif(compiler() is None, reason="needs a C compiler for the paced line")
def test_a_gateway_that_starts_with_nothing_there_delivers_all_when_things_come(tmp_path: Path) -> None:
    """No broker, no database, no serial port, one TCP endpoint that refuses: only one device can be read."""
    broker, influx = Mosquitto(tmp_path / "broker"), Influx(tmp_path / "influx")
    port = tmp_path / "ttyUSB0"
    with ExitStack() as later, responder("tcp", 2) as ports:
        lines = {
            "here": f'{{tcp: "127.0.0.1:{ports[0]}", protocol: modbus-tcp}}',
            "refusing": '{tcp: "127.0.0.1:1", protocol: modbus-tcp}',
            "unplugged": f"{{serial: {port}, baud: 9600, protocol: modbus-rtu}}",
        }
        devices = {
            "d0": "{profile: test/counter, line: here, address: 1, every: 100ms}",
            "nobody": "{profile: test/counter, line: refusing, address: 1, every: 1s}",
            "serial": "{profile: test/counter, line: unplugged, address: 3, every: 1s}",
        }
        gateway = later.enter_context(Gateway(write_site(tmp_path, lines, devices, broker.url)))
        far_end = later.enter_context(ingest(tmp_path, broker, influx))
        until(lambda: told(gateway, "d0") == "live", 60, "the one that is there is not read")
        assert not gateway.connected()
        assert [line["open"] for line in gateway.status()["lines"]] == [True, False, False]
        write_register(ports[0], 0, 400)
        until(lambda: any(a["rule"] == "high" for a in gateway.api.get("/alarms")), 20, "no alarm")
        port.symlink_to(later.enter_context(paced_pair(9600, 10, tmp_path / "log", units=15)).app)
        until(lambda: told(gateway, "serial") == "live", 60, "the port that came is not used")
        later.enter_context(broker)
        until(gateway.connected, 90, "the broker that came is not used")
        later.enter_context(influx)
        until(lambda: gateway.backlog() <= 1, 90, "backlog")
        assert gateway.end() == 0
        assert far_end.end() == 0
        assert missing(tmp_path / "data", influx) == (set(), set(), set())
        counts = counts_of(influx, "d0")
        assert counts[0] == 0
        assert holes(counts) == []


def told(gateway: Gateway, device: str) -> str:
    states = {d["name"]: str(d["state"]) for d in gateway.api.get("/devices")} if gateway.status() else {}
    return states.get(device, "")


class Stepped(SystemClock):
    """This machine's clocks, but for a wall clock that is set now and then."""

    offset = 0.0  # seconds

    def now(self) -> Instant:
        now = super().now()
        return Instant(now.mono, now.wall + round(self.offset * 1e9), now.synced)


@pytest.mark.alone
@pytest.mark.parametrize("step", [-3600.0, 10 * 365.25 * 86400, -1_700_000_000.0])
async def test_a_stepped_clock_delays_no_alarm_and_repeats_no_time(step: float, tmp_path: Path) -> None:
    """Back an hour, on ten years, back to 1972: in the middle of the on-delay of an alarm."""
    clock = Stepped()
    with responder("tcp", 1) as ports:
        site_file = counters(tmp_path, ports, "", every="50ms")
        text = site_file.read_text("utf-8").replace(
            "every: 50ms}", "every: 50ms, rules: {high: {on_delay: 1s}}}"
        )
        site_file.write_text(text, "utf-8")
        site = load(site_file)
        store = await Store.open(site.data, clock)
        gateway = await app.build(site, clock, store)
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(poller.run()) for poller, _ in gateway.pollers.values()]
            running.append(tasks.create_task(app.tick(gateway.pipeline, clock)))
            await asyncio.sleep(0.5)
            await asyncio.to_thread(write_register, ports[0], 0, 400)
            began = clock.mono()
            await asyncio.sleep(0.5)
            clock.offset = step
            async with asyncio.timeout(3):
                while not gateway.pipeline.counts.events:  # noqa: ASYNC110  looks at the result of other tasks
                    await asyncio.sleep(0.01)
            took = clock.mono() - began
            await asyncio.sleep(0.3)
            for task in running:
                task.cancel()
        await store.close()
    assert 1.0 <= took < 1.5
    (event,) = committed_events(site.data).values()
    assert (event["event"], event["device"]) == ("raise", "d0")
    times = sorted(
        (int(float(fields.split("reads=")[1].split(",")[0])), row.at)
        for row, fields in committed_telemetry(site.data).items()
    )
    assert [count for count, _ in times] == list(range(len(times)))
    stamps = [at for _, at in times]
    assert len(set(stamps)) == len(stamps), "a time was repeated"
    turns = [n for n, (one, next_) in enumerate(pairwise(stamps)) if next_ < one]
    assert len(turns) == (step < 0), "order is lost once, where the clock was set back, and nowhere else"
    assert abs(stamps[-1] - clock.now().wall) < 5e9, "the times follow the clock as it is now"


@pytest.mark.slow
async def test_on_a_full_disk_alarms_are_announced_all_the_same(tmp_path: Path) -> None:
    with ExitStack() as stack:
        stack.enter_context(disk(tmp_path / "data", 8))
        broker = stack.enter_context(Mosquitto(tmp_path / "broker"))
        influx = stack.enter_context(Influx(tmp_path / "influx"))
        ports = stack.enter_context(responder("tcp", 2))
        stack.enter_context(ingest(tmp_path, broker, influx))
        gateway = stack.enter_context(Gateway(counters(tmp_path, ports, broker.url)))
        await asyncio.to_thread(gateway.ready)
        await asyncio.to_thread(until, gateway.connected)
        async with Ear(broker.url, "tocsin/v1/stack/gw-01/event") as ear:
            await asyncio.to_thread(fill_up, tmp_path / "data" / "ballast")
            await asyncio.to_thread(
                until, lambda: not gateway.status()["store"]["telemetry_stored"], 30, "not full"
            )
            before = len(ear.heard)
            began = time.monotonic()
            for n, port in enumerate(ports):
                write_register(port, 0, 400)
                await asyncio.to_thread(until_stored, influx, f"d{n}")
            took = time.monotonic() - began
            assert len(ear.heard) > before
            state = gateway.status()["store"]
            (tmp_path / "data" / "ballast").unlink()
            await asyncio.to_thread(
                until, lambda: gateway.status()["store"]["telemetry_stored"], 30, "no recovery"
            )
            await asyncio.to_thread(
                until, lambda: gateway.status()["store"]["alarms_durable"], 30, "no recovery"
            )
        await asyncio.to_thread(until, lambda: gateway.backlog() <= 1, 60, "backlog")
        assert gateway.end() == 0
        print(f"\nfull ({state['why']}): two alarms stored at the far end after {took:.2f} s")
        no_events, no_telemetry, _ = missing(tmp_path / "data", influx)
        assert (no_events, no_telemetry) == (set(), set())


def fill_up(file: Path) -> None:
    """Write until nothing more goes in."""
    with file.open("wb", buffering=0) as out:
        for size in (1 << 16, 1 << 12, 1):
            while True:
                try:
                    out.write(b"\0" * size)
                except OSError:
                    break


def until_stored(influx: Influx, device: str) -> None:
    query = f"SELECT event FROM alarm WHERE device = '{device}' AND rule = 'high'"
    until(lambda: influx.rows(query), 10, "no alarm")
