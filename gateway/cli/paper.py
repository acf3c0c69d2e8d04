"""What verbs write for others to keep: CSV and JSON Lines, times in two zones; durations as said."""

from __future__ import annotations

import csv
import json
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from gateway.cli.output import Failure
from gateway.language import say
from rules.series import seconds

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from zoneinfo import ZoneInfo

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def add_paper(parser: argparse.ArgumentParser) -> None:
    """Give the verb `--format` and `--out`."""
    parser.add_argument("--format", choices=("csv", "jsonl"), default="csv", help="csv | jsonl")
    parser.add_argument("--out", type=Path, metavar="FILE", help=say("写入文件", "write to a file"))


def span(text: str) -> float:
    """Return a duration in seconds: 90, 30m, 8h, 7d. Raises Failure."""
    found = seconds(float(text) if text.replace(".", "", 1).isdigit() else text)
    if found is None or found <= 0:
        raise Failure(
            say(f"{text!r}：应为 30m、8h、7d 之类", f"{text!r}: wanted a time such as 30m, 8h, 7d"), 2
        )
    return found


def in_zone(at: int, zone: ZoneInfo | None) -> datetime:
    """Return a wall time (nanoseconds) in the site's zone; in the reader's when that is None: not known."""
    return datetime.fromtimestamp(at / 1e9, UTC).astimezone(zone)


def local(at: int | None, zone: ZoneInfo | None, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    """Return a wall time for people: on a terminal without the date when that is today."""
    if not at:
        return ""
    moment, today = in_zone(at, zone), in_zone(time.time_ns(), zone).date()
    if sys.stdout.isatty() and moment.date() == today:
        return f"{moment:%H:%M:%S}"
    return format(moment, form)


def stamp(at: int | None, zone: ZoneInfo | None) -> str:
    """Return a wall time for a sheet, with how far its zone is from UTC."""
    return in_zone(at, zone).isoformat(" ", "seconds") if at else ""


def utc(at: int | None) -> str:
    """Return a wall time in UTC, for programs."""
    return f"{datetime.fromtimestamp(at / 1e9, UTC):%Y-%m-%dT%H:%M:%S}Z" if at else ""


@contextmanager
def sheet(path: Path | None, *, marked: bool) -> Iterator[TextIO]:
    """Open the file, or standard output; `marked` begins a file so that spreadsheets see UTF-8."""
    if path is None:
        yield sys.stdout
        return
    try:
        with path.open("w", encoding="utf-8-sig" if marked else "utf-8", newline="") as out:
            yield out
    except OSError as error:
        raise Failure(f"{path}: {error}") from error


def write_csv(out: TextIO, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table. What people typed must not become a formula in a spreadsheet."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(head)
    for row in rows:
        writer.writerow([_cell(value) for value in row])


def write_jsonl(out: TextIO, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a line per row."""
    for row in rows:
        print(json.dumps(row, ensure_ascii=False, separators=(",", ":")), file=out)


def _cell(value: object) -> object:
    if isinstance(value, str) and value.startswith(_FORMULA):
        return "'" + value
    return "" if value is None else value
