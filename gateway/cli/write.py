"""`tocsin write`: a point of a device through the daemon, or a raw register on a line that no daemon owns."""

from __future__ import annotations

import getpass
import sys
import uuid
from typing import TYPE_CHECKING
from urllib.parse import quote

from drivers.modbus import pdu
from gateway.cli.client import Daemon, add_daemon, socket_of
from gateway.cli.line_access import Access, add_line
from gateway.cli.output import Failure, add_output, print_json
from gateway.cli.read import show, whole
from gateway.language import say

if TYPE_CHECKING:
    import argparse

    from gateway.model import Value


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    text = say(
        "写设备的点（经守护进程，须在站点文件中允许）；或在未被占用的线路上直接写寄存器",
        "write DEVICE.POINT through the daemon (the site must allow it), or a register on a line nobody owns",
    )
    parser = subparsers.add_parser("write", help=say("写入", "write a point or a register"), description=text)
    add_line(parser)
    parser.add_argument("value", nargs="+", help=say("数值", "the value; several registers with function 16"))
    parser.add_argument("-a", "--address", type=whole, help=say("设备地址", "unit"))
    parser.add_argument("-f", "--function", type=int, choices=(5, 6, 15, 16), default=6)
    parser.add_argument("-r", "--register", type=whole, default=0)
    parser.add_argument("--yes", action="store_true", help=say("确认直接写入", "yes, write to the wire"))
    add_daemon(parser)
    add_output(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write once. A DEVICE.POINT goes through the daemon; anything else is raw and must be meant."""
    device, dot, point = str(args.line).partition(".")
    if dot and "/" not in args.line and ":" not in args.line:
        return write_point(args, device, point)
    return write_raw(args)


def write_point(args: argparse.Namespace, device: str, point: str) -> int:
    """Send an order to the daemon; 5 when it is not allowed."""
    if len(args.value) > 1:
        raise Failure(say("一个点只能写一个值", "a point takes one value"), 2)
    body = {"id": uuid.uuid4().hex, "point": point, "value": parse(args.value[0]), "actor": getpass.getuser()}
    answer = Daemon(socket_of(args)).post(f"/devices/{quote(device, safe='')}/write", body)
    if args.output == "json":
        print_json(answer)
    else:
        print(f"{device}.{point} = {answer['value']}")
    return 0


def parse(text: str) -> Value:
    """Return a value as people write one: true, false, 5, 0x10, 1.5, or a word."""
    if text in {"true", "false"}:
        return text == "true"
    for kind in (whole, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def write_raw(args: argparse.Namespace) -> int:
    """Write to a line directly."""
    if args.address is None:
        raise Failure(say("需要 -a 设备地址", "-a UNIT is wanted"), 2)
    access = Access(args)
    if access.through_daemon:
        text = say(
            "该线路由守护进程占用；只能写站点允许的点：tocsin write 设备.点 值",
            "the daemon owns this line; write what the site allows: tocsin write DEVICE.POINT VALUE",
        )
        raise Failure(text, 5)
    if not args.yes:
        raise Failure(
            say(
                "直接写寄存器可能动作设备；确认请加 --yes",
                "a raw write may move something; add --yes if you mean it",
            ),
            5,
        )
    try:
        numbers = [whole(text) for text in args.value]
        query = {
            5: lambda: pdu.write_coil(args.address, args.register, on=bool(numbers[0])),
            6: lambda: pdu.write_register(args.address, args.register, numbers[0]),
            15: lambda: pdu.write_coils(args.address, args.register, [bool(n) for n in numbers]),
            16: lambda: pdu.write_registers(args.address, args.register, numbers),
        }[args.function]()
    except ValueError as error:
        raise Failure(str(error), 2) from error
    found = access.ask(query)
    if args.output == "json":
        print_json(found)
    else:
        show(found, args)
        print(say("失败", "failed") if "error" in found else say("已写入", "written"), file=sys.stderr)
    return 1 if "error" in found else 0
