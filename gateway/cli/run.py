"""`tocsin run -c SITE`: the daemon."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import logging
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.cli.output import Failure
from gateway.language import say
from gateway.lock import Taken, owned

if TYPE_CHECKING:
    import argparse
    from asyncio import AbstractEventLoop

    from gateway.config import Site


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = subparsers.add_parser("run", help=say("运行网关守护进程", "the daemon"))
    parser.add_argument("-c", "--config", type=Path, required=True, metavar="SITE")
    parser.add_argument(
        "--report", type=Path, help=say("结束时写入最后状态", "write the last status here at the end")
    )
    parser.add_argument("-v", "--verbose", action="store_true")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run until SIGTERM or SIGINT; 0 after a clean stop, 2 for a wrong site file, 1 for anything else."""
    level = logging.DEBUG if args.verbose else logging.INFO
    logging.basicConfig(stream=sys.stderr, level=level, format="%(levelname)s %(name)s %(message)s")
    for noisy in ("apscheduler", "uvicorn", "asyncio", "pymodbus"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    from gateway.config import ConfigError, SecretError, load_apart  # noqa: PLC0415 - logging first

    spare_memory()
    gc.disable()  # until `app.run`: what is made at the start stays, and need not be looked through ten times
    reading = load_apart(args.config)
    load_while_reading()
    gc.collect()  # what loading has left behind: half a megabyte that would be frozen with the rest
    try:
        site = reading()
    except ConfigError as error:
        raise Failure(str(error), 2) from error
    refuse_overfull(site)
    import asyncio  # noqa: PLC0415 - as above

    try:
        with owned(site.data):
            report = asyncio.run(_run(site, socket_path(site)))
    except SecretError as error:
        raise Failure(f"{args.config}: {error}", 2) from error
    except Taken as taken:
        zh, en = f"另一个网关（进程 {taken}）正在使用", f"another gateway (process {taken}) is using it"
        raise Failure(f"{site.data}: {say(zh, en)}") from taken
    except OSError as error:  # the data folder: what else the system refuses is handled where it is met
        raise Failure(f"{say('无法使用数据目录', 'the data folder cannot be used')}: {error}") from error
    if args.report:
        args.report.write_text(json.dumps(report, ensure_ascii=False, indent=1), "utf-8")
    return 0


def load_while_reading() -> None:
    """Load what the daemon needs whatever the site says; nearly every site speaks Modbus somewhere."""
    from drivers.registry import PROTOCOLS  # noqa: PLC0415 - the site is begun to be read first
    from gateway import app  # noqa: F401, PLC0415 - as above
    from gateway.config import budget, settings  # noqa: F401, PLC0415 - as above

    PROTOCOLS["modbus-tcp"]


def spare_memory() -> None:
    """Have the C library keep one heap for all threads and give back what is free (glibc's mallopt(3))."""
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(ctypes.c_int(-8), ctypes.c_int(1))  # M_ARENA_MAX
        library.mallopt(ctypes.c_int(-1), ctypes.c_int(128 << 10))  # M_TRIM_THRESHOLD


def refuse_overfull(site: Site) -> None:
    """Refuse a serial line that cannot keep its periods: its arithmetic is physics. Raises Failure.

    What a TCP end can do is not known before it is asked; there it is only said.
    """
    from gateway.config.budget import line_budgets, overfull  # noqa: PLC0415 - as above

    budgets = line_budgets(site)
    serial = {name: found for name, found in budgets.items() if site.lines[name].serial}
    if wrong := overfull(site, serial):
        raise Failure("\n".join(wrong), 2)
    for text in overfull(site, {name: found for name, found in budgets.items() if name not in serial}):
        logging.getLogger(__name__).warning(text)


def socket_path(site: Site) -> Path:
    """Return where the local API listens: systemd's RuntimeDirectory, else the data folder."""
    folder = os.environ.get("RUNTIME_DIRECTORY", "").split(":")[0]
    return Path(folder or site.data) / "api.sock"


async def _run(site: Site, socket: Path) -> dict[str, object]:
    import asyncio  # noqa: PLC0415 - the site is begun to be read first

    from gateway import app  # noqa: PLC0415 - as above
    from gateway.clock import SystemClock  # noqa: PLC0415
    from gateway.notify import Systemd  # noqa: PLC0415

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    bugs: list[str] = []

    def end_on_bug(loop: AbstractEventLoop, context: dict[str, Any]) -> None:
        loop.default_exception_handler(context)
        if (
            "handle" in context
        ):  # a callback raised: nobody awaits it, and what it served stands still from now on
            bugs.append(f"{context.get('message')}: {context.get('exception')!r}")
            stop.set()

    loop.set_exception_handler(end_on_bug)
    report = await app.run(site, SystemClock(), Systemd(), stop, socket)
    if bugs:
        raise Failure(bugs[0])
    return report
