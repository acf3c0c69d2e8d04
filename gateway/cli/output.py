"""What every verb prints with: tables, words, JSON, and failures with a status."""

from __future__ import annotations

import json
import os
import shutil
import sys
from typing import TYPE_CHECKING, Any, TextIO

from gateway.cli.layout import clip, fit, fold, pad, table, width
from gateway.language import say

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Mapping, Sequence

__all__ = [
    "Failure", "Unreachable", "add_output", "ago", "clip", "colours", "columns_of", "count", "fit", "number",
    "pad", "paint", "place_text", "print_json", "print_table", "print_text", "said_once", "width",
]  # fmt: skip

DRILL = ("【演练】", "[DRILL] ")  # before every message of a test


class Failure(Exception):
    """The verb could not do what was asked; `status` is the exit status (see `gateway.cli`)."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


class Unreachable(Failure):
    """No daemon answers."""

    def __init__(self, where: str, why: str) -> None:
        hint = say(
            "守护进程在运行吗？用 -c SITE 或 --socket 指定", "is it running? name it with -c SITE or --socket"
        )
        super().__init__(f"{where}: {why}; {hint}", 3)


def add_output(parser: argparse.ArgumentParser) -> None:
    """Give the verb its `-o json`."""
    parser.add_argument("-o", "--output", choices=("table", "json"), default="table", help="table | json")


def print_json(data: object, out: TextIO | None = None) -> None:
    """Print one JSON document on stdout."""
    print(json.dumps(data, ensure_ascii=False, indent=1), file=out or sys.stdout)


def columns_of(out: TextIO | None = None) -> int | None:
    """Return how wide the terminal is; None for a file or a pipe, where a row is one line."""
    return shutil.get_terminal_size().columns if (out or sys.stdout).isatty() else None


def print_table(
    head: Sequence[str],
    rows: Iterable[Sequence[object]],
    out: TextIO | None = None,
    spare: Sequence[int] = (),
) -> None:
    """Print rows under a head; columns as wide as their widest cell, in terminal columns.

    On a terminal that is too narrow the `spare` columns may go; see `gateway.cli.layout.table`.
    """
    cells = [[_cell(cell) for cell in row] for row in rows]
    for line in table([list(head), *cells], columns_of(out), spare):
        print(line, file=out or sys.stdout)


def print_text(text: str, indent: int = 2, out: TextIO | None = None) -> None:
    """Print a line; on a terminal that is too narrow in several, the further ones indented."""
    columns = columns_of(out)
    for line in [text] if columns is None else fold(text, columns, indent):
        print(line, file=out or sys.stdout, flush=True)


def _cell(value: object) -> str:
    """Return a value in one line: what a device or a person wrote must not break the table."""
    return "" if value is None else "".join(ch if ch.isprintable() else " " for ch in str(value))


def colours(stream: TextIO | None = None) -> bool:
    """Return whether colour may be used: a terminal, and nobody said NO_COLOR."""
    return not os.environ.get("NO_COLOR") and (stream or sys.stdout).isatty()


def paint(text: str, code: str, *, on: bool) -> str:
    """Return the text in an SGR colour when colours are on."""
    return f"\x1b[{code}m{text}\x1b[0m" if on else text


def ago(seconds: float | None) -> str:
    """Return an age the way people read one: `0.4 s`, `42 s`, `03:20`, `2 d 03:11`."""
    if seconds is None:
        return "-"
    if seconds < 10:
        return f"{max(seconds, 0):.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, hours = int(seconds // 60), int(seconds // 3600)
    if hours < 1:
        return f"{minutes:02d}:{int(seconds) % 60:02d}"
    if hours < 24:
        return f"{hours:02d}:{minutes % 60:02d}:{int(seconds) % 60:02d}"
    return f"{hours // 24} d {hours % 24:02d}:{minutes % 60:02d}"


def number(value: object, digits: int = 6) -> str:
    """Return a reading's value the way people read it: so many significant digits at most."""
    if isinstance(value, bool):
        return str(value).lower()  # as it is written in YAML
    if not isinstance(value, float):
        return str(value)
    return f"{value:.{digits}g}"


def count(number: int, one: str, more: str) -> str:
    """Return `1 row` or `2 rows`."""
    return f"{number} {one if number == 1 else more}"


def said_once(text: str, *names: str) -> str:
    """Return a message without the names at its beginning that stand beside it already: place, device."""
    mark = next((drill for drill in DRILL if text.startswith(drill)), "")
    rest, before = text.removeprefix(mark), ""
    while rest != before:
        before = rest
        for name in names:
            rest = _without(rest, name)
    return mark + rest if rest else text


def _without(text: str, name: str) -> str:
    rest = text.removeprefix(name)
    goes_on = rest[:1].isascii() and (rest[:1].isalnum() or rest[:1] in {"-", "_"})  # a longer name
    return text if not name or goes_on else rest.lstrip(" :：")


def place_text(place: Mapping[str, Any] | None) -> str:
    """Return the one line that says where a device is."""
    return str((place or {}).get("text") or "")
