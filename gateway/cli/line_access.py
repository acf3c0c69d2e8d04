"""How raw verbs get at a line: through the daemon that owns it, else by opening it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from drivers.errors import LineDown
from drivers.line.settings import LineSettings
from drivers.registry import PROTOCOLS, make_line
from gateway.cli.client import Daemon, site_of, socket_of
from gateway.cli.output import Failure, Unreachable
from gateway.console.wire import ask
from gateway.language import say

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from drivers.modbus.pdu import Query


def add_line(parser: argparse.ArgumentParser, *, rates: bool = True) -> None:
    """Give the verb the ways to name a line; `rates`: one rate, not a choice of them."""
    parser.add_argument(
        "line",
        help=say(
            "线路名、串口（/dev/…）或 主机:端口", "a line of the site, a serial port (/dev/...) or HOST:PORT"
        ),
    )
    if rates:
        parser.add_argument("--baud", type=int, default=9600)
        parser.add_argument("--parity", choices=("none", "even", "odd"), default="none")
        parser.add_argument("--timeout", type=float, default=0.5, help="s")
    parser.add_argument("--stop", type=int, choices=(1, 2), default=1)
    parser.add_argument("--rtu", action="store_true", help=say("TCP 上的 RTU 帧", "RTU frames over TCP"))


def settings_of(args: argparse.Namespace) -> LineSettings | None:
    """Return the settings of a port named outright, or None for a line of the site."""
    text, timeout = str(args.line), getattr(args, "timeout", 0.5)
    if "/" in text:
        baud, parity = getattr(args, "baud", None), getattr(args, "parity", None)
        return LineSettings(
            text,
            "modbus-rtu",
            serial=text,
            baud=baud if isinstance(baud, int) else 9600,
            parity=parity if parity in {"none", "even", "odd"} else "none",
            stop=args.stop,
            timeout=timeout,
        )
    if ":" in text:
        protocol = "modbus-rtu" if args.rtu else "modbus-tcp"
        return LineSettings(text, protocol, tcp=text, timeout=timeout)
    return None


class Access:
    """A line, whoever owns it."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._args = args
        self.name = str(args.line)
        self.settings = settings_of(args)  # of a port that we open ourselves
        self.daemon: Daemon | None = None  # that owns the line
        if self.settings is None:
            self._find()

    def _find(self) -> None:
        daemon = Daemon(socket_of(self._args), timeout=300)
        try:
            lines = [line["name"] for line in daemon.get("/status")["lines"]]
        except Unreachable:
            if not self._args.config:
                raise
            self.settings = _from_site(self._args.config, self.name)
            return
        if self.name not in lines:
            raise Failure(
                say(f"没有线路 {self.name!r}；现有：", f"no line {self.name!r}; there are: ")
                + ", ".join(lines),
                2,
            )
        self.daemon = daemon

    @property
    def through_daemon(self) -> bool:
        """Whether the daemon owns the line."""
        return self.daemon is not None

    def ask(self, query: Query) -> dict[str, Any]:
        """Ask one question; see `gateway.console.wire.ask`. The daemon takes reads only."""
        if self.daemon is not None:
            start = int.from_bytes(query.pdu[1:3], "big")
            body = {"unit": query.unit, "function": query.function, "address": start, "count": query.count}
            answer: dict[str, Any] = self.daemon.post(f"/lines/{quote(self.name)}/exchange", body)
            return answer
        return asyncio.run(self._ask_directly(query))

    async def _ask_directly(self, query: Query) -> dict[str, Any]:
        assert self.settings is not None
        spoken = self.settings.protocol
        if not PROTOCOLS[spoken].family.has_registers:
            zh = f"线路 {self.name} 使用 {spoken}，没有寄存器；请用 tocsin devices show"
            en = f"line {self.name} speaks {spoken}, which has no registers; see `tocsin devices show`"
            raise Failure(say(zh, en), 2)
        line = make_line(self.settings)
        try:
            await line.open()
            return await ask(line, query)
        except LineDown as error:
            raise Failure(str(error)) from error
        finally:
            await line.close()


def _from_site(path: Path, name: str) -> LineSettings:
    lines = site_of(path).lines
    if name not in lines:
        there = say(f"没有线路 {name!r}；现有：", f"no line {name!r}; there are: ")
        raise Failure(f"{path}: {there}{', '.join(lines)}", 2)
    return lines[name]
