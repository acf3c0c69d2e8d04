"""Whether everything arrived: the far end's rows against the gateway's counts."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest

from gateway.demo.sums import Held, held_by_archive, held_by_influx, summary

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

ROWS = [
    "gas,device=a,gateway=g,site=s lel=1.5,co=3i,q=0i 10",
    "gas,device=a,gateway=g,site=s lel=1.6,co=3i,q=0i 11",
    "manhole,device=b,gateway=g,site=s q=1i 11",
    'alarm,class=gas,device=a,rule=high event="raise",level=2i 12',
    "gateway_health,gateway=g rss=5i 13",
    "line_health,line=x down=0i 13",
    "device_health,device=a age=1.5 13",
]
REPORT = {
    "counts": {"polls": 3, "samples": 3, "rows": 3, "readings": 4, "events": 1},
    "links": [{"sent": {"telemetry": 2, "alarm": 1}}],
    "interlocks": [],
}
WORKER = {
    "telemetry": {"lines": 6, "written": 6, "refused": 0},
    "alarm": {"lines": 1, "written": 1, "refused": 0},
}


def archive(folder: Path, rows: list[str]) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "one.lp").write_text("".join(row + "\n" for row in rows[:3]), "utf-8")
    (folder / "two.lp").write_text("".join(row + "\n" for row in rows[3:]), "utf-8")
    return folder


def test_an_archive_is_counted_without_what_the_gateway_says_about_itself(tmp_path: Path) -> None:
    assert held_by_archive(archive(tmp_path, ROWS)) == Held(rows=3, readings=4, events=1)


def test_a_row_that_was_written_twice_counts_once(tmp_path: Path) -> None:
    assert held_by_archive(archive(tmp_path, [*ROWS, ROWS[0], ROWS[3]])) == Held(3, 4, 1)


def test_the_sums_agree_when_everything_arrived(tmp_path: Path) -> None:
    lines, agree = summary(REPORT, [WORKER], held_by_archive(archive(tmp_path, ROWS)))
    assert agree
    assert "lost = 0" in "".join(lines)


@pytest.mark.parametrize("stolen", range(4))
def test_the_sums_do_not_agree_when_a_row_is_stolen(tmp_path: Path, stolen: int) -> None:
    rows = [row for n, row in enumerate(ROWS) if n != stolen]
    assert not summary(REPORT, [WORKER], held_by_archive(archive(tmp_path, rows)))[1]


def test_the_sums_do_not_agree_when_a_field_is_missing_or_a_row_too_many_or_a_line_refused(
    tmp_path: Path,
) -> None:
    less = [ROWS[0].replace(",co=3i", ""), *ROWS[1:]]
    assert not summary(REPORT, [WORKER], held_by_archive(archive(tmp_path, less)))[1]
    more = [*ROWS, "gas,device=a,gateway=g,site=s lel=1.6,q=0i 99"]
    assert not summary(REPORT, [WORKER], held_by_archive(archive(tmp_path, more)))[1]
    refused = {**WORKER, "telemetry": {**WORKER["telemetry"], "refused": 1}}
    assert not summary(REPORT, [refused], Held(3, 4, 1))[1]


def test_nothing_measured_is_not_agreement() -> None:
    report = {**REPORT, "counts": {"polls": 0, "samples": 0, "rows": 0, "readings": 0, "events": 0}}
    assert not summary(report, [WORKER], Held(0, 0, 0))[1]


ANSWERS = {
    "SHOW MEASUREMENTS": {"columns": ["name"], "values": [["alarm"], ["gas"], ["gateway_health"]]},
    'SELECT COUNT(*) FROM "gas"': {
        "columns": ["time", "count_co", "count_lel", "count_q"],
        "values": [[0, 2, 2, 3]],
    },
    'SELECT COUNT(*) FROM "alarm"': {
        "columns": ["time", "count_event", "count_level"],
        "values": [[0, 1, 1]],
    },
}


@contextmanager
def influx(answers: Mapping[str, Any]) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            series = answers.get(parse_qs(body)["q"][0])
            result = {"statement_id": 0, "series": [series]} if series else {"statement_id": 0}
            data = json.dumps({"results": [result]}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def test_what_influxdb_answers_is_counted_the_same_way() -> None:
    with influx(ANSWERS) as port:
        assert held_by_influx(port, "lvjing") == Held(rows=3, readings=4, events=1)


def test_an_empty_database_holds_nothing() -> None:
    with influx({}) as port:
        assert held_by_influx(port, "lvjing") == Held(0, 0, 0)
