"""A small gateway in a thread of its own, its devices played in the same thread; its API on a real Unix socket."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import threading
import time
from typing import TYPE_CHECKING, Any, Self, TypeVar

from playing import free_port

from drivers.simulator.making import make_unit
from drivers.simulator.simulation import Simulation
from gateway import app
from gateway.cli.client import Daemon
from gateway.clock import SystemClock
from gateway.config import load
from gateway.notify import Systemd
from gateway.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

T = TypeVar("T")

BOX = """\
kind: gas
name: {zh: 测试盒, en: Test box}
source: made for tests
points:
  lel: {register: "holding:0", type: uint16, scale: 0.1, unit: "%LEL", name: {zh: 甲烷, en: methane}}
  limit: {register: "holding:20", type: uint16, scale: 0.1, unit: "%LEL", write: {min: 0, max: 60}, name: {zh: 限值, en: limit}}
  battery: {register: "holding:1", type: uint16, unit: "%", name: {zh: 电量, en: battery}}
rules:
  lel-high: {point: lel, limit: 25, level: 2, class: gas, message: {zh: "{place} 甲烷 {value}{unit}", en: "{place}: methane {value} {unit}"}}
persona:
  lel: {play: constant, value: 5}
  limit: {play: constant, value: 25}
  battery: {play: constant, value: 80}
"""
SITE = """\
site: lvjing
gateway: gw-01
name: {{zh: 绿景, en: Lvjing}}
timezone: Asia/Shanghai
data: {folder}/data
demo: true
lines:
  plant: {{tcp: "127.0.0.1:{port}", protocol: modbus-tcp, timeout: 200ms}}
devices:
  box-1: {{profile: test/box, line: plant, address: 1, every: 100ms, place: {{text: 1号楼}}, allow_writes: [limit]}}
  box-2: {{profile: test/box, line: plant, address: 2, every: 100ms}}
store: {{telemetry: {{group: 200ms}}}}
orders: {{pause: 0s, per_hour: 3600}}
"""


def write_site(folder: Path, text: str = SITE, port: int | None = None) -> Path:
    (folder / "profiles" / "test").mkdir(parents=True, exist_ok=True)
    (folder / "profiles" / "test" / "box.yaml").write_text(BOX, "utf-8")
    path = folder / "site.yaml"
    path.write_text(text.format(folder=folder, port=port or free_port()), "utf-8")
    return path


class Running:
    """A gateway that runs while the block does."""

    gateway: app.Gateway
    simulation: Simulation

    def __init__(self, folder: Path, text: str = SITE) -> None:
        self.site = load(write_site(folder, text))
        self.socket = folder / "api.sock"
        self.daemon = Daemon(self.socket, timeout=10)
        self.ended_in = 0.0
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gateway")

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        self.wait(self.socket.exists)
        return self

    def __exit__(self, *_: object) -> None:
        began = time.monotonic()
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(20)
        assert not self._thread.is_alive()
        self.ended_in = time.monotonic() - began

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._work())

    async def _work(self) -> None:
        devices = self.site.devices.values()
        lines = {
            name: (line, [make_unit(d.name, int(d.address), d.profile) for d in devices if d.line == name])
            for name, line in self.site.lines.items()
        }
        self.simulation = Simulation(lines)
        await self.simulation.open()
        clock = SystemClock()
        store = await Store.open(self.site.data, clock, app.limits_of(self.site))
        try:
            self.gateway = await app.build(self.site, clock, store)
            self._ready.set()
            await app.work(self.site, self.gateway, Systemd({}), self._stop, self.socket)
        finally:
            self._ready.set()
            await store.close()
            await self.simulation.close()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something in the gateway's thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def play(self, device: str, point: str, value: float) -> None:
        """Hold a point of a played device at a value."""
        self.do(self.simulation.set(device, point, value))

    def wait(self, what: Callable[[], T], seconds: float = 8.0) -> T:
        """Wait until it is true, and return it."""
        end = time.monotonic() + seconds
        while not (found := what()):
            assert time.monotonic() < end, "did not come true"
            time.sleep(0.01)
        return found

    def alarm(self, device: str = "box-1", rule: str = "lel-high") -> dict[str, Any] | None:
        rows: list[dict[str, Any]] = self.daemon.get("/alarms")
        return next((row for row in rows if (row["device"], row["rule"]) == (device, rule)), None)

    def ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, Any]:
        """Return status and JSON of one request, whatever its status."""
        return ask(self.socket, method, path, body)

    def wire(self) -> int:
        """How many requests the line has carried."""
        requests: int = self.gateway.pollers["plant"][1].stats.requests
        return requests


def ask(path: Path, method: str, url: str, body: bytes | None = None) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("localhost", timeout=10)
    connection.sock = connected(path)
    try:
        connection.request(method, url, body)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def connected(path: Path) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(15)
    sock.connect(str(path))
    return sock


def encode(body: object) -> bytes:
    return json.dumps(body).encode()
