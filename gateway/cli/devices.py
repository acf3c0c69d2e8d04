"""`tocsin devices list|show|poll`, and what `device_work` adds: the ledger and the health of each device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from gateway.cli import device_work
from gateway.cli.client import Daemon, add_daemon, socket_of
from gateway.cli.output import add_output, ago, number, place_text, print_json, print_table, print_text
from gateway.language import say

if TYPE_CHECKING:
    import argparse


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb and what it can do."""
    parser = subparsers.add_parser(
        "devices", help=say("设备台账与状态", "the ledger and the health of each device")
    )
    doing = parser.add_subparsers(metavar="ACTION", required=True)
    for name, run, text in (
        ("list", list_devices, say("全部设备", "all devices")),
        ("show", show_device, say("一台设备的全部信息", "one device with all its points")),
        ("poll", poll_device, say("立即读取一次", "read it now")),
    ):
        action = doing.add_parser(name, help=text)
        add_daemon(action)
        add_output(action)
        action.set_defaults(run=run)
        if name == "list":
            action.add_argument(
                "--problems", action="store_true", help=say("只列有问题的", "only those with a problem")
            )
        else:
            action.add_argument("device")
    device_work.add(doing)


def list_devices(args: argparse.Namespace) -> int:
    """Print a row per device."""
    devices = Daemon(socket_of(args)).get("/devices")
    if args.problems:
        devices = [device for device in devices if troubled(device)]
    if args.output == "json":
        print_json(devices)
        return 0
    head = say(
        "设备 类型 位置 线路 地址 状态 最近正常 错误", "DEVICE KIND PLACE LINE ADDR STATE LAST-GOOD ERRORS"
    ).split()
    print_table(head, map(row, devices), spare=(4, 3, 1))
    return 0


def row(device: dict[str, Any]) -> tuple[object, ...]:
    """Return one line of the list."""
    errors = " ".join(f"{name}:{count}" for name, count in device["errors"].items())
    return (
        device["name"], device["kind"], place_text(device["place"]), device["line"], device["address"],
        state_of(device) + foreign(device), ago(device["last_good"]), errors or "-",
    )  # fmt: skip


def state_word(state: str) -> str:
    """Return a device's state in the reader's language."""
    words = {
        "live": ("正常", "ok"),
        "quiet": ("静候", "quiet"),
        "suspect": ("可疑", "suspect"),
        "lost": ("失联", "lost"),
        "never": ("从未应答", "never seen"),
    }
    return say(*words.get(state, (state, state)))


def state_of(device: dict[str, Any]) -> str:
    """Return a device's state, and whether its alarms are out of service."""
    word, left = state_word(device["state"]), device.get("out_of_service")
    if not left:
        return word
    return say(f"停用（余 {ago(left)}），{word}", f"OUT OF SERVICE ({ago(left)} left), {word}")


def foreign(device: dict[str, Any]) -> str:
    """Return the mark of a device of another gateway."""
    owner = device.get("foreign")
    return say(f"（属 {owner}）", f" ({owner}'s)") if owner else ""


def troubled(device: dict[str, Any]) -> bool:
    """Return whether the crew should look at it: it does not answer, or a point is not good."""
    return device["state"] not in {"live", "quiet"} or any(
        point["quality"] != "good" for point in device["points"].values()
    )


def show_device(args: argparse.Namespace) -> int:
    """Print one device."""
    device = Daemon(socket_of(args)).get(f"/devices/{quote(args.device, safe='')}")
    if args.output == "json":
        print_json(device)
        return 0
    print_text(f"{device['name']}  {device['profile']}  {place_text(device['place'])}")
    where = f"{device['line']} {say('地址', 'address')} {device['address']}"
    state, good, cycle = state_of(device), ago(device["last_good"]), f"{device['cycle']:.2f} s"
    print_text(
        f"{where}  {state}  {say(f'最近正常 {good}  周期 {cycle}', f'last good {good}  cycle {cycle}')}"
    )
    unit = device["unit"] or {}
    if unit.get("p50") is not None:
        times = f"p50 {unit['p50'] * 1e3:.0f} ms  p95 {unit['p95'] * 1e3:.0f} ms"
        print_text(f"{say('响应', 'response')} {times}  {say('超时', 'timeouts')} {unit['timeouts']}")
    head = say("点 值 单位 质量 年龄", "POINT VALUE UNIT QUALITY AGE").split()
    print_table(head, (point_row(name, point) for name, point in device["points"].items()))
    return 0


def point_row(name: str, point: dict[str, Any]) -> tuple[object, ...]:
    """Return one point's line."""
    value = "?" if point["value"] is None else number(point["value"])
    return name, value, point["unit"], point["quality"], ago(point["age"])


def poll_device(args: argparse.Namespace) -> int:
    """Read one device now, ahead of its turn, and print it."""
    daemon, path = Daemon(socket_of(args)), f"/devices/{quote(args.device, safe='')}"
    answer = daemon.post(path + "/poll", {})
    if args.output == "json":
        print_json(answer)
        return 0
    known = daemon.get(path)["points"]
    head = say("点 值 单位 质量", "POINT VALUE UNIT QUALITY").split()
    values, bad = answer["values"], answer["bad"]
    units = {name: known.get(name, {}).get("unit", "") for name in (*values, *bad)}
    rows = [(name, number(value), units[name], "good") for name, value in values.items()]
    print_table(head, [*rows, *((name, "?", units[name], why) for name, why in bad.items())])
    return 0
