"""`tocsin check -c SITE`: every mistake of a site at once, or what the site is and how busy its lines are."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drivers.registry import PROTOCOLS
from gateway.cli import interlock_words
from gateway.cli.output import add_output, count, print_json, print_table, print_text
from gateway.config import ConfigError, Site, load
from gateway.config.budget import line_budgets, overfull, tight
from gateway.language import say

if TYPE_CHECKING:
    import argparse

    from drivers.budget import Budget, RequestCost

WRONG = 2


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    text = say("检查站点文件与线路余量", "check the site file; line budget")
    parser = subparsers.add_parser("check", help=text, description=text)
    parser.add_argument("-c", "--config", type=Path, required=True, metavar="SITE", help="site.yaml")
    add_output(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check the site; 0 when it can run, 2 when it cannot."""
    try:
        site = load(args.config)
    except ConfigError as error:
        return _refuse(error.messages, args.output)
    budgets = line_budgets(site)
    refused = overfull(site, budgets)
    notes = [*site.notes, *tight(budgets)]
    if args.output == "json":
        print_json(_as_json(site, budgets, refused, notes))
    else:
        _print(site, budgets, notes)
        for message in refused:
            print_text(message)
    return WRONG if refused else 0


def _refuse(messages: list[str], output: str) -> int:
    if output == "json":
        print_json({"ok": False, "messages": messages})
    else:
        for message in messages:
            print_text(message)
        number = len(messages)
        print(say(f"共 {number} 处错误", count(number, "mistake", "mistakes")), file=sys.stderr)
    return WRONG


def _as_json(site: Site, budgets: dict[str, Budget], refused: list[str], notes: list[str]) -> dict[str, Any]:
    return {
        "ok": not refused,
        "messages": refused,
        "site": site.site,
        "gateway": site.gateway,
        "devices": len(site.devices),
        "notes": notes,
        "interlocks": interlock_words.as_json(site),
        "rules_off": [
            {"device": device.name, "rule": rule, "reason": reason}
            for device in site.devices.values()
            for rule, reason in device.rules_off.items()
        ],
        "lines": [
            {
                "line": name,
                "utilisation": round(found.utilisation, 4),
                "alarm_scan": round(found.alarm_scan, 4),
                "round": round(found.round, 4),
                "requests": [_request_json(request) for request in found.requests],
            }
            for name, found in budgets.items()
        ],
    }


def _request_json(request: RequestCost) -> dict[str, Any]:
    asked = request.request
    return {
        "device": request.device,
        "request": asked.label,
        "every": request.every,
        "bytes": asked.bytes,
        "sending": round(asked.sending, 6),
        "silence": round(asked.silence, 6),
        "turnaround": round(asked.turnaround, 6),
        "seconds": round(asked.seconds, 6),
    }


def _print(site: Site, budgets: dict[str, Budget], notes: list[str]) -> None:
    _print_site(site)
    for note in notes:
        print_text(f"  {note}", 4)
    for line in interlock_words.plan(site):
        print_text(f"  {line}", 4)
    for name, found in budgets.items():
        if not found.requests:
            continue
        print()
        print_text(_headline(name, found))
        print_table(_head(), _rows(site, found))
    for name, settings in site.lines.items():
        if PROTOCOLS[settings.protocol].hears:
            print()
            print_text(_heard(site, name))


def _heard(site: Site, name: str) -> str:
    """Return whom a line listens to, and how often they are expected."""
    mine = [device for device in site.devices.values() if device.line == name]
    spoken = [device for device in mine if not device.profile.defaults.quiet]
    often = sorted({device.every for device in spoken})
    zh, en = "、".join(f"{every:g} 秒" for every in often), ", ".join(f"{every:g} s" for every in often)
    return say(
        f"{name} 只听不问：{len(mine)} 台设备" + (f"，应每 {zh} 说一次" if often else "，平时无声"),
        f"{name} is listened to, nothing is asked: {count(len(mine), 'device', 'devices')}"
        + (f", expected every {en}" if often else ", silent while all is well"),
    )


def print_headlines(site: Site, budgets: dict[str, Budget]) -> None:
    """Print what fits on a phone: what the site has, and how busy each line is."""
    _print_site(site)
    for name, found in budgets.items():
        if found.requests:
            print_text(_headline(name, found))


def _print_site(site: Site) -> None:
    rules = sum(len(device.rules) for device in site.devices.values())
    points = sum(len(device.profile.reported) for device in site.devices.values())
    devices, lines = len(site.devices), len(site.lines)
    print_text(
        say(
            f"{site.site}/{site.gateway}：{devices} 台设备，{lines} 条线路，{points} 个测点，{rules} 条规则",
            f"{site.site}/{site.gateway}: {count(devices, 'device', 'devices')},"
            f" {count(lines, 'line', 'lines')}, {count(points, 'point', 'points')},"
            f" {count(rules, 'rule', 'rules')}",
        )
    )


def _headline(name: str, found: Budget) -> str:
    busy = f"{found.utilisation:.0%}".replace("%", " %")
    zh = f"{name} 占用 {busy}；全部读一遍 {found.round:.2f} 秒"
    en = f"{name} is {busy} busy; everything once takes {found.round:.2f} s"
    if found.alarm_scan:
        zh += f"；最慢告警扫描 {found.alarm_scan:.1f} 秒"
        en += f"; slowest alarm scan {found.alarm_scan:.1f} s"
    return say(zh, en)


def _head() -> tuple[str, ...]:
    return (
        say("设备", "devices"),
        say("型号", "profile"),
        say("请求", "request"),
        say("字节", "bytes"),
        say("传输", "sending"),
        say("静默", "silence"),
        say("应答等待", "turnaround"),
        say("合计", "in all"),
        say("周期", "every"),
        say("占用", "share"),
    )


def _rows(site: Site, found: Budget) -> list[tuple[str, ...]]:
    """Return a row per kind of request; devices of one model that are read alike share it."""
    kinds: Counter[tuple[str, ...]] = Counter()
    shares: defaultdict[tuple[str, ...], float] = defaultdict(float)
    for request in found.requests:
        asked = request.request
        kind = (
            site.devices[request.device].profile_name,
            asked.label,
            str(asked.bytes),
            *(f"{part * 1000:.1f} ms" for part in (asked.sending, asked.silence, asked.turnaround)),
            f"{asked.seconds * 1000:.1f} ms",
            f"{request.every:g} s",
        )
        kinds[kind] += 1
        shares[kind] += request.share
    return [(str(count), *kind, f"{shares[kind]:.1%}") for kind, count in kinds.items()]
