"""Meters and covers from the wire to the broker: `tocsin check`, `simulate` and `run`, a meter of others among them."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from meters import meter
from mqtt_ear import Ear
from servers import Mosquitto, free_port
from stack import TOCSIN, Gateway, Running, until, write_site

from gateway.cli.output import Failure

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.system

LIFTED = "- {at: 4s, device: cover-1, drama: lifted}\n- {at: 4s, device: cover-3, drama: lifted}\n"
QUICK = "rules: {open: {on_delay: 1s}}"


def a_site(folder: Path, theirs: str, broker: str) -> Path:
    (folder / "password").write_text("000000\n")
    lines = {
        "meters": f"{{serial: {folder}/meters, protocol: dlt645, baud: 115200}}",
        "theirs": f'{{tcp: "{theirs}", protocol: dlt645}}',
        "covers": f"{{serial: {folder}/covers, protocol: tilt68, baud: 115200}}",
        "covers77": f'{{tcp: "127.0.0.1:{free_port()}", protocol: tilt77}}',
    }
    order = f"allow_writes: [relay], password: {{file: {folder}/password}}"
    devices = {
        "meter-1": f"{{profile: meter/dlt645-1p, line: meters, address: 161, every: 5s, {order}}}",
        "meter-2": "{profile: meter/dlt645-3p, line: meters, address: 202600000002, every: 5s}",
        "meter-3": "{profile: meter/dlt645-1997, line: meters, address: 3, every: 5s}",
        "meter-4": "{profile: meter/dlt645-1p, line: theirs, address: AAAAAAAAAAAA, every: 5s}",
        "cover-1": f"{{profile: manhole/tilt68, line: covers, address: 0, every: 1s, {QUICK}}}",
        "cover-2": "{profile: manhole/tilt77, line: covers77, address: 0, every: 1s}",
        "cover-3": "{profile: manhole/tilt77-gravity, line: covers77, address: 1, every: 1s, "
        f"baseline: {{gravity_x: 0, gravity_y: 0, gravity_z: 1}}, {QUICK}}}",
    }
    played = folder / "played"  # without the meter that is not ours
    played.mkdir()
    ours = {name: what for name, what in lines.items() if name != "theirs"}
    write_site(played, ours, {n: w for n, w in devices.items() if "line: theirs" not in w})
    return write_site(folder, lines, devices, broker)


def tocsin(*words: str) -> str:
    done = subprocess.run([*TOCSIN, *words], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def values(gateway: Gateway, device: str) -> dict[str, Any]:
    points = gateway.api.get(f"/devices/{device}")["points"]
    return {name: told["value"] for name, told in points.items() if told.get("value") is not None}


async def test_from_the_wire_to_the_broker(tmp_path: Path) -> None:
    (tmp_path / "script.yaml").write_text(LIFTED)
    held = {"02010100": 230.1, "02020100": 1.5, "02030000": 0.3, "02060000": 0.9, "02800002": 50.0}
    held |= {"00010000": 7.25, "02800007": 30.5}
    with (
        meter("tcp", "202600000004", {**held, "04000503": "0000"}, tmp_path) as theirs,
        Mosquitto(tmp_path / "mosquitto") as broker,
    ):
        site = a_site(tmp_path, str(theirs.tcp), broker.url)
        budget = json.loads(tocsin("check", "-c", str(site), "-o", "json"))
        asked = {r["request"] for line in budget["lines"] for r in line["requests"]}
        assert {"0201FF00", "04000503", "B611", "angles", "gravity"} <= asked
        play = [
            *TOCSIN,
            "simulate",
            "-c",
            str(tmp_path / "played" / "site.yaml"),
            "--script",
            str(tmp_path / "script.yaml"),
        ]
        async with Ear(broker.url, "tocsin/v1/#") as ear:
            with Running(tmp_path / "play.log", *play), Gateway(site) as gateway:
                await asyncio.to_thread(follow, gateway, site)
                await asyncio.to_thread(until, lambda: {"cover-1", "cover-3"} <= alarms(ear), 40, "no alarm")
        told = b"\n".join(h.payload for h in ear.heard if h.topic.endswith("/telemetry")).decode()
        for line in (
            "meter,device=meter-1 ",
            "meter,device=meter-2 ",
            "meter,device=meter-4 ",
            "manhole,device=cover-3 ",
        ):
            assert line in told
        assert "voltage=230.1" in told


def follow(gateway: Gateway, site: Path) -> None:
    """See every point of every device, then order a relay."""
    gateway.ready()
    wanted = {
        "meter-1": 8,
        "meter-2": 16,
        "meter-3": 5,
        "meter-4": 8,
        "cover-1": 3,
        "cover-2": 3,
        "cover-3": 4,
    }
    for device, count in wanted.items():
        until(lambda device=device, count=count: len(values(gateway, device)) == count, 40, device)  # type: ignore[misc]
    told = values(gateway, "meter-4")
    assert (told["voltage"], told["energy"], told["relay"]) == (230.1, 7.25, "closed")
    assert "meter-1.relay = open" in tocsin("write", "meter-1.relay", "open", "--yes", "-c", str(site))
    until(lambda: values(gateway, "meter-1")["relay"] == "open", 20, "not read back")
    refused = subprocess.run(
        [*TOCSIN, "write", "meter-4.relay", "open", "--yes", "-c", str(site)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert refused.returncode == 5, "the site does not allow it"
    with pytest.raises(Failure, match="no registers"):
        gateway.api.post("/lines/meters/exchange", {"unit": 1, "function": 3, "address": 0, "count": 1})
    assert gateway.api.get("/devices/meter-1")["address"] == "000000000161"


def alarms(ear: Ear) -> set[str]:
    """The devices whose cover is told to be open."""
    events = [json.loads(h.payload) for h in ear.heard if h.topic.endswith("/event")]
    return {e["device"] for e in events if e["rule"] == "open" and e["event"] == "raise"}


def test_a_secret_that_is_no_password_ends_the_start_without_repeating_it(tmp_path: Path) -> None:
    site = a_site(tmp_path, "127.0.0.1:9", "")
    (tmp_path / "password").write_text("hunter2\n")
    run = [sys.executable, "-m", "gateway.cli", "run", "-c", str(site)]
    done = subprocess.run(run, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode != 0
    assert "devices.meter-1.password: a meter's password is six digits" in done.stderr
    assert "hunter2" not in done.stdout + done.stderr
