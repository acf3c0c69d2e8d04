"""How `read`, `write` and `scan` get at a line: through the daemon that owns it, else by opening it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from drivers.errors import LineDown
from drivers.line.settings import LineSettings
from drivers.registry import PROTOCOLS, make_line
from gateway.cli.client import Daemon, site_of, socket_of
from gateway.cli.output import Failure, Unreachable
from gateway.console.wire import ask, look
from gateway.language import say

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from drivers.modbus.pdu import Query


def add_line(parser: argparse.ArgumentParser) -> None:
    """Give the verb the ways to name a line."""
    parser.add_argument(
        "line",
        help=say(
            "线路名、串口（/dev/…）或 主机:端口", "a line of the site, a serial port (/dev/...) or HOST:PORT"
        ),
    )
    parser.add_argument("--baud", type=int, default=9600)
    parser.add_argument("--parity", choices=("none", "even", "odd"), default="none")
    parser.add_argument("--stop", type=int, choices=(1, 2), default=1)
    parser.add_argument("--rtu", action="store_true", help=say("TCP 上的 RTU 帧", "RTU frames over TCP"))
    parser.add_argument("--timeout", type=float, default=0.5, help="s")


def settings_of(args: argparse.Namespace) -> LineSettings | None:
    """Return the settings of a port named outright, or None for a line of the site."""
    text = str(args.line)
    if "/" in text:
        return LineSettings(
            text,
            "modbus-rtu",
            serial=text,
            baud=args.baud,
            parity=args.parity,
            stop=args.stop,
            timeout=args.timeout,
        )
    if ":" in text:
        protocol = "modbus-rtu" if args.rtu else "modbus-tcp"
        return LineSettings(text, protocol, tcp=text, timeout=args.timeout)
    return None


class Access:
    """A line, whoever owns it."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._args = args
        self._settings = settings_of(args)
        self._daemon: Daemon | None = None
        if self._settings is None:
            self._find()

    def _find(self) -> None:
        daemon, name = Daemon(socket_of(self._args), timeout=300), str(self._args.line)
        try:
            lines = [line["name"] for line in daemon.get("/status")["lines"]]
        except Unreachable:
            if not self._args.config:
                raise
            self._settings = _from_site(self._args.config, name)
            return
        if name not in lines:
            raise Failure(
                say(f"没有线路 {name!r}；现有：", f"no line {name!r}; there are: ") + ", ".join(lines), 2
            )
        self._daemon = daemon

    @property
    def through_daemon(self) -> bool:
        """Whether the daemon owns the line."""
        return self._daemon is not None

    def ask(self, query: Query) -> dict[str, Any]:
        """Ask one question; see `gateway.console.wire.ask`. The daemon takes reads only."""
        if self._daemon is not None:
            start = int.from_bytes(query.pdu[1:3], "big")
            body = {"unit": query.unit, "function": query.function, "address": start, "count": query.count}
            answer: dict[str, Any] = self._daemon.post(f"/lines/{quote(str(self._args.line))}/exchange", body)
            return answer
        return asyncio.run(self._ask_directly(query))

    async def _ask_directly(self, query: Query) -> dict[str, Any]:
        assert self._settings is not None
        line = make_line(self._settings)
        try:
            await line.open()
            return await ask(line, query)
        except LineDown as error:
            raise Failure(str(error)) from error
        finally:
            await line.close()

    def scan(self, first: int, last: int) -> Iterator[dict[str, Any]]:
        """Yield what is found at each unit, as it is found."""
        if self._daemon is not None:
            path = f"/lines/{quote(str(self._args.line))}/scan"
            yield from self._daemon.lines(path, {"first": first, "last": last})
            return
        with asyncio.Runner() as runner:
            found = self._scan_directly(first, last)
            while (item := runner.run(anext_or_none(found))) is not None:
                yield item

    async def _scan_directly(self, first: int, last: int) -> AsyncIterator[dict[str, Any]]:
        assert self._settings is not None
        line = make_line(self._settings)
        try:
            await line.open()
            for unit in range(first, last + 1):
                yield await look(line, unit)
        except LineDown as error:
            raise Failure(str(error)) from error
        finally:
            await line.close()


async def anext_or_none(items: AsyncIterator[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the next item, or None after the last."""
    return await anext(items, None)


def _from_site(path: Path, name: str) -> LineSettings:
    lines = site_of(path).lines
    if name not in lines:
        there = say(f"没有线路 {name!r}；现有：", f"no line {name!r}; there are: ")
        raise Failure(f"{path}: {there}{', '.join(lines)}", 2)
    spoken = lines[name].protocol
    if not PROTOCOLS[spoken].family.has_registers:
        en = f"line {name} speaks {spoken}, which has no registers; see `tocsin devices poll`"
        raise Failure(say(f"线路 {name} 使用 {spoken}，没有寄存器；请用 tocsin devices poll", en), 2)
    return lines[name]
