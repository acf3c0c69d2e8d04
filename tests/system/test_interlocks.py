"""The dramas: a charging port cut, a gas valve closed, on a real wire; what did not happen is an alarm."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import threading
import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from playing import free_port
from small_gateway import Running, encode

from gateway.cli.client import Daemon
from gateway.cli.output import Failure
from gateway.model import Command, Outcome
from gateway.store.worker import Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DELAY = 0.5  # seconds of the limit
SITE = """\
site: lvjing
gateway: gw-01
timezone: Asia/Shanghai
data: {folder}/data
demo: true
lines:
  plant: {{tcp: "127.0.0.1:{port}", protocol: modbus-tcp, timeout: 200ms}}
devices:
  pile-1:
    profile: charging_pile/switched
    line: plant
    address: 1
    every: 100ms
    allow_writes: [port]
    rules: {{over-current: {{on_delay: 500ms, off_delay: 200ms}}}}
  gas-1:
    profile: gas/generic
    line: plant
    address: 2
    every: 100ms
    rules: {{lel-high: {{off_delay: 200ms}}, lel-high-high: {{off_delay: 200ms}}}}
  valve-1: {{profile: contact/gas-valve, line: plant, address: 3, every: 200ms, allow_writes: [valve]}}
  fan-1: {{profile: contact/relay, line: plant, address: 4, every: 200ms, allow_writes: [relay]}}
  siren-1: {{profile: contact/siren, line: plant, address: 5, every: 200ms, allow_writes: [siren]}}
interlocks:
  cut-1: {{when: [pile-1/over-current], order: {{device: pile-1, point: port, value: "off"}}, within: 2s}}
  valve:
    when: ["gas-*/lel-high-high"]
    order: {{device: valve-1, point: valve, value: closed}}
    within: 1s
  fan:
    when: ["gas-*/lel-high"]
    order: {{device: fan-1, point: relay, value: "on"}}
    release: {{value: "off", after: 500ms}}
    on_stop: release
  siren:
    when: [interlock.valve/interlock-failed]
    order: {{device: siren-1, point: siren, value: "on"}}
    on_stop: act
orders: {{pause: 0s}}
store: {{telemetry: {{group: 200ms}}}}
"""


class Site(Running):
    """A gateway with outputs whose devices are played in the same thread."""

    def holds(self, device: str, point: str) -> object:
        """What a device really does, whatever the gateway believes."""
        return self.do(self.look(device, point))

    async def look(self, device: str, point: str) -> object:
        unit = self.simulation.stage.units[device]
        return unit.player.value(point, self.simulation.now())

    def writes(self, device: str) -> int:
        writes: int = self.simulation.stage.units[device].counts.writes
        return writes

    def interlock(self, name: str) -> dict[str, Any]:
        return next(shown for shown in self.daemon.get("/interlocks") if shown["name"] == name)

    def order(self, device: str, point: str, value: str) -> tuple[int, Any]:
        body = {"id": uuid.uuid4().hex, "point": point, "value": value, "actor": "w"}
        return self.ask("POST", f"/api/v1/devices/{device}/write", encode(body))

    def audit(self, **wanted: object) -> list[dict[str, Any]]:
        entries = [entry["entry"] for entry in self.daemon.get("/audit?limit=500")]
        return [e for e in entries if all(e.get(key) == value for key, value in wanted.items())]

    def deed(self, alarm: str, deed: str) -> None:
        """Acknowledge or reset an alarm as it stands."""
        row = self.daemon.get(f"/alarms/{alarm}")
        body = {"occurrence": row["occurrence"], "seen": row["activation"], "actor": "w", "comment": "seen"}
        self.daemon.post(f"/alarms/{alarm}/{deed}", body)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Site(tmp_path, SITE) as running:
        running.wait(lambda: all(d["state"] == "live" for d in running.daemon.get("/devices")))
        yield running


def test_over_current_cuts_the_port_within_two_seconds_of_the_limits_delay(site: Site) -> None:
    began = time.monotonic()
    site.play("pile-1", "current", 9.0)
    site.wait(lambda: site.writes("pile-1") == 1)
    took = time.monotonic() - began
    site.wait(lambda: site.interlock("cut-1")["state"] == "acted")
    assert site.holds("pile-1", "port") == "off"
    assert took <= DELAY + 2.0
    (entry,) = site.wait(lambda: site.audit(task="interlock", device="pile-1"))
    assert (entry["outcome"], entry["answer"]) == ("done", {"value": "off", "written": True})
    assert entry["causes"][0].startswith("pile-1/over-current ")
    assert entry["who"]["name"] == "interlock cut-1"
    row = site.daemon.get("/alarms/pile-1/over-current")
    assert row["interlocks"][0]["last"]["proven"] is True
    assert site.daemon.get("/audit/proof")["whole"] is True


def test_what_was_cut_draws_nothing_until_a_person_puts_it_back(site: Site) -> None:
    site.do(site.simulation.drama("pile-1", "overcurrent"))
    site.wait(lambda: site.holds("pile-1", "port") == "off", 25)
    site.wait(lambda: not (site.alarm("pile-1", "over-current") or {"active": False})["active"])
    assert site.holds("pile-1", "current") == 0
    assert site.order("pile-1", "port", "on")[0] == 200
    assert site.holds("pile-1", "port") == "on"


def test_gas_closes_the_valve_which_stays_closed_and_only_a_person_opens_it_again(site: Site) -> None:
    site.play("gas-1", "lel", 60)
    site.wait(lambda: site.interlock("valve")["state"] == "acted")
    site.wait(lambda: site.interlock("fan")["state"] == "acted")
    assert (site.holds("valve-1", "valve"), site.holds("fan-1", "relay")) == ("closed", "on")
    refused = site.order("valve-1", "valve", "open")
    assert (refused[0], refused[1]["reason"]) == (403, "interlocked")
    site.play("gas-1", "lel", 0)
    site.wait(lambda: site.holds("fan-1", "relay") == "off")  # its alarm clears by itself
    refused = site.order("valve-1", "valve", "open")
    assert (refused[0], refused[1]["reason"]) == (403, "interlocked"), "clear, but not reset"
    site.deed("gas-1/lel-high-high", "ack")
    site.deed("gas-1/lel-high-high", "reset")
    before = site.writes("valve-1")
    site.wait(lambda: site.interlock("valve")["causes"] == [])
    assert (site.holds("valve-1", "valve"), site.writes("valve-1")) == ("closed", before)
    assert site.order("valve-1", "valve", "open")[0] == 200
    assert site.holds("valve-1", "valve") == "open"
    outcomes = [(e["outcome"], e["why"]) for e in site.audit(task="write", device="valve-1")]
    assert outcomes == [("refused", "interlocked"), ("refused", "interlocked"), ("done", "")]


def test_a_valve_that_is_closed_already_is_left_alone(site: Site) -> None:
    assert site.order("valve-1", "valve", "closed")[0] == 200
    before = site.writes("valve-1")
    site.play("gas-1", "lel", 60)
    site.wait(lambda: site.interlock("valve")["state"] == "acted")
    (entry,) = site.wait(lambda: site.audit(task="interlock", device="valve-1"))
    assert entry["answer"] == {"value": "closed", "written": False}
    assert site.writes("valve-1") == before


def test_a_disk_that_hangs_does_not_keep_the_valve_open(site: Site) -> None:
    gate = threading.Event()
    store = site.gateway.store

    async def hang() -> asyncio.Future[bool]:
        return asyncio.ensure_future(store._worker.do(Turn.ALARM, gate.wait, 10.0))

    stuck = site.do(hang())
    try:
        site.play("gas-1", "lel", 60)
        site.wait(lambda: site.writes("valve-1") == 1)
        assert not stuck.done()
        assert not site.gateway.pipeline.counts.events, "nothing of it is on disk yet"
    finally:
        gate.set()
    site.wait(lambda: site.interlock("valve")["state"] == "acted")
    site.wait(lambda: site.audit(task="interlock", device="valve-1"))


def test_no_order_without_a_person_opens_a_gas_valve_whoever_made_it(site: Site) -> None:
    """The last lock: should settings and interlocks be wrong, the one place that lets orders through is not."""
    commands, now = site.gateway.api.commands, site.gateway.api.clock.mono()
    order = Command("x", "valve-1", "valve", "open", now + 10, "interlock valve", automatic=True)
    answer = site.do(commands.execute(order))
    assert (answer.outcome, answer.reason) == (Outcome.REFUSED, "person_only")
    assert site.writes("valve-1") == 0


def test_a_cut_off_that_does_not_happen_is_an_alarm_and_sounds_the_siren(site: Site) -> None:
    site.do(site.simulation.fault("valve-1", "refuse_writes"))
    site.play("gas-1", "lel", 60)
    failed = site.wait(lambda: site.alarm("interlock.valve", "interlock-failed"))
    assert failed is not None
    assert (failed["level"], failed["class"], failed["protected"]) == (1, "safety", True)
    site.wait(lambda: site.holds("siren-1", "siren") == "on")
    assert site.interlock("valve")["state"] == "failed"
    (entry,) = (site.audit(task="interlock", device="valve-1", outcome="refused")
                or site.audit(task="interlock", device="valve-1", outcome="failed"))  # fmt: skip
    assert entry["try"] == 1, "tries that end alike are one entry"
    assert site.interlock("valve")["errand"]["tries"] >= 2
    site.do(site.simulation.heal("valve-1", "refuse_writes"))
    site.wait(lambda: site.interlock("valve")["state"] == "acted", 20)
    assert site.holds("valve-1", "valve") == "closed"


def test_at_an_orderly_stop_outputs_do_what_the_site_says(tmp_path: Path) -> None:
    with Site(tmp_path, SITE) as site:
        site.wait(lambda: all(d["state"] == "live" for d in site.daemon.get("/devices")))
        assert site.order("fan-1", "relay", "on")[0] == 200
    units, now = site.simulation.stage.units, site.simulation.now()
    ends = {
        device: units[device].player.value(point, now)
        for device, point in (("fan-1", "relay"), ("siren-1", "siren"), ("valve-1", "valve"))
    }
    assert ends == {"fan-1": "off", "siren-1": "on", "valve-1": "open"}


def start(folder: Path, verb: str, *more: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "gateway.cli", verb, "-c", str(folder / "site.yaml"), *more]
    with (folder / f"{verb}.log").open("ab") as out:
        return subprocess.Popen(command, stdout=out, stderr=out)


def wait(what: Callable[[], Any], seconds: float = 20.0) -> Any:
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, "did not come true"
        time.sleep(0.02)
    return found


def shown(daemon: Daemon, name: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = daemon.get("/interlocks")
    return next(each for each in found if each["name"] == name)


@pytest.mark.slow
def test_a_kill_between_the_order_and_its_proof_neither_loses_it_nor_writes_it_twice(tmp_path: Path) -> None:
    """The valve refuses until the gateway was killed; the next one closes it, for the same cause.

    The quick variant is `tests/rules/test_interlocks_always.py`, where kills fall anywhere.
    """
    site = SITE.format(folder=tmp_path, port=free_port())
    (tmp_path / "site.yaml").write_text(site, "utf-8")
    (tmp_path / "script.yaml").write_text(
        "- {at: 0s, device: gas-1, set: {lel: 60}}\n"
        "- {at: 0s, device: valve-1, fault: refuse_writes, for: 6s}\n",
        "utf-8",
    )
    daemon = Daemon(tmp_path / "data" / "api.sock", timeout=10)
    player = start(tmp_path, "simulate", "--script", str(tmp_path / "script.yaml"))
    first = start(tmp_path, "run")
    second = None
    try:
        wait((tmp_path / "data" / "api.sock").exists)
        before = wait(
            lambda: (found := shown(daemon, "valve"))["errand"] and found["errand"]["tries"] and found
        )
        first.send_signal(signal.SIGKILL)
        first.wait(10)
        second = start(tmp_path, "run")
        wait(lambda: _answers(daemon))
        after = wait(lambda: (found := shown(daemon, "valve"))["last"] and found)
        assert after["last"]["proven"] is True
        assert after["last"]["due"] == before["errand"]["due"], "the same order, not another"
        entries = [e["entry"] for e in daemon.get("/audit?limit=500")]
        ours = [e for e in entries if e.get("device") == "valve-1" and e["outcome"] == "done"]
        assert len(ours) == 1
        assert ours[0]["errand"] == before["errand"]["id"]
    finally:
        for process in filter(None, (first, second, player)):
            process.kill()
            process.wait(10)
    assert "Traceback" not in (tmp_path / "run.log").read_text("utf-8")
    assert json.loads((tmp_path / "simulate.log").read_text("utf-8").splitlines()[0])["event"] == "ready"


def _answers(daemon: Daemon) -> bool:
    try:
        return bool(daemon.get("/status")["epoch"] == 2)
    except Failure:  # it is starting
        return False
