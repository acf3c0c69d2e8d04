"""Everything that speaks by itself, through the daemon: a stream, boards that dial in, a panel's printer, a cover on a battery."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from daemons import running, simulated, tocsin, wait
from mqtt_ear import Ear
from playing import free_port
from servers import Mosquitto

from gateway.telemetry import parse

if TYPE_CHECKING:
    from pathlib import Path

SITE = """\
site: lvjing
gateway: gw-01
timezone: Asia/Shanghai
data: {folder}/data
demo: true
lines:
  tilt: {{serial: {folder}/tilt, baud: 115200, protocol: witmotion}}
  piles: {{listen: "127.0.0.1:{piles}", protocol: dc589}}
  panel: {{serial: {folder}/panel, protocol: gst9000}}
  covers: {{listen: "127.0.0.1:{covers}", protocol: modbus-report}}
devices:
  cover-1: {{profile: manhole/witmotion-stream, line: tilt, address: 1}}
  cover-2: {{profile: manhole/battery-cover, line: covers, address: 9}}
  pile-1: {{profile: charging_pile/dc589, line: piles, address: "5348111111111111", ports: 4, allow_writes: [charging_3]}}
  pile-2: {{profile: charging_pile/dc589, line: piles, address: "5348111111111112", ports: 14}}
  {stranger}
  panel: {{profile: smoke/gst9000-panel, line: panel, address: panel}}
  smoke-4-12: {{profile: smoke/gst9000, line: panel, address: "4-12", place: {{text: 3号楼B1车库}}}}
store: {{telemetry: {{group: 500ms}}}}
{mqtt}
"""
STRANGER = 'pile-9: {profile: charging_pile/dc589, line: piles, address: "5348111111111199", ports: 2}'
RAISED = {
    ("pile-1", "over-power-p2"), ("pile-2", "smoke"), ("panel", "unlisted-fire-p1"), ("panel", "unknown-record"),
    ("smoke-4-12", "smoke"), ("cover-1", "overturned"), ("cover-2", "open"),
}  # fmt: skip


@pytest.mark.slow
async def test_what_speaks_by_itself_is_heard_judged_told_and_obeys(tmp_path: Path) -> None:
    with Mosquitto(tmp_path / "broker") as broker:
        ports = {"folder": tmp_path, "piles": free_port(), "covers": free_port()}
        site, played = tmp_path / "site.yaml", tmp_path / "played.yaml"
        mqtt = f"mqtt: {{url: mqtt://127.0.0.1:{broker.port}}}"
        site.write_text(SITE.format(**ports, stranger="", mqtt=mqtt), "utf-8")
        played.write_text(SITE.format(**ports, stranger=STRANGER, mqtt=""), "utf-8")
        with (
            simulated(played) as simulation,
            running(site) as run,
        ):  # they block the loop: the ear comes after
            async with Ear(f"mqtt://127.0.0.1:{broker.port}", "tocsin/v1/#") as ear:
                await asyncio.to_thread(talk_and_obey, site, simulation, run)
                found = [(h.topic, h.payload) for h in ear.heard]
    lines = [
        parse(text)
        for topic, payload in found
        if topic.endswith("/telemetry")
        for text in payload.decode().splitlines()
    ]
    ours = {
        (line.device, line.tags.get("port"))
        for line in lines
        if line.kind in {"charging_pile", "manhole", "smoke"}
    }
    assert {("pile-1", None), ("pile-1", "3"), ("pile-2", "14"), ("cover-1", None), ("cover-2", None)} <= ours
    events = [json.loads(payload) for topic, payload in found if topic.endswith("/event")]
    assert {(e["device"], e["rule"]) for e in events if e["event"] == "raise"} >= RAISED
    assert {"unlisted-fire-p1", "over-power-p2"} <= {
        topic.rsplit("/", 1)[1] for topic, _ in found if "/alarm/" in topic
    }


def talk_and_obey(site: Path, simulation: Any, run: Any) -> None:
    def device(name: str) -> dict[str, Any]:
        found: dict[str, Any] = run.daemon.get(f"/devices/{name}")
        return found

    heard = ("cover-1", "cover-2", "pile-1", "pile-2")
    wait(lambda: all(device(name)["state"] == "live" for name in heard), 30)
    assert device("smoke-4-12")["state"] == "quiet"
    wait(lambda: device("pile-2")["points"].get("power_14"), 30)
    status = run.daemon.get("/status")
    piles = next(line for line in status["lines"] if line["name"] == "piles")
    assert (piles["connections"], [s["who"] for s in piles["strangers"]]) == (3, ["5348111111111199"])
    assert "5348111111111199" in tocsin("status", "-c", site).stdout
    for order in (
        "drama pile-1 overload-p2", "drama pile-2 smoke", "drama panel fire-p1", "drama panel unknown-words",
        "drama smoke-4-12 fire", "drama cover-1 lifted", "drama cover-2 lifted",
    ):  # fmt: skip
        simulation.order(order)

    def raised() -> bool:
        return {(row["device"], row["rule"]) for row in run.daemon.get("/alarms")} >= RAISED

    wait(raised, 60)
    stopped = tocsin("write", "pile-1.charging_3", "false", "-c", site)
    assert stopped.returncode == 0, stopped.stderr
    wait(lambda: device("pile-1")["points"]["reason_3"]["value"] == "remote", 30)
    assert device("pile-1")["points"]["charging_3"]["value"] is False
    assert tocsin("write", "pile-1.charging_3", "true", "-c", site).returncode != 0
    assert tocsin("write", "pile-1.charging_4", "false", "-c", site).returncode != 0, "not on the list"
    simulation.order("fault pile-1 silent")
    simulation.order("fault cover-1 silent")
    wait(lambda: device("cover-1")["state"] == "lost", 30)
    wait(lambda: ("cover-1", "stale") in {(r["device"], r["rule"]) for r in run.daemon.get("/alarms")}, 60)
    simulation.order("heal cover-1 silent")
    wait(lambda: device("cover-1")["state"] == "live", 30)
