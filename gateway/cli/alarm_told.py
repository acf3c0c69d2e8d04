"""`tocsin alarms notices`, and who was told of one alarm for `alarms show`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from gateway.cli.client import Daemon, add_daemon, socket_of
from gateway.cli.output import add_output, ago, pad, print_json, print_table, print_text
from gateway.cli.paper import local
from gateway.language import pick, say

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

KINDS = {
    "raise": ("告警", "alarm"),
    "upgrade": ("升级", "upgrade"),
    "clear": ("解除", "over"),
    "group": ("合并", "several"),
    "digest": ("摘要", "digest"),
    "reminder": ("催办", "reminder"),
    "chatter": ("抖动", "chatter"),
    "disablement": ("停用", "disablement"),
}
RECEIPTS = {
    "queued": ("待发", "queued"),
    "failed": ("失败，重试", "failed, tried again"),
    "sent": ("已发", "sent"),
    "delivered": ("已送达", "delivered"),
    "received": ("已收到", "received"),
    "read": ("已读", "read"),
    "accepted": ("已接警", "accepted"),
    "rejected": ("已拒绝", "rejected"),
    "dispatched": ("已派出", "dispatched"),
    "on_scene": ("已到场", "on scene"),
    "closed": ("已办结", "closed"),
    "expired": ("已过期", "expired"),
}
WAITS = {
    "waiting": ("等待合并", "waits for others"),
    "digest": ("等待摘要", "waits for a digest"),
    "sent": ("已通知", "told"),
    "over": ("待通知解除", "waits to hear that it is over"),
}


def add(doing: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the action to the verb."""
    notices = doing.add_parser(
        "notices", help=say("通知了谁、结果如何", "who was told what, and what became of it")
    )
    notices.add_argument("alarm", nargs="?", help="DEVICE/RULE")
    notices.add_argument("-n", "--lines", type=int, default=50, metavar="N")
    notices.set_defaults(run=list_notices)
    add_daemon(notices)
    add_output(notices)


def list_notices(args: argparse.Namespace) -> int:
    """Print a row per notice, newest first."""
    only = f"&alarm={quote(args.alarm, safe='/')}" if args.alarm else ""
    daemon = Daemon(socket_of(args))
    found = daemon.get(f"/notices?limit={min(max(args.lines, 1), 1000)}{only}")
    if args.output == "json":
        print_json(found)
        return 0
    waiting, dropped = found["waiting"], found["dropped"]
    print_text(say(f"待送达 {waiting}  丢弃 {dropped}", f"{waiting} not delivered yet  {dropped} dropped"))
    if found["flood"]:
        print_text(flooded(0))
    table(found["notices"], daemon.zone())
    return 0


def table(notices: list[dict[str, Any]], zone: ZoneInfo | None) -> None:
    """Print notices, with the times of a zone."""
    head = say("时间 谁 类型 级别 回执 途径 次 内容", "TIME WHO KIND LV RECEIPT WAY TRIES WHAT").split()
    print_table(head, (row(notice, zone) for notice in notices))


def row(notice: dict[str, Any], zone: ZoneInfo | None) -> tuple[object, ...]:
    """Return one line of the list."""
    more = len(notice["alarms"]) + notice["more"]
    what = pick(notice["title"]) + (f" ({more})" if more > 1 else "")
    receipt = say(*RECEIPTS[notice["receipt"]]) + (f": {notice['reason']}" if notice["reason"] else "")
    kind = say(*KINDS[notice["kind"]])
    where = local(notice["at"], zone), notice["person"], kind, notice["level"], receipt
    return *where, notice["way"], notice["tries"], what


def told(alarm: dict[str, Any]) -> Iterator[str]:
    """Yield who was told of one alarm, and what the ladder does next."""
    way = alarm["way_up"]
    if way is None:
        yield f"{pad(say('通知', 'told'), 12)} {say('无人', 'nobody')}"
        return
    step = f"{way['ladder']} {way['step']}/{way['steps']}"
    yield f"{pad(say('通知阶梯', 'ladder'), 12)} {step}  {next_step(way)}"
    for person, state in way["people"].items():
        receipt = way["receipts"].get(person)
        said = say(*WAITS[state]) + (f"  {say(*RECEIPTS[receipt])}" if receipt else "")
        yield f"{pad('', 12)} {person}  {said}"


def next_step(way: dict[str, Any]) -> str:
    """Return what comes next on the ladder."""
    if way["verifying"]:
        left = ago(way["next"])
        return say(f"正在现场核实，{left} 后全面报警", f"somebody looks; everybody is told in {left}")
    if way["next"] is None:
        return say("已停", "stopped") if way["stopped"] else say("已到顶", "all the way up")
    left, people = ago(way["next"]), ", ".join(way["then"])
    return say(f"{left} 后通知 {people}", f"in {left}: {people}")


def flooded(hidden: int) -> str:
    """Return the banner of a flood."""
    more = say(f"，折叠 {hidden} 条（--all）", f", {hidden} rows folded away (--all)") if hidden else ""
    return say("！告警洪泛：只列根因和 1、2 级", "! flood: root causes and levels 1 and 2 only") + more
