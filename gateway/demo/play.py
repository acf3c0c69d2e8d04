"""Plays the demo: starts the programs, shows what they do, ends them, and adds up."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from gateway.cli.client import Daemon
from gateway.cli.output import Failure, Unreachable, colours
from gateway.demo import community, servers, sums
from gateway.demo.screen import Screen, repaint
from gateway.language import say

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

DATABASE = "lvjing"
FRAME = 0.5  # seconds between two pictures on a terminal
LINE = 5.0  # seconds between two lines where there is no terminal
LOGS = {
    "broker": "broker.log",
    "database": "influxdb.log",
    "ingest": "ingest.log",
    "simulate": "simulate.log",
    "gateway": "gateway.log",
}  # of each program
TOCSIN = (sys.executable, "-m", "gateway.cli")
DRAMAS = {
    "leak": ("燃气泄漏", "gas leaks"),
    "leakage": ("剩余电流升高", "residual current rises"),
    "overheat": ("电缆过热", "a cable overheats"),
    "overcurrent": ("充电过流", "a charger draws too much"),
    "lifted": ("井盖被掀开", "a manhole cover is lifted"),
    "fire": ("火警", "fire"),
    "smoke": ("烟雾", "smoke"),
    "lorry": ("车辆驶过", "a lorry passes"),
}


@dataclass(slots=True)
class Programs:
    """What the demo has started, in the order of the start."""

    folder: Path
    ports: community.Ports
    broker: asyncio.subprocess.Process | None = None
    database: asyncio.subprocess.Process | None = None
    ingest: asyncio.subprocess.Process | None = None
    simulate: asyncio.subprocess.Process | None = None
    gateway: asyncio.subprocess.Process | None = None
    dramas: list[str] = field(default_factory=list)
    follower: asyncio.Task[None] | None = None  # reads what the simulator says

    @property
    def report(self) -> Path:
        """Where the gateway writes its last report."""
        return self.folder / "report.json"

    @property
    def ingest_log(self) -> Path:
        """Where ingest writes its statistics."""
        return self.folder / "ingest.log"

    def dead(self) -> str:
        """Return the name of a program that ended by itself, or nothing."""
        for name in LOGS:
            process = getattr(self, name)
            if process is not None and process.returncode is not None:
                return name
        return ""


def tell(text: str, out: TextIO | None = None) -> None:
    """Print now: whoever looks at a pipe looks now."""
    out = out or sys.stdout
    out.write(text + "\n")
    out.flush()


async def play(seconds: float | None, stack: str, folder: Path | None) -> int:
    """Run the demo; 0 only if everything that was measured arrived."""
    with contextlib.ExitStack() as stacked:
        if folder is None:
            folder = Path(stacked.enter_context(tempfile.TemporaryDirectory(prefix="tocsin-demo-")))
        folder.mkdir(parents=True, exist_ok=True)
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        async with started(folder, stack) as programs:
            await show(programs, seconds, stop)
            tell(say("正在收尾……", "finishing ..."), sys.stderr)
            return await finish(programs, stack)


@contextlib.asynccontextmanager
async def started(folder: Path, stack: str) -> AsyncIterator[Programs]:
    """Start everything; end everything that is still running when the block is left."""
    real = stack == "servers"
    free = servers.free_port
    ports = community.Ports(free(), free(), free(), free())
    programs = Programs(folder, ports)
    address = f"http://127.0.0.1:{ports.database}"
    target: dict[str, Any] = {"quarantine": str(folder / "refused")}
    target |= (
        {"influx": {"url": address, "api": "v1", "database": DATABASE}}
        if real
        else {"archive": {"path": str(folder / "archive")}}
    )
    site, ingest, script = community.write(folder, ports, target)
    try:
        if real:
            programs.database = await servers.influxd(folder, ports.database, DATABASE)
            programs.broker = await servers.mosquitto(folder, ports.broker)
        else:
            programs.broker = await servers.embedded_broker(folder, ports.broker)
        programs.ingest = await servers.spawn(programs.ingest_log, *TOCSIN, "ingest", "-c", str(ingest))
        programs.simulate = await simulator(programs, site, script)
        programs.gateway = await servers.spawn(
            folder / "gateway.log", *TOCSIN, "run", "-c", str(site), "--report", str(programs.report)
        )
        yield programs
    finally:
        for name in ("gateway", "ingest", "simulate", "broker", "database"):
            process = getattr(programs, name)
            if process is not None:
                await servers.end(process)
        if programs.follower is not None:
            await programs.follower  # the simulator is gone, so this ends


async def simulator(programs: Programs, site: Path, script: Path) -> asyncio.subprocess.Process:
    """Start the simulator and wait until its ports are there."""
    with (programs.folder / "simulate.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *TOCSIN, "simulate", "-c", str(site), "--script", str(script),
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=log,
            start_new_session=True,
        )  # fmt: skip
    assert process.stdout is not None
    first = await process.stdout.readline()
    if not first:
        await servers.end(process)
        why = said_last(programs.folder / "simulate.log")
        raise Failure(f"{say('模拟器没有启动', 'the simulator did not start')}: {why}")
    programs.follower = asyncio.create_task(follow(process.stdout, programs.dramas))
    return process


def said_last(log: Path) -> str:
    """Return the end of a program's log: the folder may be gone before anybody can look into it."""
    try:
        return log.read_text("utf-8", errors="replace")[-2000:]
    except OSError as error:
        return str(error)


async def follow(stream: asyncio.StreamReader, dramas: list[str]) -> None:
    """Keep what the simulator says it does."""
    async for raw in stream:
        with contextlib.suppress(ValueError):
            told = json.loads(raw)
            if told.get("event") == "start" and told.get("drama"):
                zh, en = DRAMAS.get(told["drama"], (told["drama"], told["drama"]))
                dramas.append(f"{told.get('device', '')}: {say(zh, en)}")


async def show(programs: Programs, seconds: float | None, stop: asyncio.Event) -> None:
    """Show what goes on until the time is over, somebody says stop, or a program ends by itself."""
    loop = asyncio.get_running_loop()
    end = None if seconds is None else loop.time() + seconds
    screen = Screen(colour=colours())
    terminal = sys.stdout.isatty()
    if terminal:
        tell("\x1b[2J")
    pause = FRAME if terminal else LINE
    while not stop.is_set() and (end is None or loop.time() < end):
        if name := programs.dead():
            why = said_last(programs.folder / LOGS[name])
            raise Failure(f"{name} {say('意外退出', 'ended by itself')}: {why}")
        with contextlib.suppress(Unreachable):
            tell(await asyncio.to_thread(picture, programs, screen, terminal=terminal))
        left = pause if end is None else min(pause, max(end - loop.time(), 0.0))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), left)


def picture(programs: Programs, screen: Screen, *, terminal: bool) -> str:
    """Return the screen of now, or one line where there is no terminal. Raises Unreachable."""
    daemon = Daemon(programs.folder / "data" / "api.sock", timeout=5)
    status = daemon.get("/status")
    screen.dramas.clear()
    screen.dramas.extend(programs.dramas[-3:])
    if not terminal:
        return screen.line(status)
    return repaint(screen.draw(status, daemon.get("/devices"), daemon.get("/alarms")))


async def finish(programs: Programs, stack: str) -> int:
    """End measuring, let everything arrive, and add up."""
    assert programs.gateway is not None
    assert programs.ingest is not None
    status = await servers.end(programs.gateway, 15)
    if status != 0:
        why = said_last(programs.folder / LOGS["gateway"])
        raise Failure(
            say(f"网关以状态 {status} 退出：{why}", f"the gateway ended with status {status}: {why}")
        )
    await servers.end(programs.ingest)
    if stack == "servers":
        held = await asyncio.to_thread(sums.held_by_influx, programs.ports.database, DATABASE)
    else:
        held = sums.held_by_archive(programs.folder / "archive")
    report = json.loads(programs.report.read_text("utf-8"))
    workers = [
        json.loads(line) for line in programs.ingest_log.read_text().splitlines() if line.startswith("{")
    ]
    lines, agree = sums.summary(report, workers, held)
    tell("\n".join(lines))
    return 0 if agree else 1
