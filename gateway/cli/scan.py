"""`tocsin scan`: who is on a line, and which models they look like."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from drivers.survey.plan import Scope
from drivers.survey.talk import Setting, Tongue
from gateway.cli.client import add_daemon
from gateway.cli.found import Show, as_json, left_out, sentence
from gateway.cli.line_access import Access, add_line
from gateway.cli.output import Failure, add_output, count, print_json
from gateway.commissioning.lines import daemon_terms
from gateway.commissioning.rows import add_rows, common, row_for
from gateway.commissioning.survey import Place, library, survey
from gateway.language import say

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from drivers.survey.found import Report

BUDGET: Final = 70.0  # seconds, from the start of the command
THROUGH_DAEMON: Final = 600.0  # seconds: the polls have most of the time
ASKED: Final = (Tongue.MODBUS, Tongue.DLT645, Tongue.TILT68, Tongue.TILT77)


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    text = say(
        "扫描线路：先听，再按可能性逐个询问各速率、各协议、各地址；说明每台像哪种型号",
        "survey a line: listen first, then ask at every usual rate, protocol and address, likeliest first; "
        "say which model each device looks like",
    )
    parser = subparsers.add_parser("scan", help=say("扫描线路上的设备", "who is on a line"), description=text)
    add_line(parser, rates=False)
    parser.add_argument("--baud", metavar="9600,2400", help=say("只用这些波特率", "only these rates"))
    parser.add_argument("--parity", metavar="none,even", help=say("校验", "only these parities"))
    parser.add_argument("--units", default="1-247", metavar="FIRST-LAST", help="Modbus")
    parser.add_argument(
        "--protocols", metavar="A,B", help=say("只查这些协议：", "only these: ") + ", ".join(ASKED)
    )
    parser.add_argument(
        "--thorough",
        action="store_true",
        help=say("全部地址、全部速率", "every address at every rate; minutes"),
    )
    parser.add_argument("--budget", type=float, metavar="S", help=say("最多用多少秒", "seconds it may take"))
    parser.add_argument(
        "--interrupt",
        action="store_true",
        help=say(
            "守护进程占用线路时也试其他速率：轮询每次停最多 3 秒",
            "try other rates on a line of the daemon: its polls stop for up to 3 s at a time",
        ),
    )
    parser.add_argument(
        "--write-ledger",
        type=Path,
        metavar="CSV",
        help=say("把找到的设备写入台账", "add what is found to a ledger"),
    )
    folder = say("站点目录，其中 profiles/ 为自有型号", "a site's folder, with profiles/ of its own")
    parser.add_argument("--site-folder", type=Path, metavar="DIR", help=folder)
    add_daemon(parser)
    add_output(parser)
    parser.set_defaults(run=run)


def units(text: str) -> range:
    """Return the units of "1-32" or "17". Raises Failure."""
    first, dash, last = text.partition("-")
    try:
        low, high = int(first), int(last) if dash else int(first)
    except ValueError:
        low, high = 0, 0
    if not 1 <= low <= high <= 247:
        raise Failure(say(f"{text!r}：应为 1-247 之间的范围", f"{text!r}: wanted FIRST-LAST within 1-247"), 2)
    return range(low, high + 1)


def scope_of(args: argparse.Namespace) -> Scope:
    """Return what is to be looked for. Raises Failure."""
    words = (args.protocols or ",".join(ASKED)).split(",")
    unknown = [word for word in words if word not in ASKED]
    if unknown:
        raise Failure(f"{', '.join(unknown)}: " + say("可选：", "there are: ") + ", ".join(ASKED), 2)
    return Scope(
        frozenset(Tongue(word) for word in words),
        settings(args.baud, args.parity),
        units(args.units),
        args.thorough,
    )


def settings(bauds: str | None, parities: str | None) -> tuple[Setting, ...]:
    """Return the settings named; none when neither rate nor parity is. Raises Failure."""
    if bauds is None and parities is None:
        return ()
    try:
        rates = [int(word) for word in (bauds or "9600,4800,19200,115200,2400").split(",")]
    except ValueError:
        rates = [0]
    named = (parities or "none").split(",")
    if not all(300 <= rate <= 4_000_000 for rate in rates) or not {*named} <= {"none", "even", "odd"}:
        raise Failure(
            say("--baud 9600,2400 --parity none,even", "such as --baud 9600,2400 --parity none,even"), 2
        )
    return tuple(Setting(rate, parity) for parity in named for rate in rates)  # type: ignore[arg-type]  # checked


def run(args: argparse.Namespace) -> int:
    """Survey the line; 0 when somebody is there, 1 when nobody is."""
    began = time.monotonic()
    scope, access, profiles = scope_of(args), Access(args), library(args.site_folder)
    polled, network = _polled(access, scope.units), _is_network(access)
    if access.daemon is not None:
        _say_cost(polled, interrupt=args.interrupt)
    place = Place(access.name, access.daemon, access.settings, args.interrupt)
    budget = args.budget or (THROUGH_DAEMON if access.daemon is not None or args.thorough else BUDGET)
    show = Show(quiet=args.output == "json", network=network)
    left = max(budget - (time.monotonic() - began), 1.0)
    report, held = survey(place, profiles, scope, left, show.tell)
    show.clear()
    took = time.monotonic() - began
    if args.output == "json":
        print_json(as_json(report, took, held) | {"polled": polled})
    else:
        _print_rest(report, took, held, network=network)
    if args.write_ledger is not None:
        _write(args.write_ledger, report, _line_name(access), network=network)
    return 0 if report.found or polled else 1


def _polled(access: Access, within: range) -> dict[str, str]:
    """Return the devices among these units that the daemon polls anyway, with their addresses."""
    if access.daemon is None:
        return {}
    polled = daemon_terms(access.daemon, access.name, interrupt=False).polled
    return {n: a for n, a in polled.items() if not (a.isdecimal() and len(a) < 4) or int(a) in within}


def _is_network(access: Access) -> bool:
    """Return whether the line is a TCP end: it has no rate and no parity."""
    if access.daemon is not None:
        return daemon_terms(access.daemon, access.name, interrupt=False).network
    return access.settings is not None and access.settings.serial is None


def _say_cost(polled: Mapping[str, str], *, interrupt: bool) -> None:
    """Say what it costs the line, and who is not asked because he is polled anyway."""
    if polled:
        names = ", ".join(f"{address} ({name})" for name, address in polled.items())
        print(say("守护进程已轮询：", "polled already: ") + names, file=sys.stderr)
    if interrupt:
        zh = "守护进程继续运行：每次借用线路最多 3 秒，其间告警最多晚 3 秒"
        en = "the daemon goes on: the line is borrowed, up to 3 s at a time; its alarms are as late"
    else:
        zh = "守护进程继续轮询：只用本线路速率，最多占四分之一时间（其他速率：--interrupt）"
        en = "the daemon goes on polling: its own rate only, a quarter of the time (other rates: --interrupt)"
    print(say(zh, en), file=sys.stderr)


def _line_name(access: Access) -> str:
    return access.name if "/" not in access.name and ":" not in access.name else "rs485-1"


def _print_rest(report: Report, took: float, held: float, *, network: bool) -> None:
    """Say what remains to be said, as talk."""
    number = len(report.found)
    text = say(f"找到 {number} 台，用时 {took:.0f} 秒", f"{number} found in {took:.0f} s")
    if held:
        text += say(f"；占用线路 {held:.1f} 秒", f"; the line was held for {held:.1f} s")
    print(text, file=sys.stderr)
    if report.echo:
        print(
            say("适配器回送所发内容：线路请设 echo: true", "the adapter echoes: set `echo: true`"),
            file=sys.stderr,
        )
    if report.noisy:
        rates = ", ".join(str(s) for s in report.noisy)
        print(say(f"{rates}：线路上一直有杂音", f"{rates}: garbage all the time"), file=sys.stderr)
    if report.left_out:
        print(say("时间不够，未询问：", "no time for: ") + left_out(report, network=network), file=sys.stderr)
        print(
            say("加长：--budget 秒数，或 --thorough", "longer: --budget SECONDS, or --thorough"),
            file=sys.stderr,
        )
    if (setting := common(report.found)) and len({f.setting for f in report.found}) > 1:
        zh = f"同一对线上有多种速率；一条线路只能有一种，多数为 {setting}"
        en = f"several rates on one pair, and a line has one: most are {setting}; set the others alike"
        print(say(zh, en), file=sys.stderr)


def _write(path: Path, report: Report, line: str, *, network: bool) -> None:
    """Add what was found to a ledger, and say what was added. Raises Failure."""
    setting = common(report.found)
    taken: set[str] = set()
    rows, remarks = [], []
    for found in report.found:
        row = row_for(found, line, taken)
        if row is None or found.trouble is not None or found.setting != setting:
            remarks.append(sentence(found, network=network))
        else:
            taken.add(row.name)
            rows.append(row)
    try:
        added = add_rows(path, rows, remarks)
    except (OSError, ValueError) as error:
        raise Failure(f"{path}: {error}") from error
    print(
        say(f"{path}：新增 {len(added)} 行", f"{path}: {count(len(added), 'row', 'rows')} added")
        + _names(added),
        file=sys.stderr,
    )


def _names(rows: Sequence[Any]) -> str:
    return f" ({', '.join(row.name for row in rows)})" if rows else ""
