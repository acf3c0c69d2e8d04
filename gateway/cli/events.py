"""`tocsin events tail|verify|export`: the audit, and the proof that nobody touched it."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from gateway.cli import sealed
from gateway.cli.client import Daemon, add_daemon, site_of, socket_of
from gateway.cli.output import (
    Failure,
    add_output,
    place_text,
    print_json,
    print_table,
    print_text,
    said_once,
)
from gateway.cli.paper import add_paper, local, sheet, span, stamp, utc, write_csv, write_jsonl
from gateway.language import pick, say

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator
    from zoneinfo import ZoneInfo

PAGE = 1000
PAUSE = 0.5  # seconds between two looks of `-f`
COLUMNS = [
    "n",
    "at_utc",
    "at_local",
    "type",
    "what",
    "device",
    "rule",
    "occurrence",
    "level",
    "who",
    "role",
    "account",
    "outcome",
    "why",
    "text_zh",
    "hash",
]


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb and what it can do."""
    parser = subparsers.add_parser("events", help=say("审计日志（哈希链）", "the audit log, hash-chained"))
    doing = parser.add_subparsers(metavar="ACTION", required=True)
    tail = doing.add_parser("tail", help=say("最新的记录", "the newest entries"))
    tail.add_argument("-n", "--lines", type=int, default=20, metavar="N")
    tail.add_argument("-f", "--follow", action="store_true", help=say("持续显示", "go on as they come"))
    tail.set_defaults(run=show_tail)
    verify = doing.add_parser(
        "verify", help=say("校验哈希链", "prove that nothing was changed, removed or moved")
    )
    verify.add_argument(
        "--head",
        action="append",
        default=[],
        metavar="N:HASH",
        help=say("已公布的链头（MQTT health）", "a head that was published (MQTT health)"),
    )
    verify.set_defaults(run=prove)
    verify.add_argument(
        "--file", type=Path, metavar="FILE",
        help=say("校验一个导出文件（旁有 FILE.seal）", "prove an export, by FILE.seal beside it"),
    )  # fmt: skip
    verify.add_argument("--key", default="", help=say("网关公布过的公钥", "the key that the gateway told"))
    export = doing.add_parser("export", help=say("导出", "all of it as CSV or JSON Lines"))
    export.add_argument("--since", metavar="TIME", help=say("如 30d", "such as 30d"))
    add_paper(export)
    export.set_defaults(run=write_out)
    for action in (tail, verify, export):
        add_daemon(action)
        action.add_argument(
            "--data", type=Path, metavar="FOLDER",
            help=say("离线：数据目录或其副本", "offline: a data folder, or a copy of one"),
        )  # fmt: skip
        if action is not export:
            add_output(action)


def source(args: argparse.Namespace, stack: ExitStack) -> Callable[[int, int], list[dict[str, Any]]]:
    """Return what reads entries above a number (-1: the newest): the daemon, or a folder. Raises Failure."""
    if args.data is None:
        daemon = Daemon(socket_of(args))
        return lambda after, limit: daemon.get(f"/audit?after={after}&limit={limit}")
    from gateway.store import StoreError, audit  # noqa: PLC0415 - offline only

    try:
        db = stack.enter_context(audit.opened(args.data))
    except StoreError as error:
        raise Failure(str(error)) from error

    def read(after: int, limit: int) -> list[dict[str, Any]]:
        start = audit.newest(db, limit) if after < 0 else after
        return [entry.to_json() for entry in audit.entries(db, start, limit)]

    return read


def zone_of(args: argparse.Namespace) -> ZoneInfo | None:
    """Return the zone of the site: as the daemon tells it, offline as its site file says; else None."""
    if args.data is None:
        return Daemon(socket_of(args)).zone()
    return site_of(args.config).timezone if args.config else None


def show_tail(args: argparse.Namespace) -> int:
    """Print the newest entries, and with -f those that come."""
    with ExitStack() as stack:
        read = source(args, stack)
        found, zone = read(-1, min(max(args.lines, 1), PAGE)), zone_of(args)
        show(args, found, zone, head=True)
        after = found[-1]["n"] if found else 0
        while args.follow:
            time.sleep(PAUSE)
            found = read(after, PAGE)
            show(args, found, zone, head=False)
            after = found[-1]["n"] if found else after
    return 0


def show(
    args: argparse.Namespace, entries: list[dict[str, Any]], zone: ZoneInfo | None, *, head: bool
) -> None:
    """Print entries as they were asked for; JSON a line each while following."""
    if args.output == "json":
        if args.follow:
            for entry in entries:
                print(json.dumps(entry, ensure_ascii=False), flush=True)
        else:
            print_json(entries)
    elif head:
        names = say("序号 时间 事件 对象 谁 说明", "N TIME WHAT ALARM WHO WHY").split()
        print_table(names, (row(entry, zone) for entry in entries))
    else:
        for entry in entries:
            print_text("  ".join(str(cell) for cell in row(entry, zone)))


def row(line: dict[str, Any], zone: ZoneInfo | None) -> tuple[object, ...]:
    """Return one line for people."""
    return line["n"], local(line["at"], zone), *told(line)


def told(line: dict[str, Any]) -> tuple[object, ...]:
    """Return what an entry says: what, about what, who, why."""
    entry = line["entry"] or {}
    kind = entry.get("type", "event")
    if kind == "action":
        what = f"{entry['task']} {entry['outcome']}" + (f" ({entry['why']})" if entry["why"] else "")
        who = f"{entry['who']['name']} [{entry['who']['role']}]"
        who += f" + {entry['second']['name']}" if entry.get("second") else ""
        why = entry["comment"] or ", ".join(entry.get("causes", ()))
        return what, subject(entry), who, why
    if kind == "event":
        why = entry.get("reason") or title(entry)
        return entry.get("event", "?"), subject(entry), entry.get("actor") or "-", why
    rest = " ".join(f"{name}={value}" for name, value in entry.items() if name != "type")
    return kind, "-", "-", rest


def title(entry: dict[str, Any]) -> str:
    """Return the title of an event, the place in it once; the device has a column of its own."""
    if "title" not in entry:
        return ""
    where = place_text(entry.get("where"))
    said = said_once(pick(entry["title"]), where, str(entry.get("device")))
    return f"{where} {said}" if where else said


def subject(entry: dict[str, Any]) -> str:
    """Return what an entry is about."""
    if entry.get("point"):
        return f"{entry.get('device')}.{entry['point']} = {entry.get('value')}"
    parts = [entry[name] for name in ("device", "rule") if entry.get(name)]
    return "/".join(parts) or str(entry.get("scope") or entry.get("line") or "-")


def prove(args: argparse.Namespace) -> int:
    """Walk through the chain, or prove an export; 4 when something is wrong with it."""
    if args.file is not None:
        return sealed.prove(args)
    proof = offline(args) if args.data is not None else online(args)
    if args.output == "json":
        print_json(proof)
        return 0 if proof["whole"] else 4
    for problem in proof["problems"]:
        where = say(f"第 {problem['n']} 条", f"entry {problem['n']}") if problem["n"] else "-"
        print(f"✗ {where}: {pick(problem)}")
    if more := proof["found"] - len(proof["problems"]):
        print(say(f"另有 {more} 处", f"and {more} more"))
    count, head = proof["entries"], proof["head"]
    if proof["whole"]:
        print(say(f"✓ {count} 条记录完整无改动", f"✓ {count} entries, all as they were written"))
    if proof["first"] > 1:
        first = proof["first"]
        print(
            say(
                f"  自第 {first} 条起（更早的已按期清理）",
                f"  from entry {first} on; older ones went by retention",
            )
        )
    if proof["unchained"]:
        early = proof["unchained"]
        print(say(f"  {early} 条早于哈希链的事件", f"  {early} events are older than the chain"))
    print(f"  {say('链头', 'head')} {head}")
    return 0 if proof["whole"] else 4


def online(args: argparse.Namespace) -> dict[str, Any]:
    """Have the daemon prove its own journal, against the head it has in memory."""
    asked = "&".join(f"head={quote(head, safe='')}" for head in args.head)
    found: dict[str, Any] = Daemon(socket_of(args), timeout=600).get(f"/audit/proof?{asked}")
    return found


def offline(args: argparse.Namespace) -> dict[str, Any]:
    """Prove a folder. Raises Failure when there is no journal in it, or a head is none."""
    from gateway.store import StoreError, audit  # noqa: PLC0415 - offline only
    from gateway.store.chain import Head  # noqa: PLC0415

    try:
        heads = [Head.of(text) for text in args.head]
    except ValueError as error:
        wanted = say("应为 序号:哈希（64 位十六进制）", "wanted NUMBER:HASH, with all 64 hex digits")
        raise Failure(f"--head: {wanted}", 2) from error
    try:
        with audit.opened(args.data) as db:
            return audit.prove(db, heads).to_json()
    except StoreError as error:
        raise Failure(str(error)) from error


def write_out(args: argparse.Namespace) -> int:
    """Write entries for others to keep, and have them sealed; in JSON Lines each line proves the next."""
    since = 0 if args.since is None else time.time_ns() - round(span(args.since) * 1e9)
    count = Counted()
    with ExitStack() as stack:
        lines = count.through(line for line in pages(source(args, stack)) if line["at"] >= since)
        with sheet(args.out, marked=args.format == "csv") as out:
            if args.format == "jsonl":
                write_jsonl(out, lines)
            else:
                zone = zone_of(args)
                write_csv(out, COLUMNS, (cells(line, zone) for line in lines))
    sealed.set_seal(args, "audit", count.entries, count.last)
    return 0


class Counted:
    """How many entries went by, and the last of them, as a head."""

    def __init__(self) -> None:
        self.entries, self.last = 0, ""

    def through(self, lines: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Yield the lines."""
        for line in lines:
            self.entries, self.last = self.entries + 1, f"{line['n']}:{line['hash']}"
            yield line


def pages(read: Callable[[int, int], list[dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    """Yield every entry."""
    after = 0
    while found := read(after, PAGE):
        yield from found
        after = found[-1]["n"]


def cells(line: dict[str, Any], zone: ZoneInfo | None) -> list[object]:
    """Return one line of the sheet."""
    entry = line["entry"] or {}
    who = entry.get("who") or {"name": entry.get("actor", "")}
    kind = entry.get("type", "event")
    what = entry.get("task") or entry.get("event") or kind
    why = entry.get("why") or entry.get("reason") or entry.get("comment")
    return [
        line["n"], utc(line["at"]), stamp(line["at"], zone), kind, what, entry.get("device"),
        entry.get("rule"), entry.get("occurrence"), entry.get("level"), who.get("name"), who.get("role"),
        who.get("account"), entry.get("outcome"), why, entry.get("title", {}).get("zh"), line["hash"],
    ]  # fmt: skip
