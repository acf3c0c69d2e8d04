"""Whether everything that was measured arrived: the gateway's own counts against what the far end holds."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gateway.cli.interlock_words import standing
from gateway.demo.servers import query
from gateway.language import say
from gateway.telemetry import parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

NOT_DEVICES = {"gateway_health", "line_health", "device_health"}
ALARM = "alarm"


@dataclass(frozen=True, slots=True)
class Held:
    """What the far end holds, each row once."""

    rows: int  # of devices
    readings: int  # good values in them
    events: int  # alarm events


def held_by_archive(folder: Path) -> Held:
    """Count the rows of an archive; a row that was written twice counts once, as it would in a database."""
    rows: dict[tuple[str, int], int] = {}
    for file in sorted(folder.glob("*.lp")):
        for text in file.read_text("utf-8").splitlines():
            record = parse(text)
            if record.kind not in NOT_DEVICES:
                series = f"{record.kind},{sorted(record.tags.items())}"
                rows[series, record.at] = len(record.fields)
    events = sum(series.startswith(f"{ALARM},") for series, _ in rows)
    readings = sum(fields for (series, _), fields in rows.items() if not series.startswith(f"{ALARM},"))
    return Held(len(rows) - events, readings, events)


def held_by_influx(port: int, database: str) -> Held:
    """Count the rows of an InfluxDB 1.x database."""
    rows = readings = events = 0
    for measurement in measurements(port, database):
        if measurement in NOT_DEVICES:
            continue
        totals = field_counts(port, database, measurement)
        if measurement == ALARM:
            events += totals.get("count_event", 0)
        else:
            rows += totals.get("count_q", 0)
            readings += sum(totals.values()) - totals.get("count_q", 0)
    return Held(rows, readings, events)


def measurements(port: int, database: str) -> list[str]:
    """Return the names of the measurements."""
    answer = json.loads(query(port, database, "SHOW MEASUREMENTS"))
    return [name for series in _series(answer) for (name,) in series["values"]]


def field_counts(port: int, database: str, measurement: str) -> dict[str, int]:
    """Return the number of values of each field, all devices together."""
    totals: dict[str, int] = {}
    answer = json.loads(query(port, database, f'SELECT COUNT(*) FROM "{measurement}"'))  # noqa: S608 - its own names
    for series in _series(answer):
        for row in series["values"]:
            for column, value in zip(series["columns"][1:], row[1:], strict=True):
                totals[column] = totals.get(column, 0) + (value or 0)
    return totals


def _series(answer: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for result in answer["results"]:
        yield from result.get("series", [])


def summary(
    report: Mapping[str, Any], ingest: Iterable[Mapping[str, Any]], held: Held
) -> tuple[list[str], bool]:
    """Return the lines of the summary, and whether all sums agree."""
    counts = report["counts"]
    workers = list(ingest)
    received = sum(worker["telemetry"]["lines"] for worker in workers)
    written = sum(worker["telemetry"]["written"] for worker in workers)
    refused = sum(worker[lane]["refused"] for worker in workers for lane in ("telemetry", "alarm"))
    sent = sum(link["sent"]["telemetry"] + link["sent"]["alarm"] for link in report["links"])
    lost = counts["rows"] - held.rows
    lines = [
        say(
            f"轮询 {counts['polls']}  样本 {counts['samples']}  行 {counts['rows']}"
            f"  读数 {counts['readings']}  告警事件 {counts['events']}",
            f"polls {counts['polls']}  samples {counts['samples']}  rows {counts['rows']}"
            f"  readings {counts['readings']}  alarm events {counts['events']}",
        ),
        say(
            f"已发布 {sent} 条报文  收到 {received} 行  写入 {written} 行  拒收 {refused} 行",
            f"published {sent} messages  received {received} lines  written {written} lines"
            f"  refused {refused}",
        ),
        say(
            f"库中：行 {held.rows}  读数 {held.readings}  告警事件 {held.events}  丢失 = {lost}",
            f"held: rows {held.rows}  readings {held.readings}  alarm events {held.events}  lost = {lost}",
        ),
    ]
    lines += [
        f"{say('联锁', 'interlock')} {standing(shown)}" for shown in report["interlocks"] if shown["last"]
    ]
    wanted = Held(counts["rows"], counts["readings"], counts["events"])
    agree = held == wanted and refused == 0 and counts["samples"] > 0
    verdict = (
        say("各项一致", "the sums agree")
        if agree
        else say("各项不一致", f"the sums DO NOT agree: wanted {wanted}")
    )
    return [*lines, verdict], agree
