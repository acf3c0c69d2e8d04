"""What the benches of the daemon share: a site of simulated endpoints, the daemon in a process, its use of the machine."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import platform
import re
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

REGISTERS = 10
TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
CTL = Path(sys.executable).with_name("tocsin")
# What an installed service does not see; without bytecode an import takes four times as long.
NOT_OURS = {"NOTIFY_SOCKET", "RUNTIME_DIRECTORY", "PYTHONDONTWRITEBYTECODE"}

PROFILE = """\
kind: meter
name: {zh: 十个寄存器, en: Ten registers}
source: "The benches: what peers.md 5 measured others with"
points:
{points}
rules:
  high: {type: limit, point: level, limit: 300, level: 2, message: {zh: 高, en: high}}
  over-current: {type: limit, point: amps, limit: 63, deadband: "5%", on_delay: 10s, off_delay: 30s, level: 2, message: {zh: 过流, en: over-current}}
  hot: {type: limit, point: inside, limit: 70, deadband: 3, on_delay: 10s, off_delay: 60s, level: 2, message: {zh: 过温, en: hot}}
  leaking: {type: limit, point: leak, limit: 300, deadband: 15, on_delay: 10s, off_delay: 60s, level: 1, message: {zh: 漏电, en: leaking}}
  stale: {type: stale, k: 3, floor: 30s, message: {zh: 无数据, en: no good data}}
  bad-data: {type: bad_data, bad: 3, of: 5, message: {zh: 数据不可信, en: bad data}}
persona: {}
"""

POINTS = {
    "level": "unit: V, range: [0, 60000]",
    "reads": "unit: V",
    "amps": "scale: 0.1, unit: A, range: [0, 100]",
    "volts": "scale: 0.1, unit: V, range: [0, 500]",
    "watts": "scale: 0.1, unit: W",
    "inside": "scale: 0.1, unit: °C, range: [-40, 150]",
    "outside": "scale: 0.1, unit: °C, range: [-40, 150]",
    "factor": 'scale: 0.001, unit: ""',
    "hertz": "scale: 0.01, unit: Hz",
    "leak": "unit: mA, range: [0, 1000]",
}  # in the order of the registers

SITE = """\
site: bench
gateway: gw-01
name: {{zh: 基准, en: Bench}}
timezone: Asia/Shanghai
data: {data}
lines:
{lines}
devices:
{devices}
{mqtt}
"""


class Figure(NamedTuple):
    """One measured number, beside what was wanted."""

    what: str
    value: str
    target: str = ""
    met: bool | None = None  # None: nothing was wanted


class Endpoint(NamedTuple):
    """A Modbus TCP endpoint and the units behind it."""

    name: str
    port: int
    units: Sequence[int] = (1,)
    inflight: int = 1


def write_site(
    folder: Path, endpoints: Sequence[Endpoint], every: str = "1s", broker: int | None = None
) -> Path:
    """Write the site file and its profile; return the site file. Devices are called LINE-UNIT."""
    profiles = folder / "profiles" / "bench"
    profiles.mkdir(parents=True, exist_ok=True)
    points = "\n".join(
        f'  {name}: {{register: "holding:{n}", type: uint16, {more}, name: {{zh: {name}, en: {name}}}}}'
        for n, (name, more) in enumerate(POINTS.items())
    )
    (profiles / "ten.yaml").write_text(PROFILE.replace("{points}", points), "utf-8")
    lines = "\n".join(
        f'  {e.name}: {{tcp: "127.0.0.1:{e.port}", protocol: modbus-tcp, timeout: 500ms, inflight: {e.inflight}}}'
        for e in endpoints
    )
    devices = "\n".join(
        f"  {e.name}-{unit}: {{profile: bench/ten, line: {e.name}, address: {unit}, every: {every}}}"
        for e in endpoints
        for unit in e.units
    )
    mqtt = f'mqtt: {{url: "mqtt://127.0.0.1:{broker}"}}' if broker else ""
    site = folder / "site.yaml"
    site.write_text(SITE.format(data=folder / "data", lines=lines, devices=devices, mqtt=mqtt), "utf-8")
    return site


class Use(NamedTuple):
    """What a process has used at one moment."""

    at: float  # monotonic seconds
    cpu: float  # seconds since its start, all threads, its ended children not included
    rss: int  # bytes


class _Socket(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=10)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(10)
        self.sock.connect(str(self._path))


@dataclass
class Daemon:
    """`tocsin run` on a site, in a process of its own."""

    site: Path
    core: int | None = None  # pin it to this processor
    wrap: Sequence[str] = ()  # a profiler before the command
    process: subprocess.Popen[bytes] | None = None
    began: float = 0.0
    log: Path = field(init=False)

    def __enter__(self) -> Self:
        self.log = self.site.parent / "daemon.log"
        environment = {key: value for key, value in os.environ.items() if key not in NOT_OURS}
        pin = ["taskset", "-c", str(self.core)] if self.core is not None else []
        with self.log.open("wb") as out:
            self.began = time.monotonic()
            self.process = subprocess.Popen(
                [*pin, *self.wrap, str(CTL), "run", "-c", str(self.site)],
                stdout=out, stderr=out, env=environment,
            )  # fmt: skip
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)

    @property
    def pid(self) -> int:
        assert self.process
        if self.process.poll() is not None:
            raise RuntimeError(f"the daemon ended: {self.log.read_text(errors='replace')[-2000:]}")
        return self.process.pid

    def use(self) -> Use:
        """Look at the process."""
        stat = Path(f"/proc/{self.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        pages = int(Path(f"/proc/{self.pid}/statm").read_text("ascii").split()[1])
        return Use(time.monotonic(), (int(stat[11]) + int(stat[12])) / TICK, pages * PAGE)

    def status(self) -> dict[str, Any]:
        """Ask the daemon how it is."""
        connection = _Socket(self.site.parent / "data" / "api.sock")
        try:
            connection.request("GET", "/api/v1/status")
            found: dict[str, Any] = json.load(connection.getresponse())
        finally:
            connection.close()
        return found

    def until(self, good: Callable[[dict[str, Any]], bool], seconds: float = 30.0) -> dict[str, Any]:
        """Wait until its status is as wanted."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            _ = self.pid
            with contextlib.suppress(OSError, http.client.HTTPException):
                status = self.status()
                if good(status):
                    return status
            time.sleep(0.2)
        raise RuntimeError(f"the daemon is not ready: {self.log.read_text(errors='replace')[-2000:]}")


@contextlib.contextmanager
def ingest(folder: Path, broker: int, influx: str, database: str) -> Iterator[int]:
    """Run `tocsin ingest` into an InfluxDB 1; give its process id."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = folder / "ingest.yaml"
    settings.write_text(
        f'mqtt: {{url: "mqtt://127.0.0.1:{broker}", client_id: bench}}\n'
        f'influx: {{url: "{influx}", api: v1, database: {database}}}\nquarantine: {folder / "refused"}\n',
        "utf-8",
    )
    with (folder / "ingest.log").open("wb") as out:
        process = subprocess.Popen([str(CTL), "ingest", "-c", str(settings)], stdout=out, stderr=out)
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(30)


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Return the slope of the straight line that fits best (least squares)."""
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0


def quantile(values: Sequence[float], q: float) -> float:
    """Return the `q` quantile."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(q * len(ranked)))]


def machine() -> str:
    """Return what this was measured on."""
    text = Path("/proc/cpuinfo").read_text("utf-8")
    named = re.search(r"^(?:model name|Model)\s*:\s*(.+)$", text, re.MULTILINE)
    memory = os.sysconf("SC_PHYS_PAGES") * PAGE / 2**30
    cpu = named[1].strip() if named else platform.machine()
    return (
        f"{cpu}, {os.cpu_count()} cores, {memory:.0f} GB; Linux {platform.release()}; "
        f"{platform.python_implementation()} {platform.python_version()}"
    )
