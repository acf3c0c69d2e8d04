"""As fast as it goes: 32 Modbus TCP devices of ten registers, always due, through the whole daemon on one core.

    python -m tests.bench --only fastest [--quick]

The daemon is bound to one processor, all else (the responder in C, the broker, ingest, the database) to the others.
Each poll is decoded, judged by six rules, and becomes a line of telemetry in the journal. Played without MQTT, and
with it: then every poll also goes to the broker and, where InfluxDB is installed, into the database.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import pace
import rig
from steady import servers

DEVICES = 32
WANTED = 8000.0  # polls/s: what was promised
EVERY = "0.5ms"  # shorter than the shortest period there is: always due
WINDOW = 2.0


def measure(daemon: rig.Daemon, seconds: float, name: str) -> list[rig.Figure]:
    daemon.until(lambda status: status["counts"]["polls"] > 1000)
    time.sleep(3)
    rates, costs = [], []
    end = time.monotonic() + seconds
    use, polls = daemon.use(), daemon.status()["counts"]["polls"]
    while time.monotonic() < end:
        time.sleep(WINDOW)
        before, counted = use, polls
        use, polls = daemon.use(), daemon.status()["counts"]["polls"]
        rates.append((polls - counted) / (use.at - before.at))
        costs.append((use.cpu - before.cpu) / (polls - counted))
    rate, cost = statistics.median(rates), statistics.median(costs)
    return [
        rig.Figure(
            f"{name}: polls/s, median (most)", f"{rate:,.0f} ({max(rates):,.0f})", f"≥ {WANTED:,.0f}", met=rate >= WANTED
        ),
        rig.Figure(f"{name}: CPU per poll", f"{cost * 1e6:.0f} us, so {1 / cost:,.0f} polls per CPU second"),
        rig.Figure(f"{name}: resident memory", f"{use.rss / 1e6:.1f} MB"),
    ]  # fmt: skip


def play(name: str, seconds: float, *, mqtt: bool) -> list[rig.Figure]:
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as place, ExitStack() as stack:
        folder = Path(place)
        broker, told = stack.enter_context(servers(folder)) if mqtt else (None, "")
        ports = stack.enter_context(pace.responder("tcp", DEVICES))
        endpoints = [rig.Endpoint(f"e{n}", port) for n, port in enumerate(ports)]
        site = rig.write_site(folder, endpoints, EVERY, broker)
        with rig.Daemon(site, core=min(CORES)) as daemon:
            return measure(daemon, seconds, f"{name} ({told})" if told else name)


CORES = os.sched_getaffinity(0)


def run(*, quick: bool = False, long: bool = False) -> list[rig.Figure]:
    """Return the figures without and with MQTT."""
    seconds = 10.0 if quick else 120.0 if long else 30.0
    try:
        if len(CORES) > 1:
            os.sched_setaffinity(0, CORES - {min(CORES)})
        return [*play("without MQTT", seconds, mqtt=False), *play("with MQTT", seconds, mqtt=True)]
    finally:
        os.sched_setaffinity(0, CORES)
