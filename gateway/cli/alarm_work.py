"""`tocsin alarms silence|shelve|unshelve|reset|close|history|export`: alarm work and its past."""

from __future__ import annotations

import getpass
import time
from typing import TYPE_CHECKING, Any

from gateway.cli import sealed
from gateway.cli.client import Daemon, add_daemon, socket_of
from gateway.cli.output import Failure, add_output, ago, number, print_json, print_table
from gateway.cli.paper import add_paper, local, sheet, span, stamp, utc, write_csv, write_jsonl
from gateway.language import say

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from zoneinfo import ZoneInfo

DISPOSITIONS = {
    "real": ("真实", "real"),
    "false": ("误报", "false"),
    "drill": ("演练", "drill"),
    "device fault": ("设备故障", "device fault"),
    "other": ("其他", "other"),
}
WORDS = {
    "silence": ("已消音（未确认）", "silenced, not acknowledged"),
    "shelve": ("已搁置", "shelved"),
    "unshelve": ("已取消搁置", "no longer shelved"),
    "reset": ("已复位", "reset"),
    "close": ("已处置", "disposed of"),
}
HELP = {
    "silence": ("消音：只停声响，不是确认", "stop the horn; acknowledges nothing"),
    "shelve": ("限时搁置：不再通知任何人", "tell nobody for a while"),
    "unshelve": ("取消搁置", "end the shelf"),
    "reset": ("复位锁存", "let the latch go, when all is proven to be well"),
    "close": ("填写处置结论", "say what it was"),
}
COLUMNS = [
    "occurrence",
    "device",
    "rule",
    "class",
    "level",
    "status",
    "began_utc",
    "began_local",
    "raised_utc",
    "acked_utc",
    "acked_by",
    "cleared_utc",
    "closed_utc",
    "activations",
    "value",
    "unit",
    "disposition",
    "title_zh",
    "title_en",
]


def add(doing: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the actions to the verb."""
    for name, text in HELP.items():
        action = doing.add_parser(name, help=say(*text))
        action.add_argument("alarm", help="DEVICE/RULE", nargs="?" if name == "silence" else None)
        if name == "silence":
            action.add_argument("--all", action="store_true", help=say("全部告警", "all alarms that stand"))
        if name == "shelve":
            action.add_argument(
                "--for", dest="length", required=True, metavar="TIME", help=say("如 30m", "such as 30m")
            )
        if name == "close":
            action.add_argument("disposition", choices=DISPOSITIONS)
        action.add_argument("-m", "--comment", default="", help=say("原因", "why"))
        action.set_defaults(run=silence if name == "silence" else _run(name))
        add_daemon(action)
        add_output(action)
    for name, run, help_of in (
        ("history", history, say("过去的告警", "occurrences of the past")),
        ("export", export, say("导出过去的告警", "occurrences of the past as CSV or JSON Lines")),
    ):
        action = doing.add_parser(name, help=help_of)
        action.add_argument("alarm", nargs="?", help="DEVICE[/RULE]")
        action.add_argument("--since", default="7d", metavar="TIME", help=say("如 30d", "such as 30d"))
        action.set_defaults(run=run)
        add_daemon(action)
        if name == "history":
            add_output(action)
        else:
            add_paper(action)


def _run(task: str) -> Callable[[argparse.Namespace], int]:
    def run(args: argparse.Namespace) -> int:
        return act(args, task, args.alarm)

    return run


def act(args: argparse.Namespace, task: str, alarm: str) -> int:
    """Do one thing to one alarm; 5 when it is not allowed, 6 when the alarm has changed."""
    from gateway.cli.alarms import path_of  # noqa: PLC0415 - that module adds this one

    body: dict[str, Any] = {"actor": getpass.getuser(), "comment": args.comment}
    if task == "shelve":
        body["seconds"] = span(args.length)
    if task == "close":
        body["disposition"] = args.disposition
    answer = Daemon(socket_of(args)).post(f"{path_of(alarm)}/{task}", body)
    if args.output == "json":
        print_json(answer | {"alarm": alarm})
    else:
        print(say(*WORDS[task]), alarm)
    return 0


def silence(args: argparse.Namespace) -> int:
    """Silence one alarm, or every one that sounds."""
    if bool(args.alarm) == args.all:
        raise Failure(say("请给出 设备/规则 或 --all", "name DEVICE/RULE, or say --all"), 2)
    if args.alarm:
        return act(args, "silence", args.alarm)
    rows = Daemon(socket_of(args)).get("/alarms")
    for row in rows:
        if row["occurrence"] and row["active"] and not row["silenced"]:
            act(args, "silence", f"{row['device']}/{row['rule']}")
    return 0


def past(args: argparse.Namespace) -> list[dict[str, Any]]:
    """Return the occurrences asked for, newest first."""
    since = time.time_ns() - round(span(args.since) * 1e9)
    found: list[dict[str, Any]] = Daemon(socket_of(args)).get(
        f"/occurrences?since={max(since, 0)}&limit=20000"
    )
    if args.alarm:
        device, _, rule = args.alarm.partition("/")
        found = [line for line in found if line["device"] == device and rule in {"", line["rule"]}]
    return found


def history(args: argparse.Namespace) -> int:
    """Print a row per occurrence, newest first."""
    found = past(args)
    if args.output == "json":
        print_json(found)
        return 0
    head = say(
        "开始 告警 级别 次 值 确认用时 恢复用时 处置 状态",
        "BEGAN ALARM LEVEL × VALUE ACKED CLEARED WAS STATUS",
    ).split()
    zone = Daemon(socket_of(args)).zone()
    print_table(head, (row(line, zone) for line in found))
    return 0


def row(line: dict[str, Any], zone: ZoneInfo | None) -> tuple[object, ...]:
    """Return one line of the history."""
    began, raised = line["began"], line["raised"] or line["began"]
    acked = None if line["acked"] is None else (line["acked"] - raised) / 1e9
    cleared = None if line["cleared"] is None else (line["cleared"] - raised) / 1e9
    value = "-" if line["value"] is None else f"{number(line['value'])} {line['unit']}"
    word, _, said = line["disposition"].partition(":")
    disposition = say(*DISPOSITIONS[word]) if word in DISPOSITIONS else word
    who = f" {line['acked_by']}" if line["acked_by"] else ""
    asked = line["closed"] and line["level"] in {1, 2} and line["status"] == "Actual" and not word
    disposition = say("？待填", "? say what it was") if asked else disposition
    status = "" if line["status"] == "Actual" else say("演练", line["status"])
    return (
        local(began, zone), f"{line['device']}/{line['rule']}", line["level"], line["activations"], value,
        ago(acked) + who, ago(cleared), f"{disposition}{':' * bool(said)}{said}" or "-", status,
    )  # fmt: skip


def export(args: argparse.Namespace) -> int:
    """Write the past for others to keep."""
    found = past(args)
    with sheet(args.out, marked=args.format == "csv") as out:
        if args.format == "jsonl":
            write_jsonl(out, found)
        else:
            zone = Daemon(socket_of(args)).zone()
            write_csv(out, COLUMNS, (cells(line, zone) for line in found))
    sealed.set_seal(args, "alarms", len(found))
    return 0


def cells(line: dict[str, Any], zone: ZoneInfo | None) -> list[object]:
    """Return one line of the sheet."""
    return [
        line["occurrence"], line["device"], line["rule"], line["class"], line["level"], line["status"],
        utc(line["began"]), stamp(line["began"], zone), utc(line["raised"]), utc(line["acked"]),
        line["acked_by"], utc(line["cleared"]), utc(line["closed"]), line["activations"], line["value"],
        line["unit"], line["disposition"], line["title"]["zh"], line["title"]["en"],
    ]  # fmt: skip
