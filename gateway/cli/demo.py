"""`tocsin demo`: a simulated community on this machine, end to end."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.language import say

if TYPE_CHECKING:
    import argparse


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    text = say(
        "在本机演示整个社区：传感器 → 网关 → 消息服务器 → 入库",
        "a simulated community on this machine, end to end",
    )
    parser = subparsers.add_parser("demo", help=text, description=text)
    parser.add_argument(
        "--seconds", type=float, metavar="N", help=say("运行 N 秒后结束", "end after N seconds")
    )
    parser.add_argument(
        "--stack", choices=("embedded", "servers"), default="embedded",
        help=say(
            "servers：用已安装的 Mosquitto 与 InfluxDB", "servers: the installed Mosquitto and InfluxDB"
        ),
    )  # fmt: skip
    parser.add_argument("--keep", type=Path, metavar="DIR", help=say("文件保留在此", "keep the files here"))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Play it; 0 only if everything that was measured arrived."""
    from gateway.demo.play import play  # noqa: PLC0415 - the broker's package is an extra

    return asyncio.run(play(args.seconds, args.stack, args.keep))
