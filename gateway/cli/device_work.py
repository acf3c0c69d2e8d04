"""`tocsin devices baseline|replaced|disable|enable|requests|approve`: what people do to devices."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from gateway.cli.client import Daemon, add_daemon, socket_of
from gateway.cli.output import add_output, ago, number, print_json, print_table, print_text
from gateway.cli.paper import local, span
from gateway.language import say

if TYPE_CHECKING:
    import argparse


def add(doing: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the actions to the verb."""
    baseline = doing.add_parser(
        "baseline", help=say("静止取零：安装基准", "take where it rests as its baseline")
    )
    baseline.add_argument("device")
    baseline.add_argument("--show", action="store_true", help=say("只显示历次基准", "only show its versions"))
    baseline.add_argument("--ref", default="", help=say("照片或工单号", "photo or work order"))
    baseline.set_defaults(run=take_baseline)
    replaced = doing.add_parser(
        "replaced", help=say("传感器已更换：学习与基准重新开始", "the sensor is another one: learn anew")
    )
    replaced.add_argument("device")
    replaced.add_argument(
        "--ref", default="", help=say("新传感器编号或工单号", "serial number or work order")
    )
    replaced.set_defaults(run=sensor_replaced)
    disable = doing.add_parser(
        "disable", help=say("停用一台设备的全部告警", "take its alarms out of service")
    )
    disable.add_argument("device")
    disable.add_argument(
        "--for", dest="length", required=True, metavar="TIME", help=say("如 8h", "such as 8h")
    )
    disable.set_defaults(run=disable_device)
    enable = doing.add_parser("enable", help=say("恢复使用", "put its alarms back into service"))
    enable.add_argument("device")
    enable.set_defaults(run=enable_device)
    requests = doing.add_parser("requests", help=say("待批准的申请", "what waits for a second person"))
    requests.set_defaults(run=list_requests)
    approve = doing.add_parser(
        "approve", help=say("批准一项申请", "stand for a request as the second person")
    )
    approve.add_argument("request")
    approve.set_defaults(run=approve_request)
    for action in (baseline, replaced, disable, enable, requests, approve):
        if action is not requests:
            action.add_argument("-m", "--comment", default="", help=say("原因", "why"))
        add_daemon(action)
        add_output(action)


def said(args: argparse.Namespace, **more: object) -> dict[str, Any]:
    """Return what goes with every order."""
    return {"actor": getpass.getuser(), "comment": args.comment, **more}


def path_of(args: argparse.Namespace, what: str) -> str:
    """Return the path of an action on the device."""
    return f"/devices/{quote(args.device, safe='')}/{what}"


def take_baseline(args: argparse.Namespace) -> int:
    """Have the baseline taken, or show the versions there are."""
    daemon, path = Daemon(socket_of(args)), path_of(args, "baseline")
    found = daemon.get(path) if args.show else daemon.post(path, said(args, reference=args.ref))
    if args.output == "json":
        print_json(found)
        return 0
    values = "  ".join(f"{name} {number(value)}" for name, value in found["baseline"].items())
    print_text(f"{found['device']} {values or say('无基准', 'no baseline')}")
    zone = daemon.zone()
    head = say("版本 时间 谁 值 离散 原因", "VERSION TIME WHO VALUES SPREAD WHY").split()
    rows = (
        (v["version"], local(v["at"], zone), v["by"], *taken(v), v["reason"])
        for v in reversed(found["versions"])
    )
    print_table(head, rows)
    return 0


def sensor_replaced(args: argparse.Namespace) -> int:
    """Say that the sensor was replaced; what needs a baseline says so."""
    answer = Daemon(socket_of(args)).post(path_of(args, "replaced"), said(args, reference=args.ref))
    if args.output != "json" and answer["asleep"]:
        asleep, take = ", ".join(answer["asleep"]), f"tocsin devices baseline {args.device} -m ..."
        print(say(f"待重新取基准：{asleep}", f"asleep until there is a baseline: {asleep}"), f"({take})")
    return told(args, answer, say("已登记更换", "noted as replaced"))


def taken(version: dict[str, Any]) -> tuple[str, str]:
    """Return the values and the spread of one version, or that the sensor was replaced."""
    if version.get("void"):
        return say("传感器已更换", "sensor replaced"), "-"
    return values_of(version["values"]), f"{version['spread']}°"


def values_of(values: dict[str, float]) -> str:
    """Return the values of one version."""
    return " ".join(f"{name}={number(value)}" for name, value in values.items())


def disable_device(args: argparse.Namespace) -> int:
    """Take a device out of service; a protected one waits for a fire officer, which exits 5."""
    body = said(args, seconds=span(args.length))
    answer = Daemon(socket_of(args)).post(path_of(args, "disable"), body)
    return told(args, answer, say("已停用", "out of service"))


def enable_device(args: argparse.Namespace) -> int:
    """Put a device back into service."""
    answer = Daemon(socket_of(args)).post(path_of(args, "enable"), said(args))
    return told(args, answer, say("已恢复使用", "in service"))


def told(args: argparse.Namespace, answer: dict[str, Any], word: str) -> int:
    """Print what was done."""
    if args.output == "json":
        print_json(answer | {"device": args.device})
    else:
        print(word, args.device, say(f"（{answer['alarms']} 个告警）", f"({answer['alarms']} alarms)"))
    return 0


def list_requests(args: argparse.Namespace) -> int:
    """Print what waits for a second person."""
    found = Daemon(socket_of(args)).get("/requests")
    if args.output == "json":
        print_json(found)
        return 0
    head = say("申请 谁 事项 对象 时长 原因 剩余", "REQUEST WHO TASK WHAT LENGTH WHY LEFT").split()
    rows = (
        (
            r["request"],
            r["who"],
            r["task"],
            r.get("device") or r.get("scope"),
            ago(r["seconds"]),
            r["comment"],
            ago(r["left"]),
        )
        for r in found
    )
    print_table(head, rows)
    return 0


def approve_request(args: argparse.Namespace) -> int:
    """Stand for a request; 5 when this account is no fire officer, or asked for it itself."""
    answer = Daemon(socket_of(args)).post(f"/requests/{quote(args.request, safe='')}/approve", said(args))
    if args.output == "json":
        print_json(answer)
    else:
        print(say("已批准并执行", "approved and done"), args.request)
    return 0
