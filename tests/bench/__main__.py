"""Runs the benches one after the other and prints what they found as Markdown: `python -m tests.bench`.

    --only NAME   one bench (may be given several times); --list names them
    --quick       short runs, to see that it works; --long: an hour of memory, and more starts and changes
    --verdict     exit 1 when a figure misses what was promised

Figures are worth something only on a machine that does nothing else: the load before each bench is printed.
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parent), str(HERE)]
os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE.parents[1]), os.environ.get("PYTHONPATH", "")])

import rig  # noqa: E402  the path comes first

if TYPE_CHECKING:
    from collections.abc import Sequence

OURS = {
    "steady": "200 devices × 10 registers at 1 s: memory and CPU",
    "latency": "register change → subscriber",
    "fastest": "as fast as it goes, 32 devices, one core",
    "start": "start → first published reading",
}


class Script(NamedTuple):
    """A bench that prints its own text."""

    about: str
    usual: Sequence[str]
    quick: Sequence[str]
    file: str = ""


SCRIPTS = {
    "ingest": Script("MQTT → InfluxDB, one worker", ("1", "3000", "200"), ("1", "800", "200"), "ingest_bench"),
    "ingest-2": Script("MQTT → InfluxDB, two workers", ("2", "4000", "200"), ("2", "800", "200"), "ingest_bench"),
    "line_use": Script("share of a serial wire that is used", ("30",), ("5",)),
    "late_replies": Script("late answers, none credited to another request", ("10000",), ("400", "40")),
    "exchange_rate": Script("requests/s of line and device alone", ("5",), ("2",)),
    "engine": Script("rules by themselves", (), ()),
    "alarms": Script("alarms: missed, twice, lost, late; what the engine costs", (), (), "alarms_bench"),
    "witmotion": Script("a 200 Hz stream with bit noise through the daemon", ("120",), ("15",), "witmotion_hour"),
    "schedule": Script("schedule and poller by themselves", ("2",), ("0.5",)),
    "store": Script("journal by itself", (), ()),
}  # fmt: skip


def load() -> str:
    return f"load {os.getloadavg()[0]:.2f}"


def table(figures: Sequence[rig.Figure]) -> str:
    """Return figures as a Markdown table."""
    sign = {True: "yes", False: "**no**", None: ""}
    rows = [f"| {f.what} | {f.value} | {f.target} | {sign[f.met]} |" for f in figures]
    return "\n".join(["| figure | measured | promised | met |", "| --- | ---: | ---: | --- |", *rows])


def play(name: str, *, quick: bool, long: bool) -> list[rig.Figure]:
    """Run one bench, print what it found, return its figures."""
    if name in OURS:
        print(f"\n### {name}: {OURS[name]} ({load()})\n", flush=True)
        figures: list[rig.Figure] = importlib.import_module(name).run(quick=quick, long=long)
        print(table(figures), flush=True)
        return figures
    script = SCRIPTS[name]
    print(f"\n### {name}: {script.about} ({load()})\n\n```", flush=True)
    arguments = script.quick if quick else script.usual
    command = [sys.executable, str(HERE / f"{script.file or name}.py"), *arguments]
    status = subprocess.run(command, check=False).returncode
    print("```", flush=True)
    return [rig.Figure(name, f"exit {status}", met=False)] if status else []


def main() -> int:
    """Run what is asked for; 1 when a promise was missed and that was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__.splitlines()[0])
    names = [*OURS, *SCRIPTS]
    parser.add_argument("--only", action="append", choices=names, metavar="NAME")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--verdict", action="store_true")
    args = parser.parse_args()
    if args.list:
        print("\n".join(names))
        return 0
    print(f"Measured {dt.date.today():%Y-%m-%d} on {rig.machine()}.", flush=True)  # noqa: DTZ011  a date for people
    figures = [f for name in args.only or names for f in play(name, quick=args.quick, long=args.long)]
    return int(args.verdict and any(figure.met is False for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
