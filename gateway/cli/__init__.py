"""The `tocsin` command: one file per verb, imported only when it is used.

Exit status: 0 done, 1 failed, 2 usage or config, 3 daemon unreachable, 4 condition found, 5 not allowed,
6 conflict (the thing changed under you).
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING

from gateway import __version__
from gateway.cli.output import Failure
from gateway.cli.usage import Parser
from gateway.language import say

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

VERBS = {
    "run": ("运行网关守护进程", "the daemon"),
    "ingest": ("MQTT → 数据库", "MQTT → InfluxDB"),
    "setup": ("开通向导", "set up a site: find, name, check, prove, start"),
    "demo": ("在本机演示整个社区", "a simulated community on this machine, end to end"),
    "simulate": ("模拟站点的全部设备", "play the site's devices on ptys and TCP ports"),
    "check": ("检查站点文件与线路余量", "check the site file; line budget"),
    "schema": ("输出 JSON Schema", "print the JSON Schema of a file format"),
    "profiles": ("设备型号库", "the device library"),
    "read": ("直接读取寄存器", "read registers from a line, echoing frames"),
    "write": ("直接写入寄存器", "write a register on a line, echoing frames"),
    "scan": ("扫描线路上的设备", "who is on a line, and which models they look like"),
    "sniff": ("监听线路", "listen to a line: who answers whom, collisions"),
    "watch": ("实时读数", "live readings, a line each"),
    "status": ("运行状况一览", "one screen of health"),
    "devices": ("设备台账与状态", "the ledger and the health of each device"),
    "alarms": ("告警处理", "alarm work"),
    "events": ("审计日志与校验", "the audit log: tail, verify, export"),
    "drill": ("演练与测试", "tests and exercises"),
    "rules": ("规则列表与测试", "list and test rules"),
    "decode": ("解析一帧报文", "explain a frame"),
}


def parser(verb: str | None) -> argparse.ArgumentParser:
    """Return the parser with the arguments of `verb` only; the other verbs are just listed."""
    top = Parser(
        prog="tocsin",
        description=say("社区安全边缘网关", "Edge gateway for the safety sensors of residential communities"),
        epilog=say("每个命令的帮助：tocsin 命令 --help", "help for one verb: tocsin VERB --help"),
    )
    top.add_argument("--version", action="version", version=f"tocsin {__version__}")
    verbs = top.add_subparsers(dest="verb", metavar="VERB", required=True)
    for name, (zh, en) in VERBS.items():
        if name == verb:
            importlib.import_module(f"gateway.cli.{name}").add(verbs)
        else:
            verbs.add_parser(name, help=say(zh, en), add_help=False)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; return its exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    verb = next((a for a in arguments if not a.startswith("-")), None)
    args = parser(verb).parse_args(arguments)
    try:
        status: int = args.run(args)
        sys.stdout.flush()  # here, where a reader that went away is expected; not when Python ends
    except Failure as failure:
        print(f"tocsin {args.verb}: {failure}", file=sys.stderr)
        return failure.status
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `tocsin watch | head`: the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status
