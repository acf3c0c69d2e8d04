"""Readings of the past as samples again: from the daemon, from its data folder, or from a table.

Telemetry does not say which point was bad, only that one was, and how (`q`). Read back, the points that are
missing of a group that is read together are the bad ones.
"""

from __future__ import annotations

import csv
import heapq
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING

from gateway.model import Quality, Sample
from gateway.store.history import Stretch, history
from gateway.telemetry import BadLine, parse
from rules.series import entries, plain, seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from gateway.model import Value
    from gateway.telemetry import Record

    Ask = Callable[[str, int, int], tuple[list[str], bool]]
    """Return the lines of a device between two wall times (both inside), and whether that is all."""

NANO = 10**9
HOUR = 3600 * NANO
LONGEST, SHORTEST = 24 * HOUR, NANO  # of one question
MANY, MOST_LINES = 10_000, 50_000  # lines of one answer: enough, and too many
LAST = (1 << 63) - 1
QUALITY = {quality.code: quality for quality in Quality}


def of_folder(data: Path) -> Ask:
    """Return how to ask the telemetry files of a folder, which a daemon may be writing."""
    files = [Stretch(file, 0, LAST) for file in sorted(data.glob("telemetry-*.db"))]

    def ask(device: str, since: int, until: int) -> tuple[list[str], bool]:
        found = history(files, device, since, until, MOST_LINES)
        return [line.decode("utf-8", "replace") for line in found.lines], found.complete

    return ask


def lines(ask: Ask, device: str, since: int, until: int) -> Iterator[str]:
    """Yield all lines of a device, oldest first, asked for in pieces that can be answered whole."""
    step = HOUR
    while since <= until:
        end = min(since + step - 1, until)
        found, complete = ask(device, since, end)
        if not complete and step > SHORTEST:
            step //= 2
            continue
        yield from found
        since = end + 1
        step = min(step * 2, LONGEST) if len(found) < MANY else step


def samples(
    found: Iterable[str], groups: Sequence[Sequence[str]], start: int, spoilt: list[str]
) -> Iterator[Sample]:
    """Yield lines as samples, `start` being monotonic second 0; what is no line goes to `spoilt`."""
    last = -1
    for at, records in groupby(_records(found, spoilt), key=lambda record: record.at):
        if at <= last:
            continue
        last = at
        together = list(records)  # a device with ports has a line for each
        values = {name: value for record in together for name, value in record.points.items()}
        bad: dict[str, Quality] = {}
        for record in together:
            quality = QUALITY.get(record.q or 0, Quality.SENTINEL)
            if quality is not Quality.GOOD:
                bad |= missing(values, groups, quality)
        yield Sample(together[0].device, at, (at - start) / NANO, values, bad)


def _records(found: Iterable[str], spoilt: list[str]) -> Iterator[Record]:
    for text in found:
        try:
            yield parse(text)
        except BadLine as error:
            spoilt.append(str(error))


def missing(
    values: Mapping[str, Value], groups: Sequence[Sequence[str]], quality: Quality
) -> dict[str, Quality]:
    """Return the points that were read with `values`, and are not there; when nothing is there, all."""
    read = [group for group in groups if not values or any(point in values for point in group)]
    return {point: quality for group in read for point in group if point not in values}


def merged(streams: Iterable[Iterable[Sample]]) -> Iterator[Sample]:
    """Yield the samples of several devices by their times."""
    return heapq.merge(*streams, key=lambda sample: sample.at)


def table(text: str, device: str, every: float) -> list[Sample]:
    """Return the samples of a CSV table: a column per point, beside them `at` and `device`.

    `at` is seconds, or a time such as 2026-11-22T08:00:00+08:00; without it rows are `every` seconds
    apart. An empty cell is no reading, `bad` and the names of qualities are bad ones. Raises ValueError.
    """
    found: list[Sample] = []
    start: int | None = None
    for number, row in enumerate(csv.DictReader(text.lstrip("\ufeff").splitlines())):
        at = time_of(row.pop("at", None) or str(number * every), f"line {number + 2}")
        name = row.pop("device", None) or device
        start = at if start is None else start
        values: dict[str, Value] = {}
        bad: dict[str, Quality] = {}
        for point, cell in row.items():
            if not cell or not isinstance(cell, str) or point is None:
                continue
            [entry] = entries([plain(cell)])
            if isinstance(entry, Quality):
                bad[point] = entry
            elif entry is not None:
                values[point] = entry
        if at < start:
            raise ValueError(f"line {number + 2}: rows must go forward in time")
        found.append(Sample(name, at, (at - start) / NANO, values, bad))
    return sorted(found, key=lambda sample: sample.at)


def time_of(text: str, where: str) -> int:
    """Return wall nanoseconds of a number of seconds or an ISO 8601 time. Raises ValueError."""
    number = seconds(text)
    if number is not None:
        return round(number * NANO)
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{where}: `at` is {text!r}: neither seconds nor a time (ISO 8601)") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1e6) * 1000
