"""`tocsin watch [PATTERN]`: live readings, a line each."""

from __future__ import annotations

import fnmatch
import json
from typing import TYPE_CHECKING, Any

from gateway.cli.client import Daemon, add_daemon, socket_of
from gateway.cli.output import Failure, add_output, number, pad, print_text
from gateway.cli.paper import in_zone
from gateway.language import pick, say

if TYPE_CHECKING:
    import argparse
    from zoneinfo import ZoneInfo


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = subparsers.add_parser("watch", help=say("实时读数", "live readings, a line each"))
    parser.add_argument("pattern", nargs="?", default="*", help="gas-*, gas-b1-07.lel, *.lel ...")
    add_daemon(parser)
    add_output(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print each reading that changes, until interrupted; 3 when the daemon ends, 1 for an unknown name."""
    pattern = args.pattern if "." in args.pattern else args.pattern + ".*"
    seen: dict[str, Any] = {}
    daemon = Daemon(socket_of(args))
    zone = daemon.zone()
    for event, data in daemon.stream("/stream"):
        if event == "snapshot":
            known(data["devices"], pattern, args.pattern)
        if event == "alarm" and fnmatch.fnmatchcase(data["device"], pattern.partition(".")[0]):
            print_alarm(data, as_json=args.output == "json")
        for device in data["devices"] if event == "snapshot" else [data] if event == "delta" else []:
            for name, point in device["points"].items():
                full = f"{device['name']}.{name}"
                if fnmatch.fnmatchcase(full, pattern) and (point["at"] != (seen.get(full) or {}).get("at")):
                    print_reading(full, point, seen.get(full), zone, as_json=args.output == "json")
                    seen[full] = point
    return 0


def known(devices: list[dict[str, Any]], pattern: str, asked: str) -> None:
    """Raise Failure when no reading can ever match: waiting for it would look like silence."""
    names = [device["name"] for device in devices]
    if not any(fnmatch.fnmatchcase(name, pattern.partition(".")[0]) for name in names):
        few = ", ".join(names[:8]) + (" …" if len(names) > 8 else "")
        text = say(f"没有设备符合 {asked!r}；现有：{few}", f"no device matches {asked!r}; there are: {few}")
        raise Failure(text)


def print_reading(
    name: str, point: dict[str, Any], before: dict[str, Any] | None, zone: ZoneInfo | None, *, as_json: bool
) -> None:
    """Print one reading, with the change since the last one."""
    if as_json:
        print(json.dumps({"point": name, **point}, ensure_ascii=False), flush=True)
        return
    at = in_zone(point["at"], zone).strftime("%H:%M:%S.%f")[:-3]
    value, change = point["value"], ""
    if before is not None and isinstance(value, float) and isinstance(before["value"], (int, float)):
        change = f"Δ{value - before['value']:+.4g}"
    shown = "?" if value is None else f"{number(value)} {point['unit']}"
    print_text(f"{at}  {pad(name, 28)} {pad(shown, 14)} {pad(point['quality'], 10)} {change}".rstrip())


def print_alarm(alarm: dict[str, Any], *, as_json: bool) -> None:
    """Print that an alarm changed."""
    if as_json:
        print(json.dumps({"alarm": alarm}, ensure_ascii=False), flush=True)
    else:
        print_text(f"!! {alarm['device']}/{alarm['rule']} {alarm['letter']} {pick(alarm['message'])}")
