"""The whole path in processes of its own: `tocsin run`, `tocsin ingest`, and what journal and database hold.

`Running` programs may be killed and started again in the same place. What was committed is read from the files of the
journal, not from the gateway's own words.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import time
import zlib
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from gateway.cli.client import Daemon
from gateway.cli.output import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from servers import Influx, Mosquitto

ROOT = Path(__file__).parent.parent
TOCSIN = (sys.executable, "-m", "gateway.cli")
MISTAKEN = (sys.executable, str(Path(__file__).parent / "peers" / "mistaken_gateway.py"))

# Gas, because what comes and goes every second is held back in other classes, and here it comes and goes.
PROFILE = """\
kind: meter
name: {zh: 数数, en: Counter}
source: "tests/peers/responder.c: register 0 holds what was written there, register 1 counts the reads"
points:
  level: {register: "holding:0", type: uint16, name: {zh: 水平, en: level}}
  reads: {register: "holding:1", type: uint16, name: {zh: 次数, en: reads}}
  two:   {register: "holding:2", type: uint16, name: {zh: 二, en: two}}
  three: {register: "holding:3", type: uint16, scale: 0.1, name: {zh: 三, en: three}}
rules:
  high: {type: limit, point: level, limit: 300, level: 2, class: gas, latch: false, message: {zh: 高, en: high}}
persona: {}
"""

SITE = """\
site: stack
gateway: gw-01
name: {{zh: 测试, en: Test}}
timezone: Asia/Shanghai
data: {data}
lines:
{lines}
devices:
{devices}
{mqtt}
store: {{telemetry: {{group: {group}, max: 4GiB}}}}
"""


def until(what: Callable[[], object], seconds: float = 90.0, why: str = "") -> None:
    """Wait until it is true; fail after so many seconds."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, f"not within {seconds:.0f} s: {why}"
        time.sleep(0.02)  # looks at another process, with a deadline


def write_site(
    folder: Path, lines: Mapping[str, str], devices: Mapping[str, str], broker: str = "", group: str = "1s"
) -> Path:
    """Write a site; `lines` and `devices` are the flow mappings behind their names."""
    (folder / "profiles" / "test").mkdir(parents=True, exist_ok=True)
    (folder / "profiles" / "test" / "counter.yaml").write_text(PROFILE, "utf-8")
    site = folder / "site.yaml"
    text = SITE.format(
        data=folder / "data",
        lines="\n".join(f"  {name}: {what}" for name, what in lines.items()),
        devices="\n".join(f"  {name}: {what}" for name, what in devices.items()),
        mqtt=f'mqtt: {{url: "{broker}", keepalive: 5s}}' if broker else "",
        group=group,
    )
    site.write_text(text, "utf-8")
    return site


def counters(
    folder: Path, ports: Sequence[int], broker: str, every: str = "100ms", group: str = "1s"
) -> Path:
    """Write a site of one `test/counter` (d0, d1 ...) behind each TCP port."""
    lines = {
        f"l{n}": f'{{tcp: "127.0.0.1:{port}", protocol: modbus-tcp, timeout: 2s}}'
        for n, port in enumerate(ports)
    }
    devices = {
        f"d{n}": f"{{profile: test/counter, line: l{n}, address: 1, every: {every}}}"
        for n in range(len(ports))
    }
    return write_site(folder, lines, devices, broker, group)


class Running:
    """A program of ours that may be killed and started again; ended by its pid when the block is left."""

    def __init__(self, log: Path, *command: str) -> None:
        self.log = log
        self.command = command
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        environment = {k: v for k, v in os.environ.items() if k not in {"NOTIFY_SOCKET", "RUNTIME_DIRECTORY"}}
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(self.command, stdout=out, stderr=out, cwd=ROOT, env=environment)
        return self

    def end(self, sign: signal.Signals = signal.SIGTERM) -> int:
        assert self.process
        self.process.send_signal(sign)
        return self.process.wait(30)

    def kill(self) -> None:
        self.end(signal.SIGKILL)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)


class Gateway(Running):
    """`tocsin run`."""

    def __init__(self, site: Path, tocsin: Sequence[str] = TOCSIN) -> None:
        super().__init__(site.parent / "gateway.log", *tocsin, "run", "-c", str(site))
        self.data = site.parent / "data"
        self.api = Daemon(self.data / "api.sock", timeout=30)

    def status(self) -> dict[str, Any]:
        """Return what the API says; nothing while it does not answer."""
        assert self.process
        assert self.process.poll() is None, (
            f"the gateway ended: {self.log.read_text(errors='replace')[-3000:]}"
        )
        with contextlib.suppress(Failure):
            found: dict[str, Any] = self.api.get("/status")
            return found
        return {}

    def ready(self, seconds: float = 90.0) -> Self:
        """Wait until it measures."""
        until(lambda: self.status().get("counts", {}).get("samples"), seconds, "no sample")
        return self

    def waiting(self) -> dict[str, dict[str, Any]]:
        """Return the backlog of each lane of the MQTT link: `records`, `rows`, `age`."""
        links = self.status().get("links", [])
        return dict(links[0]["backlog"]) if links else {}

    def connected(self) -> bool:
        """Tell whether it has a broker."""
        links = self.status().get("links", [])
        return bool(links) and bool(links[0]["connected"])

    def backlog(self) -> int:
        """Return how many records have no receipt yet; many while that is not known."""
        waiting = self.waiting()
        return sum(lane["records"] for lane in waiting.values()) if waiting else 1 << 30


def ingest(folder: Path, broker: Mosquitto, influx: Influx) -> Running:
    """Return `tocsin ingest` from this broker into this InfluxDB."""
    config = folder / "ingest.yaml"
    config.write_text(
        f"mqtt: {{url: '{broker.url}', client_id: ingest}}\n"
        f"influx: {{url: '{influx.url}', api: v1, database: {influx.database}}}\n"
        f"quarantine: {folder}/refused.db\n",
        "utf-8",
    )
    return Running(folder / "ingest.log", *TOCSIN, "ingest", "-v", "-c", str(config))


def write_register(port: int, register: int, value: int) -> None:
    """Write one register of unit 1 by a connection of our own (function 6)."""
    with socket.create_connection(("127.0.0.1", port), 5) as sock:
        sock.sendall(struct.pack(">HHHBBHH", 1, 0, 6, 1, 6, register, value))
        sock.settimeout(5)
        assert len(sock.recv(64)) == 12


# -- what was committed, and what arrived ------------------------------------------------------------


class Row(NamedTuple):
    """One line: its series without site and gateway, and its time."""

    series: str  # measurement,key=value,... with the tags sorted
    at: int


def committed_telemetry(data: Path) -> dict[Row, str]:
    """Return every line in the journal's telemetry files, with its fields."""
    found: dict[Row, str] = {}
    for path in sorted(data.glob("telemetry-*.db")):
        for (body,) in _look(path, "SELECT body FROM records ORDER BY id"):
            for line in zlib.decompress(body).decode().splitlines():
                head, fields, at = line.split(" ")
                measurement, *tags = head.split(",")
                row = Row(",".join([measurement, *sorted(tags)]), int(at))
                assert row not in found, f"committed twice: {line}"
                found[row] = fields
    return found


def committed_events(data: Path) -> dict[tuple[int, int], dict[str, Any]]:
    """Return every event in the journal by (epoch, seq)."""
    rows = _look(data / "alarms.db", "SELECT id, body FROM records ORDER BY id")
    return {(number >> 36, number & (1 << 36) - 1): json.loads(body) for number, body in rows}


def _look(path: Path, query: str) -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        return db.execute(query).fetchall()


def event_row(event: Mapping[str, Any]) -> Row:
    """Return where an event stands in the database."""
    tags = sorted(f"{name}={event[name]}" for name in ("device", "rule", "class"))
    return Row(",".join(["alarm", *tags]), event["at"])


def arrived(influx: Influx) -> dict[Row, dict[str, Any]]:
    """Return every row of the database, with its fields."""
    found: dict[Row, dict[str, Any]] = {}
    for measurement in (row["name"] for row in influx.rows("SHOW MEASUREMENTS")):
        for series in influx.post(f'SELECT * FROM "{measurement}" GROUP BY *')["results"][0]["series"]:
            tags = sorted(f"{k}={v}" for k, v in series["tags"].items() if v and k not in {"site", "gateway"})
            assert (series["tags"]["site"], series["tags"]["gateway"]) == ("stack", "gw-01")
            for values in series["values"]:
                row = Row(",".join([measurement, *tags]), values[0])
                assert row not in found, f"stored twice: {row}"
                found[row] = dict(zip(series["columns"][1:], values[1:], strict=True))
    return found


def missing(data: Path, influx: Influx) -> tuple[set[Row], set[Row], set[Row]]:
    """Return what was committed and is not stored (events, telemetry), and what is stored but was never committed."""
    events = {event_row(event) for event in committed_events(data).values()}
    telemetry = set(committed_telemetry(data))
    stored = set(arrived(influx))
    return events - stored, telemetry - stored, stored - events - telemetry


def counts_of(influx: Influx, device: str) -> list[int]:
    """Return what the device counted, in the order of time: 0, 1, 2 ... where no reading is lost."""
    rows = influx.rows(f"SELECT reads FROM meter WHERE device = '{device}'")
    return [row["reads"] for row in rows if row["reads"] is not None]


def holes(counts: Sequence[int]) -> list[int]:
    """Return how many readings are lost at each hole in a device's own count."""
    return [b - a - 1 for a, b in pairwise(counts) if b != a + 1]


@contextlib.contextmanager
def moved_away(server: Mosquitto | Influx, sign: signal.Signals = signal.SIGTERM) -> Iterator[None]:
    """End a server; start it again in the same place when the block is left."""
    server.end(sign)
    yield
    server.start()
