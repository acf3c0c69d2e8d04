"""Two hundred Modbus TCP devices of ten registers, each once a second, with rules, journal and MQTT: memory and CPU.

    python -m tests.bench --only steady [--quick | --long]

Played twice: 200 endpoints of one unit, and one endpoint with 200 units. Register 1 is different at each read, so that
every poll is told on `live`, the dearest case. Resident memory and CPU are those of the process `tocsin run` alone,
from /proc; the first part of a run is warm-up and not counted. CPU is given for 1,000 register values and taken in
windows: the median of them, and the least. The broker is a Mosquitto, and `tocsin ingest` writes into an InfluxDB
where these are installed; without ingest no receipt comes and the journal keeps everything.
"""

from __future__ import annotations

import contextlib
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pace
import rig
from servers import Influx, Mosquitto

if TYPE_CHECKING:
    from collections.abc import Iterator

DEVICES = 200
WINDOW = 10.0  # seconds
MEMORY, CPU = 60.0, 0.04  # MB, seconds for 1,000 values: what was promised


@contextlib.contextmanager
def servers(folder: Path) -> Iterator[tuple[int, str]]:
    """Give the port of a broker behind which everything that is told is also written, and what that is."""
    with contextlib.ExitStack() as stack:
        broker = stack.enter_context(Mosquitto(folder / "broker", extra="set_tcp_nodelay true"))
        if not shutil.which("influxd"):
            yield broker.port, "Mosquitto, no ingest"
            return
        influx = stack.enter_context(Influx(folder / "influx"))
        stack.enter_context(rig.ingest(folder / "ingest", broker.port, influx.url, influx.database))
        yield broker.port, "Mosquitto, ingest, InfluxDB 1"


def measure(daemon: rig.Daemon, warm: float, seconds: float, name: str) -> list[rig.Figure]:
    daemon.until(lambda status: status["counts"]["polls"] >= 2 * DEVICES)
    time.sleep(warm)
    looks, costs = [daemon.use()], []
    first = before = daemon.status()["counts"]["polls"]
    end = looks[0].at + seconds
    while time.monotonic() < end:
        time.sleep(WINDOW)
        looks.append(daemon.use())
        polls = daemon.status()["counts"]["polls"]
        costs.append((looks[-1].cpu - looks[-2].cpu) / (polls - before) / rig.REGISTERS * 1000)
        before = polls
    took = looks[-1].at - looks[0].at
    rate = (before - first) / took
    most = max(look.rss for look in looks) / 1e6
    slope = rig.slope([(look.at / 3600, look.rss / 1e6) for look in looks])
    cost = statistics.median(costs)
    share = (looks[-1].cpu - looks[0].cpu) / took
    return [
        rig.Figure(f"{name}: polls/s", f"{rate:.1f}", f"{DEVICES}", met=rate > 0.995 * DEVICES),
        rig.Figure(f"{name}: resident memory, most", f"{most:.1f} MB", f"≤ {MEMORY:.0f} MB", met=most <= MEMORY),
        rig.Figure(f"{name}: its slope over {took:.0f} s", f"{slope:+.2f} MB/h"),
        rig.Figure(
            f"{name}: CPU per 1,000 values, median (least)",
            f"{cost:.4f} s ({min(costs):.4f})", f"≤ {CPU} s", met=cost <= CPU,
        ),
        rig.Figure(f"{name}: of one core", f"{share:.1%}"),
    ]  # fmt: skip


def play(name: str, endpoints: int, warm: float, seconds: float) -> list[rig.Figure]:
    units = range(1, DEVICES // endpoints + 1)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tocsin-bench-")))
        broker, told = stack.enter_context(servers(folder))
        ports = stack.enter_context(pace.responder("tcp", endpoints))
        site = rig.write_site(
            folder, [rig.Endpoint(f"e{n}", port, units) for n, port in enumerate(ports)], broker=broker
        )
        daemon = stack.enter_context(rig.Daemon(site))
        return measure(daemon, warm, seconds, f"{name} ({told})")


def run(*, quick: bool = False, long: bool = False) -> list[rig.Figure]:
    """Return the figures of both sites."""
    warm, seconds = (10.0, 30.0) if quick else (120.0, 3600.0) if long else (30.0, 120.0)
    return [
        *play("200 endpoints", DEVICES, warm, seconds),
        *play("1 endpoint, 200 units", 1, warm, seconds),
    ]
