"""`tocsin read`: registers or bits from a line, with the frames that went over it, and what they may mean."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from drivers.modbus import pdu
from drivers.points import compile_block
from drivers.profile import Point
from drivers.registers import Order, PointType
from gateway.cli.client import add_daemon
from gateway.cli.line_access import Access, add_line
from gateway.cli.meaning import add_meaning, keep, meanings
from gateway.cli.output import Failure, add_output, number, print_json
from gateway.language import say

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

TABLES = {1: "coil", 2: "discrete", 3: "holding", 4: "input"}
SHORT = {"u16": "uint16", "i16": "int16", "u32": "uint32", "i32": "int32", "u64": "uint64", "i64": "int64"}
SHORT |= {"f16": "float16", "f32": "float32", "f64": "float64"}


def whole(text: str) -> int:
    """Return a decimal or 0x number."""
    return int(text, 0)


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = subparsers.add_parser(
        "read", help=say("直接读取寄存器", "read registers from a line, echoing frames")
    )
    add_line(parser)
    parser.add_argument("-a", "--address", type=whole, required=True, help=say("设备地址", "unit"))
    parser.add_argument("-f", "--function", type=int, choices=TABLES, default=3)
    parser.add_argument(
        "-r", "--register", type=whole, default=0, help=say("起始寄存器，从 0 起", "first register, from 0")
    )
    parser.add_argument("-n", "--count", type=whole, default=1)
    parser.add_argument("-t", "--type", help=f"{', '.join([*SHORT, *PointType])}")
    parser.add_argument("--order", default="ABCD", help="ABCD, CDAB, BADC, DCBA ...")
    add_meaning(parser)
    add_daemon(parser)
    add_output(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read once and print; 1 when the unit does not answer or says no."""
    point = point_of(args)
    try:
        query = pdu.read(args.address, args.function, args.register, args.count)
    except ValueError as error:
        raise Failure(str(error), 2) from error
    found = Access(args).ask(query)
    if point is not None and "registers" in found:
        found["values"] = list(values(point, found["data"], args))
    explain = meanings(args, found) if "registers" in found else None
    if args.output == "json":
        print_json(found if explain is None else found | {"decodings": explain.json()})
    else:
        show(found, args)
        if explain is not None:
            explain.show()
    if args.record is not None and "data" in found:
        keep(args, query, found)
    return 1 if "error" in found else 0


def point_of(args: argparse.Namespace) -> Point | None:
    """Return what to decode as, None for plain registers. Raises Failure."""
    if args.type is None or args.function in {1, 2}:
        return None
    kind, order = SHORT.get(args.type, args.type), args.order.upper()
    for said, option, known in ((kind, "-t", [*SHORT, *PointType]), (order, "--order", [*Order])):
        if said not in known:
            there = say("没有这个；可选：", "there is none such; there are: ")
            raise Failure(f"{option} {said!r}: {there}{', '.join(known)}", 2)
    try:
        return Point(f"{TABLES[args.function]}:{args.register}", kind, order=order)
    except ValueError as error:
        raise Failure(str(error), 2) from error


def values(point: Point, data: str, args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield each value of the type that fits in the registers read."""
    raw = bytes.fromhex(data)[1:]
    for at in range(0, args.count - point.count + 1, point.count):
        block = compile_block({"value": point}, args.register, point.count, point.table)
        good, bad = block.decode(raw[2 * at : 2 * (at + point.count)])
        yield {
            "register": args.register + at,
            "value": good.get("value"),
            "quality": str(bad.get("value", "good")),
        }


def show(found: dict[str, Any], args: argparse.Namespace) -> None:
    """Print frames on stderr, values on stdout."""
    print(f"→ {found['request']}", file=sys.stderr)
    if "error" in found:
        print(f"✗ {found['error']}   {found['took'] * 1e3:.0f} ms", file=sys.stderr)
        return
    print(f"← {found['data']}   {found['took'] * 1e3:.0f} ms", file=sys.stderr)
    if "values" in found:
        for value in found["values"]:
            shown = "?" if value["value"] is None else number(value["value"])
            print(f"0x{value['register']:04X}  {args.type} {args.order.upper()}  {shown}  {value['quality']}")
        return
    for at, register in enumerate(found.get("registers", found.get("bits", []))):
        if isinstance(register, bool):
            print(f"0x{args.register + at:04X}  {int(register)}")
        else:
            signed = register - 0x10000 * (register > 0x7FFF)
            print(f"0x{args.register + at:04X}  0x{register:04X}  {register:5d}  {signed:6d}")
