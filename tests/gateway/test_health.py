"""What people, rules and the database see of the gateway."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from clock import FakeClock
from small_gateway import SITE, Running, write_site

from gateway import app, health
from gateway.clock import SystemClock
from gateway.config import load
from gateway.poller import Poller
from gateway.store import Store
from gateway.telemetry import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.host import HostHealth

KEYS = Path(__file__).parent / "report_keys.json"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    text = SITE + 'mqtt: {{url: "mqtt://127.0.0.1:1"}}\n'  # nobody is there: the link is away
    with Running(tmp_path_factory.mktemp("gw"), text) as gateway:
        gateway.wait(lambda: gateway.gateway.pipeline.counts.samples > 4)
        yield gateway


def shape(data: object) -> Any:
    """The keys and the kinds of values, whatever they are."""
    if isinstance(data, dict):
        return {key: shape(value) for key, value in sorted(data.items())}
    if isinstance(data, list):
        return [shape(data[0])] if data else []
    if data is None or (isinstance(data, int | float) and not isinstance(data, bool)):
        return "number or nothing yet"
    return type(data).__name__


def test_the_shape_of_what_is_shown_stays(running: Running) -> None:
    """Others read it: the console, scripts, the health topic. Adding is free; change this file knowingly."""
    running.play("box-1", "lel", 40)
    running.wait(running.alarm)
    status = running.daemon.get("/status")
    found = {
        "status": shape(status),
        "device": shape(running.daemon.get("/devices/box-1")),
        "alarm": shape(running.daemon.get("/alarms/box-1/lel-high")),
    }
    assert found == json.loads(KEYS.read_text("utf-8"))


def test_status_counts_what_stands(running: Running) -> None:
    running.play("box-1", "lel", 40)
    running.wait(running.alarm)
    status = running.daemon.get("/status")
    assert (status["alarms"]["2"], status["alarms"]["unacked"]) == (1, 1)
    assert status["data"]["points"] == status["data"]["good"] == 6
    assert status["links"][0]["connected"] is False
    assert status["links"][0]["why"]


def test_each_device_has_a_line_of_health(running: Running) -> None:
    running.gateway.health._devices_at = -1e9
    before = running.gateway.pipeline.counts.health
    running.do(running.gateway.health.step())
    assert running.gateway.pipeline.counts.health == before + 4  # two devices, a line, the gateway
    found = running.wait(lambda: _told(running, "device_health"))
    line = parse(found[-1])
    assert line.tags == {"device": "box-1"}
    assert line.fields["battery"] == 80
    rate = line.fields["error_rate"]
    assert isinstance(rate, float)
    assert 0.0 <= rate < 0.5
    assert line.fields["state"] == "live"
    assert {"age", "polls", "cycle", "p50", "p95", "timeouts"} <= line.fields.keys()


def test_a_line_of_health_per_device_comes_once_a_minute(running: Running) -> None:
    running.do(running.gateway.health.step())
    before = running.gateway.pipeline.counts.health
    running.do(running.gateway.health.step())
    assert running.gateway.pipeline.counts.health == before + 2
    assert health.DEVICES_EVERY == 60.0


def _told(running: Running, measurement: str) -> list[str]:
    lines: list[str] = running.daemon.get("/devices/box-1/history")["lines"]
    return [line for line in lines if line.startswith(measurement + ",")]


@pytest.mark.parametrize("synced", [True, False])
async def test_the_clock_is_called_synchronised_when_the_host_says_so(tmp_path: Path, synced: bool) -> None:
    site, clock = load(write_site(tmp_path)), SystemClock()
    store = await Store.open(site.data, clock)
    try:
        gateway = await app.build(site, clock, store)
        seen: HostHealth = replace(gateway.host.last, clock_synced=synced)
        gateway.host.look = lambda: seen  # type: ignore[method-assign]  # the machine's own clock is what it is
        before = clock.now()
        await gateway.health.step()
        assert clock.now().synced is synced
        assert 0 <= clock.now().mono - before.mono < 5, "the label changes, the time does not"
    finally:
        await store.close()


async def test_a_time_never_repeats_in_a_series_even_when_the_clock_is_set_back(tmp_path: Path) -> None:
    site, clock = load(write_site(tmp_path)), FakeClock()
    store = await Store.open(site.data, clock)
    try:
        gateway = await app.build(site, clock, store)
        first = gateway.health._stamp(clock.now())
        clock.step_wall(-1)
        second = gateway.health._stamp(clock.now())
        assert second.wall > first.wall
        clock.step_wall(-3600)
        third = gateway.health._stamp(clock.now())
        assert (
            0 <= clock.now().wall - third.wall + 1000 <= 2000
        )  # it does not stay in a future that was wrong
        assert third.mono == clock.mono()
    finally:
        await store.close()


async def test_an_alarm_of_a_device_that_left_the_site_does_not_end_the_start(tmp_path: Path) -> None:
    with Running(tmp_path) as running:
        running.play("box-2", "lel", 40)
        running.wait(lambda: running.alarm("box-2"))
    shorter = "\n".join(line for line in SITE.splitlines() if "box-2" not in line) + "\n"
    with Running(tmp_path, shorter) as running:
        told = running.wait(lambda: [e for e in running.daemon.get("/events") if e["device"] == "box-2"])
        assert "clear" in {event["event"] for event in told}
        running.wait(lambda: running.daemon.get("/status")["counts"]["samples"] > 0)


def test_a_device_that_is_really_polled_slower_is_not_taken_for_stale(running: Running) -> None:
    poller, _ = next(iter(running.gateway.pollers.values()))
    assert isinstance(poller, Poller)
    poller.schedule.units["box-2"].life.cycle = 50.0
    running.do(running.gateway.health.step())
    engine = running.gateway.pipeline._engine
    assert {alarm.interval for alarm in engine.alarms() if alarm.spec.device == "box-2"} == {50.0}
    assert {alarm.interval for alarm in engine.alarms() if alarm.spec.device == "box-1"} != {50.0}
