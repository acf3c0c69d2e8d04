"""`tocsin alarms list|show|ack`, and what `alarm_work` and `alarm_told` add: alarm work."""

from __future__ import annotations

import getpass
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from gateway.cli import alarm_told, alarm_work, interlock_words
from gateway.cli.client import Daemon, add_daemon, socket_of
from gateway.cli.output import (
    Failure,
    add_output,
    ago,
    number,
    pad,
    place_text,
    print_json,
    print_table,
    print_text,
    said_once,
)
from gateway.cli.paper import local
from gateway.language import pick, say

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

CONFLICT = 6
SHAPES = {
    1: ("■", "红", "red"),
    2: ("▲", "橙", "orange"),
    3: ("◆", "黄", "yellow"),
    4: ("●", "蓝", "blue"),
    0: ("✖", "故障", "fault"),
}
LETTERS = {
    "A": ("正常", "normal"),
    "B": ("未确认", "unacked"),
    "C": ("已确认", "acked"),
    "D": ("已恢复未确认", "returned, unacked"),
    "E": ("锁存未确认", "latched, unacked"),
    "F": ("锁存待复位", "latched"),
    "G": ("搁置", "shelved"),
    "H": ("抑制", "suppressed"),
    "I": ("停用", "out of service"),
}


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb and what it can do."""
    parser = subparsers.add_parser("alarms", help=say("告警处理", "alarm work"))
    doing = parser.add_subparsers(metavar="ACTION", required=True)
    listing = doing.add_parser("list", help=say("当前告警", "alarms as they stand"))
    listing.add_argument(
        "--level", type=int, choices=range(5), help=say("只列该级别", "only this level; 0 is faults")
    )
    listing.add_argument(
        "--all",
        action="store_true",
        help=say(
            "包括被抑制的和洪泛时折叠的", "also those hidden by a root cause, or folded away in a flood"
        ),
    )
    listing.set_defaults(run=list_alarms)
    show = doing.add_parser("show", help=say("一个告警及其经过", "one alarm with its timeline"))
    show.add_argument("alarm", help="DEVICE/RULE")
    show.set_defaults(run=show_alarm)
    ack = doing.add_parser("ack", help=say("确认告警", "acknowledge"))
    ack.add_argument("alarm", help="DEVICE/RULE")
    ack.add_argument(
        "--seen",
        type=int,
        help=say("看到的第几次触发", "the activation you have seen; default: what is shown now"),
    )
    ack.add_argument("-m", "--comment", default="", help=say("处置说明", "what is being done"))
    ack.set_defaults(run=ack_alarm)
    for action in (listing, show, ack):
        add_daemon(action)
        add_output(action)
    alarm_work.add(doing)
    alarm_told.add(doing)


def list_alarms(args: argparse.Namespace) -> int:
    """Print a row per alarm, gravest first."""
    alarms = Daemon(socket_of(args)).get("/alarms")
    if args.level is not None:
        alarms = [alarm for alarm in alarms if alarm["level"] == args.level]
    if args.output == "json":
        print_json(alarms)
        return 0
    if not args.all:
        shown = [alarm for alarm in alarms if alarm["letter"] != "H"]
        if hidden := len(alarms) - len(shown):
            said = say(f"另有 {hidden} 条被根因抑制", f"{hidden} more are hidden by a root cause")
            print(said, "(--all)", file=sys.stderr)
        alarms = [alarm for alarm in shown if not alarm["collapsed"]]
        if len(alarms) < len(shown):
            print(alarm_told.flooded(len(shown) - len(alarms)), file=sys.stderr)
    head = say(
        "级别 状态 持续 次 位置 内容 触发值→现值 确认", "LV STATE SINCE × WHERE WHAT VALUE→NOW ACK"
    ).split()
    print_table(head, map(row, alarms), spare=(3, 7, 6))
    return 0


def row(alarm: dict[str, Any]) -> tuple[object, ...]:
    """Return one line of the list."""
    shape, zh, en = SHAPES[alarm["level"]]
    state = f"{alarm['letter']} {say(*LETTERS[alarm['letter']])}{overlays(alarm)}"
    where = place_text(alarm["place"]) or alarm["device"]
    said = said_once(pick(alarm["message"]), where, alarm["device"])  # each has a place of its own
    what = f"[{alarm['device']}/{alarm['rule']}] {said}"
    if alarm["affects"]:
        what += say(f"（影响 {alarm['affects']} 点）", f" (hides {alarm['affects']} more)")
    who = alarm["acked_by"] or "-"
    return (
        f"{shape}{say(zh, en)}",
        state,
        ago(alarm["age"]),
        alarm["activation"],
        where,
        what,
        values(alarm),
        who,
    )


def overlays(alarm: dict[str, Any]) -> str:
    """Return what is drawn over the state (alarms.md 3.2): doubt, chatter, drill, steps of the ladder."""
    doubt, flutter = "?" if alarm["quality"] != "good" else "", "≈" if alarm["chattering"] else ""
    drill = say(" 演", " drill") if alarm["test"] else ""
    return f"{doubt}{flutter}{drill}" + (f" ↑{alarm['step']}" if alarm["step"] > 1 else "")


def values(alarm: dict[str, Any]) -> str:
    """Return the value that opened the alarm and the value now."""
    then, now = (("?" if v is None else number(v)) for v in (alarm["trigger"], alarm["value"]))
    return "-" if alarm["trigger"] is None and alarm["value"] is None else f"{then}→{now} {alarm['unit']}"


def path_of(alarm: str) -> str:
    """Return the API path of DEVICE/RULE. Raises Failure."""
    device, slash, rule = alarm.partition("/")
    if not (device and slash and rule):
        raise Failure(
            say(
                f"{alarm!r}：应为 设备/规则",
                f"{alarm!r}: wanted DEVICE/RULE, as `tocsin alarms list` shows it",
            ),
            2,
        )
    return f"/alarms/{quote(device, safe='')}/{quote(rule, safe='')}"


def show_alarm(args: argparse.Namespace) -> int:
    """Print one alarm and its timeline, newest first."""
    daemon = Daemon(socket_of(args))
    alarm = daemon.get(path_of(args.alarm))
    if args.output == "json":
        print_json(alarm)
        return 0
    zone = daemon.zone()
    where = place_text(alarm["place"]) or alarm["device"]
    print_text(f"{where} {said_once(pick(alarm['message']), where, alarm['device'])}")
    for name, value in facts(alarm):
        print_text(f"{pad(name, 12)} {value}")
    for line in alarm_told.told(alarm):
        print_text(line)
    head = say("时间 事件 状态 值 谁 说明", "TIME EVENT STATE VALUE WHO WHY").split()
    names = ("event", "state", "value", "actor", "reason")
    times = (local(e["at"], zone, "%m-%d %H:%M:%S") for e in alarm["timeline"])
    rows = ((at, *(e[name] for name in names)) for at, e in zip(times, alarm["timeline"], strict=True))
    print_table(head, rows)
    if alarm["notices"]:
        print()
        alarm_told.table(alarm["notices"], zone)
    return 0


def facts(alarm: dict[str, Any]) -> Iterator[tuple[str, object]]:
    """Yield what there is to say of an alarm, each with its name."""
    _, zh, en = SHAPES[alarm["level"]]
    yield say("告警", "alarm"), f"{alarm['device']}/{alarm['rule']}"
    yield say("级别", "level"), say(zh, en)
    yield say("状态", "state"), f"{alarm['letter']} {say(*LETTERS[alarm['letter']])}"
    yield say("值", "value"), values(alarm)
    yield say("事件号", "occurrence"), alarm["occurrence"]
    yield say("触发次数", "activations"), alarm["activation"]
    yield say("确认人", "acked by"), alarm["acked_by"] or "-"
    for interlock in alarm.get("interlocks", ()):  # a daemon of before had none
        yield say("联锁", "interlock"), interlock_words.standing(interlock)


def ack_alarm(args: argparse.Namespace) -> int:
    """Acknowledge what was seen; 6 when it has changed since."""
    daemon, path = Daemon(socket_of(args)), path_of(args.alarm)
    alarm = daemon.get(path)
    seen = alarm["activation"] if args.seen is None else args.seen
    body = {
        "occurrence": alarm["occurrence"],
        "seen": seen,
        "actor": getpass.getuser(),
        "comment": args.comment,
    }
    try:
        answer = daemon.post(path + "/ack", body)
    except Failure as failure:
        if failure.status == CONFLICT:
            look = f"tocsin alarms show {args.alarm}"
            raise Failure(f"{failure}; {say('请再看一次', 'look again')}: {look}", CONFLICT) from failure
        raise
    if args.output == "json":
        print_json(answer)
    else:
        print(say("已确认", "acknowledged"), args.alarm)
    return 0
