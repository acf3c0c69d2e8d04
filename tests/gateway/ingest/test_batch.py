"""Exactly the bad lines are set aside, with few requests; answers are judged; refusals are kept once."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ingest.answers import Misconfigured, Refused, Unavailable, judge
from gateway.ingest.batch import BatchWriter, Parcel
from gateway.ingest.quarantine import Quarantine, Refusal
from gateway.ingest.receipts import Origin, Receipts
from gateway.ingest.targets import Archive
from gateway.links.custody import RecordId
from gateway.links.encode import Topics

if TYPE_CHECKING:
    from pathlib import Path


class Database:
    """Takes what does not say `bad`; the rest of a refused request is stored, as InfluxDB does."""

    def __init__(self, *, tells: bool) -> None:
        self.tells = tells
        self.stored: set[bytes] = set()
        self.writes = 0
        self.leaves_at = 0

    def write(self, lines: bytes) -> None:
        self.writes += 1
        if self.writes == self.leaves_at:
            raise Unavailable("down")
        pieces = lines.split(b"\n")
        self.stored |= {line for line in pieces if b"bad" not in line}
        if dropped := sum(b"bad" in line for line in pieces):
            raise Refused("type conflict", dropped if self.tells else None)

    def close(self) -> None:
        pass


def parcels(bad: set[int], total: int) -> list[Parcel]:
    lines = [f"gas,device=d{n} {'bad' if n in bad else 'p'}=1 {n}".encode() for n in range(total)]
    return [
        Parcel(b"\n".join(lines[n : n + 3]), len(lines[n : n + 3]), "s/g/telemetry", 1, n)
        for n in range(0, total, 3)
    ]


@given(st.sets(st.integers(0, 99)), st.booleans(), st.integers(1, 100))
def test_exactly_the_bad_lines_are_set_aside(bad: set[int], tells: bool, total: int) -> None:
    database, bad = Database(tells=tells), {n for n in bad if n < total}
    writer = BatchWriter(database)
    for _ in range(2):  # the second time with the suspects known
        refused = writer.write(parcels(bad, total))
        assert sorted(int(r.line.rpartition(b" ")[2]) for r in refused) == sorted(bad)
        assert len(database.stored) == total - len(bad)


def test_a_refusal_names_the_record_it_came_with() -> None:
    refused = BatchWriter(Database(tells=True)).write(parcels({4}, 9))
    assert [(r.source, r.epoch, r.seq, r.reason) for r in refused] == [
        ("s/g/telemetry", 1, 3, "type conflict")
    ]


def test_one_bad_series_does_not_cost_every_batch_a_search() -> None:
    writer = BatchWriter(Database(tells=True))
    writer.write(parcels({777}, 3000))
    searching = writer.requests
    writer.write(parcels({777}, 3000))
    assert searching < 30
    assert writer.requests - searching == 2


def test_a_series_that_has_recovered_is_no_suspect_any_more() -> None:
    writer = BatchWriter(Database(tells=True))
    writer.write(parcels({5}, 30))
    writer.write(parcels(set(), 30))
    before = writer.requests
    assert writer.write(parcels(set(), 30)) == []
    assert writer.requests - before == 1


def test_a_database_that_goes_away_while_searching_is_no_refusal() -> None:
    database = Database(tells=False)
    writer = BatchWriter(database)
    database.leaves_at = 3
    with pytest.raises(Unavailable):
        writer.write(parcels({5}, 30))
    database.leaves_at = 0
    assert len(writer.write(parcels({5}, 30))) == 1


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (204, "", None),
        (200, "", None),
        (400, '{"error":"partial write: field type conflict dropped=3"}', Refused),
        (400, '{"code":"invalid","message":"unable to parse"}', Refused),
        (422, '{"code":"unprocessable entity","message":"x"}', Refused),
        (413, "<html>", Refused),
        (400, "<html>The plain HTTP request was sent to HTTPS port</html>", Misconfigured),
        (400, "[]", Misconfigured),
        (401, '{"error":"x"}', Misconfigured),
        (403, "", Misconfigured),
        (404, '{"error":"database not found"}', Misconfigured),
        (301, "", Misconfigured),
        (429, "", Unavailable),
        (500, '{"error":"timeout"}', Unavailable),
        (503, "", Unavailable),
    ],
)
def test_an_answer_is_judged_by_what_may_be_lost(
    status: int, body: str, error: type[Exception] | None
) -> None:
    if error is None:
        judge(status, body, {})
        return
    with pytest.raises(error) as caught:
        judge(status, body, {"retry-after": "7"})
    assert type(caught.value) is error
    if isinstance(caught.value, Refused):
        assert caught.value.dropped == (3 if "dropped=3" in body else None)
    elif isinstance(caught.value, Unavailable) and not isinstance(caught.value, Misconfigured):
        assert caught.value.retry_after == 7


def test_a_refused_line_is_kept_once_however_often_it_comes(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "refused"
    quarantine = Quarantine(path)
    line = Refusal(b"gas,device=a p=1 1", "why", "s/g/telemetry", 1, 2)
    quarantine.keep([line, line], at=5)
    quarantine.keep([line], at=6)
    quarantine.close()
    rows = (
        sqlite3.connect(path).execute("SELECT at, source, epoch, seq, reason, line FROM refused").fetchall()
    )
    assert rows == [(5, "s/g/telemetry", 1, 2, "why", b"gas,device=a p=1 1")]


def test_the_quarantine_keeps_the_newest(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path / "refused", most=10)
    for n in range(50):
        quarantine.keep([Refusal(b"x", "why", "s", 1, n)], at=n)
    quarantine.close()
    rows = sqlite3.connect(tmp_path / "refused").execute("SELECT seq FROM refused ORDER BY seq").fetchall()
    assert rows == [(n,) for n in range(40, 50)]


def test_a_quarantine_that_cannot_be_written_holds_the_batch_back(tmp_path: Path) -> None:
    (tmp_path / "refused").mkdir()
    with pytest.raises(Unavailable):
        Quarantine(tmp_path / "refused").keep([Refusal(b"x", "why", "s")], at=0)


def test_receipts_are_coalesced_to_ranges_per_gateway_and_lane() -> None:
    receipts = Receipts(after=30.0)
    here, there = Topics("s", "g1"), Topics("s", "g2")
    receipts.written([Origin(here, RecordId("telemetry", 7, n, 1)) for n in (5, 3, 4, 9, 3)], now=0.0)
    receipts.written([Origin(there, RecordId("telemetry", 1, 1, 1))], now=1.0)
    assert receipts.due(29.9) == []
    assert receipts.next_deadline() == 30.0
    assert receipts.due(30.0) == [(here.receipt("telemetry"), b'{"epoch":7,"ranges":[[3,5],[9,9]]}')]
    assert receipts.due(31.0) == [(there.receipt("telemetry"), b'{"epoch":1,"ranges":[[1,1]]}')]
    assert receipts.next_deadline() is None


def test_the_archive_holds_whole_lines(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "lines")
    archive.write(b"a,b=c d=1 1\na,b=c d=1 2")
    archive.write(b"a,b=c d=1 3")
    (path,) = (tmp_path / "lines").iterdir()
    assert path.read_bytes() == b"a,b=c d=1 1\na,b=c d=1 2\na,b=c d=1 3\n"
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable):
        Archive(tmp_path / "file").write(b"x")
