"""What every verb prints with: tables that know how wide Chinese is, JSON, and failures with a status."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from typing import TYPE_CHECKING, Any, TextIO

from gateway.language import say

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Mapping, Sequence


_SGR = re.compile(r"\x1b\[[0-9;]*m")
_PIECES = re.compile(r"\x1b\[[0-9;]*m|.", re.DOTALL)


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


def width(text: str) -> int:
    """Return how many columns a terminal gives the text; colours take none."""
    if not text:
        return 0
    from wcwidth import wcswidth  # noqa: PLC0415 - the daemon prints no tables

    return max(wcswidth(_SGR.sub("", text)), 0)


def pad(text: str, columns: int) -> str:
    """Return the text filled with spaces to `columns`."""
    return text + " " * (columns - width(text))


def print_table(
    head: Sequence[str],
    rows: Iterable[Sequence[object]],
    out: TextIO | None = None,
    spare: Sequence[int] = (),
) -> None:
    """Print rows under a head; columns as wide as their widest cell, in terminal columns.

    On a terminal that is too narrow the `spare` columns go, in this order, and what is left is cut. Where
    some may go, the first column stays whole: it holds the names that people type.
    """
    out = out or sys.stdout
    cells = [[_cell(cell) for cell in row] for row in rows]
    widths = [max([width(head[i]), *(width(row[i]) for row in cells)]) for i in range(len(head))]
    shown = list(range(len(head)))
    if out.isatty():
        room = shutil.get_terminal_size().columns
        for place in spare:
            if sum(widths[i] for i in shown) + 2 * (len(shown) - 1) > room:
                shown.remove(place)
        whole = [widths[i] + 2 for i in shown[: bool(spare)]]
        cut = shown[len(whole) :]
        for i, columns in zip(cut, fit([widths[i] for i in cut], room - sum(whole)), strict=True):
            widths[i] = columns
    for row in [list(head), *cells]:
        print("  ".join(pad(clip(row[i], widths[i]), widths[i]) for i in shown).rstrip(), file=out)


def _cell(value: object) -> str:
    """Return a value in one line: what a device or a person wrote must not break the table."""
    return "" if value is None else "".join(ch if ch.isprintable() else " " for ch in str(value))


def fit(widths: Sequence[int], columns: int, least: int = 8) -> list[int]:
    """Return the widths of columns, the widest taken back until a row fits; never below `least`."""
    widths = list(widths)
    while sum(widths) + 2 * (len(widths) - 1) > columns and max(widths) > least:
        widths[widths.index(max(widths))] -= 1
    return widths


def clip(text: str, columns: int) -> str:
    """Return the text cut to so many columns of a terminal, with … where something is missing.

    Colours take no room and are not cut in two; after a cut they are switched off.
    """
    if width(_SGR.sub("", text)) <= columns:
        return text
    parts, room = [], columns - 1
    for piece in _PIECES.findall(text):
        took = 0 if piece.startswith("\x1b") else width(piece)
        if took > room:
            break
        parts.append(piece)
        room -= took
    return "".join(parts) + "…" + ("\x1b[0m" if "\x1b" in text else "")


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


def place_text(place: Mapping[str, Any] | None) -> str:
    """Return the one line that says where a device is."""
    return str((place or {}).get("text") or "")
