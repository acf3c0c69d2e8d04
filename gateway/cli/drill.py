"""`tocsin drill start|announce|stop|status|report`: tests and exercises, with a checklist."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.cli.client import Daemon, add_daemon, socket_of
from gateway.cli.output import Failure, add_output, ago, print_json, print_table, print_text
from gateway.cli.paper import local, sheet, span, stamp, utc, write_csv, write_jsonl
from gateway.language import say

if TYPE_CHECKING:
    import argparse
    from zoneinfo import ZoneInfo

KINDS = {"walk_test": ("走动测试", "walk test"), "exercise": ("演习", "exercise")}
COLUMNS = [
    "device",
    "heard",
    "rule",
    "at_utc",
    "at_local",
    "after_s",
    "announced_utc",
    "response_s",
    "overdue",
]


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb and what it can do."""
    parser = subparsers.add_parser("drill", help=say("演练与测试", "tests and exercises"))
    doing = parser.add_subparsers(metavar="ACTION", required=True)
    start = doing.add_parser("start", help=say("开始演练", "begin one"))
    start.add_argument("--scope", required=True, help="all | device:NAME | zone:NAME | line:NAME")
    start.add_argument(
        "--kind",
        choices=KINDS,
        default="walk_test",
        help=say("走动测试不出站", "a walk test stays on the site"),
    )
    start.add_argument(
        "--for", dest="length", default="30m", metavar="TIME", help=say("最长 8h", "8h at most")
    )
    start.add_argument(
        "-m", "--reason", dest="comment", default="", help=say("原因（必填）", "why; required")
    )
    start.set_defaults(run=start_drill)
    announce = doing.add_parser(
        "announce", help=say("宣布正在测试某探测器", "say which detector is tested now")
    )
    announce.add_argument("device")
    announce.set_defaults(run=announce_test)
    stop = doing.add_parser("stop", help=say("结束演练", "end it"))
    stop.add_argument("-m", "--comment", default="")
    stop.set_defaults(run=stop_drill)
    status = doing.add_parser("status", help=say("进行中的演练", "the one that goes on, with its checklist"))
    status.set_defaults(run=show_drill)
    report = doing.add_parser("report", help=say("演练报告", "the report of the last one"))
    report.add_argument("--format", choices=("text", "csv", "jsonl"), default="text")
    report.add_argument("--out", type=Path, metavar="FILE")
    report.set_defaults(run=report_drill)
    for action in (start, announce, stop, status, report):
        add_daemon(action)
        add_output(action)


def start_drill(args: argparse.Namespace) -> int:
    """Begin a drill; one that reaches the fire centre takes a fire officer."""
    body = {
        "actor": getpass.getuser(),
        "scope": args.scope,
        "kind": args.kind,
        "seconds": span(args.length),
        "comment": args.comment,
    }
    return shown(args, Daemon(socket_of(args)).post("/drill/start", body))


def announce_test(args: argparse.Namespace) -> int:
    """Say that a detector is set off now: its response time counts from here."""
    body = {"actor": getpass.getuser(), "device": args.device}
    return shown(args, Daemon(socket_of(args)).post("/drill/announce", body))


def stop_drill(args: argparse.Namespace) -> int:
    """End the drill; a signal that persists becomes a real alarm."""
    body = {"actor": getpass.getuser(), "comment": args.comment}
    return shown(args, Daemon(socket_of(args)).post("/drill/stop", body))


def show_drill(args: argparse.Namespace) -> int:
    """Show the drill that goes on."""
    found = Daemon(socket_of(args)).get("/drill")
    if found is not None and not found["running"]:
        found = None
    if found is None and args.output == "table":
        print(say("没有进行中的演练", "no drill is going on"))
        return 0
    return shown(args, found)


def report_drill(args: argparse.Namespace) -> int:
    """Write the report of the last drill: text, CSV or JSON Lines."""
    found = Daemon(socket_of(args)).get("/drill")
    if found is None:
        raise Failure(say("还没有演练", "there has been no drill"))
    if args.output == "json" or args.format == "text":
        return shown(args, found)
    with sheet(args.out, marked=args.format == "csv") as out:
        if args.format == "jsonl":
            write_jsonl(out, found["detectors"])
        else:
            zone = Daemon(socket_of(args)).zone()
            write_csv(out, COLUMNS, (cells(line, zone) for line in found["detectors"]))
    return 0


def shown(args: argparse.Namespace, drill: dict[str, Any] | None) -> int:
    """Print a drill with its checklist."""
    if args.output == "json" or drill is None:
        print_json(drill)
        return 0
    kind, left = say(*KINDS[drill["kind"]]), ago(drill["left"])
    state = say(f"剩余 {left}", f"{left} left") if drill["running"] else say("已结束", "over")
    print_text(f"{say('【演练】', '[DRILL]')} {kind}  {drill['scope']}  {state}  {drill['reason']}")
    zone = Daemon(socket_of(args)).zone()
    began, ended = local(drill["began"], zone), local(drill["ended"], zone) or "…"
    people = " + ".join(name for name in (drill["by"], drill["approved_by"]) if name)
    print_text(f"{began} – {ended}  {people}")
    tested, number = drill["heard"], len(drill["detectors"])
    print(say(f"已测 {tested}/{number}", f"heard {tested} of {number}"))
    head = say("探测器 结果 时刻 响应 规则", "DETECTOR RESULT AT RESPONSE RULE").split()
    print_table(head, (row(line, zone) for line in drill["detectors"]))
    return 0


def row(line: dict[str, Any], zone: ZoneInfo | None) -> tuple[object, ...]:
    """Return one detector's line."""
    if line["heard"]:
        result = say("✓ 已响应", "✓ heard")
    elif line["overdue"]:
        result = say("！宣布后 10 分钟无信号", "! announced, no signal for 10 min")
    else:
        result = say("未测", "not tested")
    response = "-" if line["response"] is None else f"{line['response']:.1f} s"
    return line["device"], result, local(line["at"], zone), response, line["rule"]


def cells(line: dict[str, Any], zone: ZoneInfo | None) -> list[object]:
    """Return one line of the sheet."""
    return [
        line["device"], line["heard"], line["rule"], utc(line["at"]), stamp(line["at"], zone), line["after"],
        utc(line["announced"]), line["response"], line["overdue"],
    ]  # fmt: skip
