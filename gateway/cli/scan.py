"""`tocsin scan`: which units answer on a line."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from gateway.cli.client import add_daemon
from gateway.cli.line_access import Access, add_line
from gateway.cli.output import Failure, add_output, print_json
from gateway.language import say

if TYPE_CHECKING:
    import argparse


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = subparsers.add_parser(
        "scan", help=say("扫描线路上的设备", "find the units that answer on a line")
    )
    add_line(parser)
    parser.add_argument("--units", default="1-247", metavar="FIRST-LAST")
    add_daemon(parser)
    add_output(parser)
    parser.set_defaults(run=run)


def units(text: str) -> tuple[int, int]:
    """Return first and last unit of "1-32" or "17". Raises Failure."""
    first, dash, last = text.partition("-")
    try:
        low, high = int(first), int(last) if dash else int(first)
    except ValueError:
        low, high = 0, 0
    if not 1 <= low <= high <= 247:
        raise Failure(say(f"{text!r}：应为 1-247 之间的范围", f"{text!r}: wanted FIRST-LAST within 1-247"), 2)
    return low, high


def run(args: argparse.Namespace) -> int:
    """Ask every unit once; 0 when somebody answered, 1 when nobody did."""
    first, last = units(args.units)
    found = []
    for item in Access(args).scan(first, last):
        if sys.stderr.isatty():
            print(f"\r{item['unit']}/{last} ", end="", file=sys.stderr, flush=True)
        if item.get("down"):
            raise Failure(item["error"])
        if item["answers"]:
            found.append(item)
            if args.output != "json":
                print(f"\r{say('地址', 'unit')} {item['unit']:3d}  {item['took'] * 1e3:.0f} ms", flush=True)
    if args.output == "json":
        print_json(found)
    elif not found:
        print(say("没有设备应答", "nobody answers"), file=sys.stderr)
    return 0 if found else 1
