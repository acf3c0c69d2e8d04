"""Sixty detectors on one line of a real gateway: the line goes, the gateway is killed, the line comes back."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from playing import free_port
from small_gateway import BOX

from drivers.simulator.making import make_unit
from drivers.simulator.simulation import Simulation
from gateway.cli.client import Daemon
from gateway.cli.output import Failure
from gateway.config import load

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from gateway.config import Site

pytestmark = [pytest.mark.slow, pytest.mark.system]
STALE = "  stale: {type: stale, message: {zh: 无数据, en: no data}}\npersona:"
COUNT = 60


def write_site(folder: Path) -> Path:
    (folder / "profiles" / "test").mkdir(parents=True)
    (folder / "profiles" / "test" / "box.yaml").write_text(BOX.replace("persona:", STALE), "utf-8")
    devices = "\n".join(
        f"  box-{n}: {{profile: test/box, line: plant, address: {n}, every: 1s}}" for n in range(1, COUNT + 1)
    )
    path = folder / "site.yaml"
    path.write_text(
        f"site: lvjing\ngateway: gw-01\ntimezone: Asia/Shanghai\ndata: {folder}/data\ndemo: true\n"
        f'lines:\n  plant: {{tcp: "127.0.0.1:{free_port()}", protocol: modbus-tcp}}\ndevices:\n{devices}\n',
        "utf-8",
    )
    return path


class Gateway:
    """The daemon in a process of its own."""

    def __init__(self, site: Path) -> None:
        command = [sys.executable, "-m", "gateway.cli", "run", "-c", str(site)]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        self.daemon = Daemon(site.parent / "data" / "api.sock", timeout=10)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    async def get(self, path: str) -> Any:
        return await asyncio.to_thread(self.daemon.get, path)

    async def wait(self, path: str, what: Callable[[Any], bool], seconds: float) -> Any:
        async with asyncio.timeout(seconds):
            while True:
                with contextlib.suppress(Failure):
                    found = await self.get(path)
                    if what(found):
                        return found
                await asyncio.sleep(0.5)


@contextlib.asynccontextmanager
async def played(site: Site) -> AsyncIterator[None]:
    units = [make_unit(d.name, int(d.address), d.profile) for d in site.devices.values()]
    simulation = Simulation({name: (line, units) for name, line in site.lines.items()})
    await simulation.set("box-7", "lel", 40.0)
    await simulation.open()
    try:
        yield
    finally:
        await simulation.close()


def hidden(rows: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(row["device"], row["rule"]) for row in rows if row["letter"] == "H" and row["active"]}


async def test_one_message_outside_sixty_faults_inside_and_nothing_leaks(tmp_path: Path) -> None:
    path = write_site(tmp_path)
    site = load(path)
    sixty = {(name, "stale") for name in site.devices}
    gateway = Gateway(path)
    try:
        async with played(site):
            await gateway.wait("/status", lambda s: s["data"]["good"] == 3 * COUNT, 60)
            before = await gateway.wait("/alarms", bool, 10)
        rows = await gateway.wait("/alarms", lambda rows: hidden(rows) == sixty, 90)
        gas = next(row for row in rows if row["rule"] == "lel-high")
        assert (gas["letter"], gas["occurrence"]) == (before[0]["letter"], before[0]["occurrence"])
        assert next(row["affects"] for row in rows if row["rule"] == "line-down") == COUNT
        gateway.kill()
        gateway = Gateway(path)
        await asyncio.sleep(45)  # longer than a fault of a device needs
        assert hidden(await gateway.get("/alarms")) == sixty
        gateway.kill()
        gateway = Gateway(path)
        async with played(site):
            done = lambda rows: [row["rule"] for row in rows] == ["lel-high"]  # noqa: E731
            await gateway.wait("/alarms", done, 60)
            await asyncio.sleep(15)
            events = await gateway.get("/events?limit=1000")
    finally:
        gateway.kill()
    told = [f"{e['event']} {e['device']}/{e['rule']}" for e in reversed(events)]
    outside = [line for line in told if line.split()[0] in {"raise", "repeat", "upgrade", "clear"}]
    assert outside == ["raise box-7/lel-high", "raise line.plant/line-down", "clear line.plant/line-down"]
