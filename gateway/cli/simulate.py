"""`tocsin simulate`: plays the devices of a site; tells on stdout, as JSON lines, what it makes happen.

The first line is `{"event": "ready", ...}`, the last is `{"event": "report", ...}`. On stdin it takes orders:
`drama DEVICE NAME`, `fault DEVICE|LINE NAME [30s] [key=value ...]`, `heal DEVICE|LINE NAME`,
`set DEVICE POINT VALUE`, `release DEVICE POINT`, `report`.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
import os
import random
import shlex
import signal
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drivers.registry import PROTOCOLS
from drivers.simulator.faults import FaultError
from drivers.simulator.making import make_unit
from drivers.simulator.persona import PersonaError, seconds
from drivers.simulator.played import DIALECTS, REPORTS
from drivers.simulator.ptys import LinkTaken
from drivers.simulator.script import Entry, ScriptError, parse_entry
from drivers.simulator.simulation import Simulation
from gateway.cli.output import Failure, count
from gateway.config import ConfigError, Site, document, load
from gateway.config.report import Report, describe
from gateway.language import say

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from drivers.line.settings import LineSettings
    from drivers.simulator.stage import Happening
    from drivers.simulator.unit import Unit

_TURNAROUND = (0.002, 0.02)  # seconds: devices differ, each keeps its own


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb to the command."""
    text = say("在虚拟串口和 TCP 端口上模拟站点的全部设备", "play the site's devices on ptys and TCP ports")
    parser = subparsers.add_parser("simulate", help=text, description=text)
    parser.add_argument(
        "-c", "--config", type=Path, required=True, metavar="SITE", help=say("站点文件", "site file")
    )
    parser.add_argument(
        "--script", type=Path, metavar="FILE", help=say("剧情与故障脚本", "dramas and faults, and when")
    )
    parser.add_argument("--seed", type=int, default=1, help=say("随机种子", "same seed, same run"))
    parser.add_argument(
        "--speed",
        type=float,
        default=1.0,
        help=say("数值与脚本的时间倍率", "values and script run F times as fast"),
    )
    parser.add_argument(
        "--report",
        type=Path,
        metavar="FILE",
        help=say("结束时把统计写入文件", "write the final counts to a file too"),
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Play until SIGTERM or SIGINT."""
    if args.speed <= 0:
        raise Failure(say("--speed 必须大于 0", "--speed has to be above 0"), 2)
    try:
        site = load(args.config)
        script = load_script(args.script) if args.script else []
    except ConfigError as error:
        raise Failure(f"{mistakes(len(error.messages))}\n{error}", 2) from None
    try:
        asyncio.run(_play(site, script, args))
    except (FaultError, PersonaError) as error:
        raise Failure(f"{args.script or args.config}: {error}", 2) from None
    except (LinkTaken, OSError) as error:
        raise Failure(str(error)) from None
    return 0


def mistakes(number: int) -> str:
    """Return how many mistakes there are: the list of them follows."""
    return say(f"共 {number} 处错误：", f"{count(number, 'mistake', 'mistakes')}:")


def load_script(path: Path) -> list[Entry]:
    """Read a script: a list of entries. Raises ConfigError with every mistake in it."""
    report = Report(str(path))
    found = document.read(path, report)
    script: list[Entry] = []
    if found is not None and not isinstance(found.data, list):
        report.at(found.file, 1, "", f"must be a list of entries, not {describe(found.data)}")
    elif found is not None:
        for i, entry in enumerate(found.data):
            if not isinstance(entry, dict):
                report.add(found, (i,), f"must be a block of keys, not {describe(entry)}")
                continue
            try:
                script.append(parse_entry(entry))
            except ScriptError as error:
                report.add(found, (i,), str(error))
    report.finish()
    return script


async def _play(site: Site, script: list[Entry], args: argparse.Namespace) -> None:
    simulation = Simulation(_lines(site, args.seed), script, _tell, args.seed, args.speed)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await simulation.open()
    task = loop.create_task(simulation.run())
    task.add_done_callback(lambda _task: stop.set())  # a bug ends the program, below
    try:
        _say(
            event="ready",
            lines={n: line.where for n, line in simulation.lines.items()},
            devices=len(site.devices),
        )
        _listen(_Orders(simulation).take)
        await stop.wait()
    finally:
        task.cancel()
        await simulation.close()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    counts = simulation.report()
    _say(event="report", **counts)
    if args.report:
        args.report.write_text(json.dumps(counts, ensure_ascii=False, indent=1) + "\n", "utf-8")


def _lines(site: Site, seed: int) -> dict[str, tuple[LineSettings, list[Unit]]]:
    """Make the units of each line that can be played."""
    now = dt.datetime.now(site.timezone)
    midnight = 3600.0 * now.hour + 60 * now.minute + now.second
    lines: dict[str, tuple[LineSettings, list[Unit]]] = {}
    for name, settings in site.lines.items():
        if settings.protocol in DIALECTS:
            lines[name] = (settings, [])
        else:
            text = say("此协议不能模拟，跳过", "this protocol cannot be played; left out")
            print(f"{name}: {settings.protocol}: {text}", file=sys.stderr)
    for name, device in site.devices.items():
        if device.line not in lines:
            continue
        settings, units = lines[device.line]
        chance = random.Random(f"{seed} {name}")  # noqa: S311 - it plays, it hides nothing
        turnaround = chance.uniform(*_TURNAROUND) if settings.serial else 0.0
        address = PROTOCOLS[settings.protocol].address(device.address)
        unit = make_unit(
            name,
            address,
            device.profile,
            seed=seed,
            midnight=midnight,
            turnaround=turnaround,
            reports=settings.protocol in REPORTS,
        )
        units.append(unit)
    return lines


class _Orders:
    """Carries out what comes on stdin."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    async def take(self, line: str) -> None:
        """Do what one line says; tell when it cannot be done."""
        try:
            words = shlex.split(line)
            if words:
                await self._do(words)
        except (FaultError, PersonaError, ValueError) as error:
            _say(event="refused", order=line.strip(), reason=str(error))

    async def _do(self, words: list[str]) -> None:
        simulation = self._simulation
        match words:
            case ["drama", device, name]:
                await simulation.drama(device, name)
            case ["fault", target, name, *rest]:
                options = dict(word.split("=", 1) for word in rest if "=" in word)
                times = [seconds(_number(word)) for word in rest if "=" not in word]
                numbers = {key: seconds(_number(value)) for key, value in options.items()}
                await simulation.fault(target, name, times[0] if times else None, **numbers)
            case ["heal", target, name]:
                await simulation.heal(target, name)
            case ["set", device, point, value]:
                await simulation.set(device, point, _value(value))
            case ["release", device, point]:
                await simulation.release(device, point)
            case ["report"]:
                _say(event="report", **simulation.report())
            case _:
                raise FaultError("orders are: drama, fault, heal, set, release, report")


def _value(text: str) -> float | bool | str:
    if text in {"true", "false"}:
        return text == "true"
    number = _number(text)
    return number if isinstance(number, float) else text


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _listen(take: Callable[[str], Any]) -> None:
    """Hand each line of stdin to `take`; the end of stdin ends nothing.

    A thread, because stdin may be a file, a terminal or nothing, which the event loop cannot all watch.
    """
    loop = asyncio.get_running_loop()

    def read() -> None:
        rest = b""
        with contextlib.suppress(OSError, RuntimeError):  # no stdin; or the loop is closed: we are ending
            while data := os.read(0, 65536):
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    asyncio.run_coroutine_threadsafe(take(line.decode(errors="replace")), loop).result()

    threading.Thread(target=read, name="orders", daemon=True).start()


def _tell(happening: Happening) -> None:
    _say(**{key: value for key, value in asdict(happening).items() if value is not None})


def _say(**fields: object) -> None:
    event = {"event": fields.pop("event"), "at": time.time_ns()} | fields
    print(json.dumps(event, ensure_ascii=False), flush=True)
