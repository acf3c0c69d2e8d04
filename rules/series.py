"""The series of a rule test: values, words, repetitions, tables. Pure."""

from __future__ import annotations

import csv
import datetime as dt
import re
from typing import TYPE_CHECKING

from gateway.model import Quality, Value
from rules.made import made

if TYPE_CHECKING:
    from collections.abc import Iterable

Entry = Value | Quality | None
"""A reading, why it is bad, or (None) no reading at all."""

DURATION = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?")
TIMES = re.compile(r"(.+?)\s+[x×]\s?(\d+)")
SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, None: 1.0}
WORDS = {"bad": Quality.SENTINEL, **{quality.value: quality for quality in Quality if quality != "good"}}
MANY = 1_000_000  # samples in one series


def seconds(value: object) -> float | None:
    """Return the seconds of `90s`, `5m` or a bare number; None if it is neither."""
    if isinstance(value, bool) or value is None:
        return None
    match = DURATION.fullmatch(str(value).strip())
    return float(match[1]) * SECONDS[match[2]] if match else None


def is_moment(text: str) -> bool:
    """Return whether it is a local date and time."""
    try:
        return dt.datetime.fromisoformat(text).tzinfo is None
    except ValueError:
        return False


def entries(items: Iterable[object]) -> list[Entry]:
    """Return a series with words, repetitions and descriptions resolved; raise ValueError for the rest."""
    found: list[Entry] = []
    for item in items:
        if isinstance(item, dict):
            found += made(item)
            continue
        match = TIMES.fullmatch(item) if isinstance(item, str) else None
        value, times = (plain(match[1]), int(match[2])) if match else (item, 1)
        if isinstance(value, str):
            if value in {"…", "..."}:
                raise ValueError('"…" is for the page only: write the values, or "311 x80"')
            value = None if value == "gap" else WORDS.get(value, value)
        if not isinstance(value, bool | int | float | str | None):
            raise ValueError(f"{value!r} is no reading")  # noqa: TRY004  the file is wrong, not the program
        if len(found) + times > MANY:
            raise ValueError(f"more than {MANY} samples")
        found += [value] * times
    return found


def from_csv(text: str, device: str, every: float) -> dict[str, dict[str, list[Entry]]]:
    """Return series from a table: a column per point, optionally `at` (seconds) and `device`; empty is a gap.

    Rows are put at the nearest multiple of `every`. Raises ValueError for what cannot be read.
    """
    found: dict[str, dict[str, list[Entry]]] = {}
    start: float | None = None
    for number, row in enumerate(csv.DictReader(text.splitlines())):
        at = seconds(row.pop("at")) if "at" in row else number * every
        if at is None:
            raise ValueError(f"line {number + 2}: `at` must be seconds")
        start = at if start is None else start
        step = round((at - start) / every)
        if not 0 <= step < MANY:
            raise ValueError(f"line {number + 2}: rows must go forward in time")
        points = found.setdefault(row.pop("device", None) or device, {})
        for point, cell in row.items():
            series = points.setdefault(point, [])
            series += [None] * (step + 1 - len(series))
            series[step] = None if not cell else entries([plain(cell)])[0]
    return found


def plain(text: str) -> Value:
    """Return what a cell of a table says: true, false, a number, or the word itself."""
    text = text.strip()
    if text in {"true", "false"}:
        return text == "true"
    try:
        return int(text)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            return text
