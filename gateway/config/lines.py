"""Checks the lines of a site: each by itself, and that no two of them want the same port."""

from __future__ import annotations

import ipaddress
import os
from functools import cache
from typing import TYPE_CHECKING, Any

from drivers.line.settings import PORTLESS, LineSettings
from drivers.registry import PROTOCOLS
from gateway.config import fields
from gateway.config.report import Path, Report, must_be, must_be_name, suggest
from gateway.config.validate import Shape
from gateway.language import say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gateway.config.document import Document

WAYS = ("serial", "tcp", "listen")
BAUD = (300, 4_000_000)


@cache
def line_shape() -> Shape[LineSettings]:
    """Return the form of one line."""
    return Shape(LineSettings)


def read_lines(data: Mapping[str, Any], place: Document, report: Report) -> dict[str, LineSettings]:
    """Return the lines that are right by themselves; the mistakes of the others go into the report."""
    lines: dict[str, LineSettings] = {}
    for name, block in data.items():
        path: Path = ("lines", str(name))
        if not fields.NAME.fullmatch(str(name)):
            report.add(place, path, must_be_name(limited=False), key=True)
        line = line_shape().read(_with_usual(block), place, path, report, name=str(name))
        if line is None:
            continue
        mistakes = list(_mistakes(line))
        for key, what in mistakes:
            report.add(place, (*path, key) if key else path, what)
        if not mistakes:
            lines[line.name] = line
    _ports(lines, place, report)
    return lines


def _with_usual(block: object) -> object:
    """Return a line with what its protocol usually runs at, where the site says nothing."""
    if not isinstance(block, dict):
        return block  # what is wrong with it is said later
    entry = PROTOCOLS.get(str(block.get("protocol")))
    return block if entry is None else {**entry.settings, **block}


def _mistakes(line: LineSettings) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with one line: key and words."""
    yield from _way_mistakes(line)
    yield from _peer_mistakes(line)
    if line.protocol not in PROTOCOLS:
        what = say(f"没有协议 '{line.protocol}'", f"there is no protocol '{line.protocol}'")
        yield "protocol", f"{what}{suggest(line.protocol, PROTOCOLS)}"
    elif line.protocol == "modbus-tcp" and line.serial is not None:
        en = "modbus-tcp does not run on a serial port; modbus-rtu does"
        yield "protocol", say("串口上不能用 modbus-tcp，请用 modbus-rtu", en)
    least, most = BAUD
    if not least <= line.baud <= most:
        yield "baud", must_be(f" {least} 到 {most} 的数", f"between {least} and {most}", line.baud)
    if line.timeout <= 0:
        yield "timeout", say("必须大于零", "must be longer than none")
    if line.inflight < 1 or (line.inflight > 1 and line.protocol != "modbus-tcp"):
        zh, en = " 1（modbus-tcp 可以更多）", "1 (modbus-tcp can take more)"
        yield "inflight", must_be(zh, en, line.inflight)
    if line.serial is None and line.echo:
        en = "only an adapter on a serial port gives back what we send"
        yield "echo", say("只有串口适配器才会回送所发内容", en)


def _way_mistakes(line: LineSettings) -> Iterator[tuple[str, str]]:
    ways = [way for way in WAYS if getattr(line, way) is not None]
    if line.protocol in PORTLESS:
        zh = f"{line.protocol} 没有端口：用的是本机的引脚"
        en = f"{line.protocol} has no port: these are the pins of this machine"
        yield from ((way, say(zh, en)) for way in ways)
    elif len(ways) != 1:
        zh, en = ("现在一个也没有", "none is given")
        if ways:
            zh, en = f"现在有 {'、'.join(ways)}", f"not {' and '.join(ways)}"
        zh = f"serial、tcp、listen 必须且只能给出一个；{zh}"
        yield "", say(zh, f"must have exactly one of serial, tcp and listen; {en}")
    if line.serial is not None and not line.serial.startswith("/"):
        zh, en = "串口的完整路径，例如 /dev/ttyUSB0", "the whole path of a port such as /dev/ttyUSB0"
        yield "serial", _must_be(zh, en, line.serial)
    for key in ("tcp", "listen"):
        value = getattr(line, key)
        if value is not None and not _is_endpoint(value):
            zh, en = '"主机:端口"（端口 1 到 65535）', '"host:port" with a port of 1 to 65535'
            yield key, _must_be(zh, en, value)


def _peer_mistakes(line: LineSettings) -> Iterator[tuple[str, str]]:
    if line.peers and line.listen is None:
        yield "peers", say("只能与 listen 一起用", "goes with listen only")
    for peer in line.peers:
        if not _is_network(peer):
            zh, en = "地址或网段，例如 10.0.0.0/8", "addresses or networks such as 10.0.0.0/8"
            yield "peers", _must_be(zh, en, peer)


def _must_be(zh: str, en: str, value: str) -> str:
    """Like `must_be`, with the whole text: an operator knows a path by its end."""
    return say(f"必须是{zh}，现在是 '{value}'", f"must be {en}, not '{value}'")


def _is_endpoint(value: str) -> bool:
    match = fields.ENDPOINT.fullmatch(value)
    return match is not None and 0 < int(match[2]) < 65536


def _is_network(value: str) -> bool:
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return True


def port(line: LineSettings) -> str:
    """Return what two lines must not share: the real device file, or the endpoint."""
    if line.protocol in PORTLESS:
        return line.protocol
    if line.serial is not None:
        return os.path.realpath(line.serial)
    if line.tcp is not None:
        return f"tcp {line.tcp.lower().replace('localhost', '127.0.0.1')}"
    return f"listen {str(line.listen).rsplit(':', 1)[-1]}"


def _ports(lines: Mapping[str, LineSettings], place: Document, report: Report) -> None:
    owners: dict[str, str] = {}
    for name, line in lines.items():
        owner = owners.setdefault(port(line), name)
        if owner != name:
            way = next((way for way in WAYS if getattr(line, way) is not None), "protocol")
            zh = f"线路 {owner} 已占用这个端口；请把两条线路的设备放在同一条线路上"
            en = f"line {owner} has this port already; put the devices of both on one line"
            report.add(place, ("lines", name, way), say(zh, en))
