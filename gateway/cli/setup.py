"""`tocsin setup`: from nothing to a checked site file, a proven reading and a running gateway."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.cli.output import Failure
from gateway.commissioning.ask import Stopped, Terminal
from gateway.language import say

if TYPE_CHECKING:
    import argparse


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    text = say(
        "开通向导：找串口、扫描、命名、写站点文件、检查、逐台读一次、启动。可随时 Ctrl-C，之后继续",
        "commissioning: finds ports, surveys them, names devices, writes and checks the site file, reads "
        "every device once, starts. Ctrl-C at any time; it goes on there",
    )
    parser = subparsers.add_parser(
        "setup", help=say("开通向导", "set up a site, step by step"), description=text
    )
    parser.add_argument(
        "folder",
        type=Path,
        nargs="?",
        default=Path(),
        help=say("站点目录，默认当前目录", "the site's folder; here by default"),
    )
    parser.add_argument(
        "--port",
        action="append",
        default=[],
        metavar="/dev/…",
        help=say("再加一个串口或 主机:端口", "one more port, or host:port"),
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Ask and do; 0 when the site is set up, 130 when somebody stopped it."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        zh = "setup 要在终端里问答；脚本请复制 site.example.yaml，用 tocsin scan -o json 与 tocsin check"
        en = (
            "it asks questions and needs a terminal; a script copies config/site.example.yaml and uses "
            "`tocsin scan -o json --write-ledger` and `tocsin check`"
        )
        raise Failure(say(zh, en), 2)
    from gateway.commissioning.wizard import Wizard  # noqa: PLC0415  most of the program; not needed to refuse

    folder = args.folder.resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Failure(f"{folder}: {error.strerror}") from error
    wizard = Wizard(Terminal(), folder, args.port)
    try:
        start = wizard.run()
    except (Stopped, KeyboardInterrupt):
        again = f"tocsin setup {args.folder}"
        print("\n" + say(f"已停止；继续：{again}", f"stopped; it goes on with: {again}"), file=sys.stderr)
        return 130
    if start:
        command = [sys.argv[0], "run", "-c", str(wizard.site_file)]
        print(say("运行：", "runs: ") + "tocsin " + " ".join(command[1:]), flush=True)
        os.execv(sys.executable, [sys.executable, "-m", "gateway.cli", *command[1:]])  # noqa: S606  ourselves
    print(say("运行：", "run it: ") + f"tocsin run -c {wizard.site_file}")
    return 0
