"""`tocsin decode PROTOCOL HEX`: explain a frame."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from drivers.modbus.explain import explain_rtu, explain_tcp
from gateway.cli.output import Failure, add_output, print_json, print_table
from gateway.language import say

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

DECODERS: dict[str, Callable[[bytes], dict[str, Any]]] = {
    "modbus-rtu": explain_rtu,
    "modbus-tcp": explain_tcp,
}
"""Every protocol that can be explained; a new one is a line here."""


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = subparsers.add_parser("decode", help=say("解析一帧报文", "explain a frame"))
    parser.add_argument("protocol", choices=sorted(DECODERS))
    parser.add_argument("hex", nargs="+", help=say("十六进制，可带空格", "hex digits, spaces allowed"))
    add_output(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Explain; 0 when the frame is whole, 1 when it is not."""
    text = "".join(args.hex).replace(":", "").replace("-", "")
    try:
        frame = bytes.fromhex(text)
    except ValueError as error:
        raise Failure(f"{text[:60]!r}: {error}", 2) from error
    try:
        answer: dict[str, Any] = {
            "protocol": args.protocol,
            "ok": True,
            "fields": DECODERS[args.protocol](frame),
        }
    except ValueError as error:
        answer = {"protocol": args.protocol, "ok": False, "error": str(error)}
    if args.output == "json":
        print_json(answer)
    elif answer["ok"]:
        print_table(say("字段 值", "FIELD VALUE").split(), answer["fields"].items())
    else:
        print(answer["error"], file=sys.stderr)
    return 0 if answer["ok"] else 1
