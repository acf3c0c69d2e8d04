"""`tocsin decode PROTOCOL HEX`: explain a frame."""

from __future__ import annotations

import sys
from string import hexdigits
from typing import TYPE_CHECKING, Any

from drivers.dc589.explain import explain as explain_dc589
from drivers.dlt645.explain import explain as explain_dlt645
from drivers.dny.frame import explain as explain_dny
from drivers.gb26875.explain import explain as explain_gb26875
from drivers.gst9000.record import explain as explain_gst9000
from drivers.modbus.explain import explain_rtu, explain_tcp
from drivers.tilt.values import explain_68, explain_77
from drivers.witmotion.frame import explain as explain_witmotion
from gateway.cli.output import Failure, add_output, print_json, print_table
from gateway.language import say

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

DECODERS: dict[str, Callable[[bytes], dict[str, Any]]] = {
    "dc589": explain_dc589,
    "dlt645": explain_dlt645,
    "dny": explain_dny,
    "gb26875": explain_gb26875,
    "gst9000": explain_gst9000,
    "modbus-rtu": explain_rtu,
    "modbus-tcp": explain_tcp,
    "tilt68": explain_68,
    "tilt77": explain_77,
    "witmotion": explain_witmotion,
}
"""Every protocol that can be explained; a new one is a line here."""


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = subparsers.add_parser("decode", help=say("解析一帧报文", "explain a frame"))
    parser.add_argument("protocol", choices=sorted(DECODERS))
    parser.add_argument("hex", nargs="+", help=say("十六进制，可带空格", "hex digits, spaces allowed"))
    add_output(parser)
    parser.set_defaults(run=run)


def no_hex(text: str) -> str:
    """Return what is wrong with hex digits."""
    strange = next((ch for ch in text if ch not in hexdigits), None)
    if strange is None:
        return say("十六进制数字须成对", "an odd number of hex digits: one is missing, or one too many")
    return say(f"{strange!r} 不是十六进制数字", f"{strange!r} is no hex digit")


def run(args: argparse.Namespace) -> int:
    """Explain; 0 when the frame is whole, 1 when it is not."""
    text = "".join(" ".join(args.hex).split()).replace(":", "").replace("-", "")
    try:
        frame = bytes.fromhex(text)
    except ValueError as error:
        raise Failure(f"{text[:60]!r}: {no_hex(text)}", 2) from error
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
