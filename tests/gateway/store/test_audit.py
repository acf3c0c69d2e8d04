"""The audit chain: whatever is changed, taken out or moved is found; what retention takes is said."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from clock import FakeClock
from journals import killed, opened

from gateway.store import Lane, Limits, StoreError, audit, chain
from gateway.store.chain import Head

if TYPE_CHECKING:
    from gateway.store.audit import Proof

HASHED = "UPDATE audit SET hash = (SELECT hash FROM audit WHERE n = 1) WHERE n = 6"
CRIMES = {
    "an event was changed": ("UPDATE records SET body = x'7b7d' WHERE id % 16 = 3", "not what was written"),
    "an event was taken out": ("DELETE FROM records WHERE id % 16 = 3", "record of its event is gone"),
    "a deed was changed": ("UPDATE audit SET body = x'7b7d' WHERE record IS NULL", "not what was written"),
    "an entry was taken out": ("DELETE FROM audit WHERE n = 4", "entries 4 to 4 are missing"),
    "the first entries were taken out": ("DELETE FROM audit WHERE n < 4", "no marker of retention"),
    "the last entries were taken out": ("DELETE FROM audit WHERE n > 5", "missing"),
    "the end was taken out of both": (
        (
            "DELETE FROM records WHERE id = (SELECT record FROM audit ORDER BY n DESC LIMIT 1);"
            "DELETE FROM audit WHERE n = (SELECT max(n) FROM audit)"
        ),
        "missing",
    ),
    "an entry points at another event": (
        "UPDATE audit SET record = record + 1 WHERE n = 5",
        "not what was written",
    ),
    "two events have changed places": (
        (
            "UPDATE records SET id = -1 WHERE id % 16 = 3; UPDATE records SET id = id - 1 WHERE id % 16 = 4;"
            "UPDATE records SET id = (SELECT max(id) - 1 FROM records) WHERE id = -1"
        ),
        "not what was written",
    ),
    "two entries have changed places": (
        (
            "UPDATE audit SET n = -1 WHERE n = 4; UPDATE audit SET n = 4 WHERE n = 5;"
            "UPDATE audit SET n = 5 WHERE n = -1"
        ),
        "not what was written",
    ),
    "the time of an entry was changed": ("UPDATE audit SET at = at + 1 WHERE n = 5", "time of its event"),
    "the time of an event was changed": ("UPDATE records SET at = at + 1", "time of its event"),
    "both times were changed": (
        "UPDATE records SET at = at + 1; UPDATE audit SET at = at + 1",
        "not what was written",
    ),
    "a hash was changed": (HASHED, "not what was written"),
    "an event was put in": (
        (
            "INSERT INTO records SELECT id + 100, at, until, count, records, rows, size, crc, body FROM records"
            " WHERE id % 16 = 3"
        ),
        "not in the chain",
    ),
}


async def write(data: Path) -> Head:
    async with opened(data) as store:
        await store.commit_alarms([b'{"e":1}', b'{"e":2}'], [])
        await store.commit_alarms([], [], deeds=[b'{"type":"deed","who":"wang"}'])
        await store.commit_alarms([b'{"e":3}', b'{"e":4}'], [], deeds=[b'{"type":"deed","who":"li"}'])
        await store.commit_alarms([b'{"e":5}'], [])
    n, digits = store.health.audit
    return Head(n, bytes.fromhex(digits))


def proved(data: Path, *heads: Head) -> Proof:
    with audit.opened(data) as db:
        return audit.prove(db, heads)


def words(proof: Proof) -> str:
    return "; ".join(en for _, _, en in proof.problems)


async def test_a_chain_that_nobody_touched_is_whole_also_in_a_copy_and_in_the_next_run(
    tmp_path: Path,
) -> None:
    head = await write(tmp_path / "data")
    assert proved(tmp_path / "data").whole
    copied = proved(killed(tmp_path / "data", tmp_path / "copy"), head)
    assert copied.whole
    assert copied.head == head
    assert copied.entries == head.n == 7
    async with opened(tmp_path / "data") as store:
        await store.commit_alarms([b'{"e":6}'], [])
        assert (await store.prove([head])).whole
        entries = await store.audit(None, 3)
    assert [entry.n for entry in entries] == [6, 7, 8]
    assert entries[-1].to_json()["entry"] == {"e": 6}


async def test_a_deed_stands_before_the_events_that_came_of_it(tmp_path: Path) -> None:
    await write(tmp_path / "data")
    with audit.opened(tmp_path / "data") as db:
        told = [entry.to_json()["entry"] for entry in audit.entries(db, 0, 100)]
    assert [entry.get("e") or entry["who"] for entry in told] == [1, 2, "wang", "li", 3, 4, 5]


@pytest.mark.parametrize("crime", CRIMES)
async def test_what_was_done_to_the_files_is_found(tmp_path: Path, crime: str) -> None:
    await write(tmp_path / "data")
    assert proved(tmp_path / "data").whole  # the control
    statement, trace = CRIMES[crime]
    with closing(sqlite3.connect(tmp_path / "data/alarms.db")) as db:
        db.executescript(statement)
    proof = proved(tmp_path / "data")
    assert not proof.whole
    assert trace in words(proof)


async def test_an_entry_forged_with_a_hash_of_its_own_breaks_the_next_one(tmp_path: Path) -> None:
    await write(tmp_path / "data")
    with closing(sqlite3.connect(tmp_path / "data/alarms.db")) as db:
        at, before = db.execute(
            "SELECT at, (SELECT hash FROM audit WHERE n = 3) FROM audit WHERE n = 4"
        ).fetchone()
        body = b'{"type":"deed","who":"nobody"}'
        digest = chain.link(before, chain.canonical(4, at, None, body))
        db.execute("UPDATE audit SET body = ?, hash = ? WHERE n = 4", (body, digest))
        db.commit()
    assert [n for n, _, _ in proved(tmp_path / "data").problems] == [5]


async def test_a_forged_chain_ends_in_another_head_than_the_one_that_was_told(tmp_path: Path) -> None:
    head = await write(tmp_path / "data")
    (tmp_path / "data/alarms.db").unlink()
    (tmp_path / "data/epoch").unlink()
    async with opened(tmp_path / "data") as store:
        await store.commit_alarms([b'{"e":%d}' % n for n in range(head.n + 3)], [])
    assert proved(tmp_path / "data").whole  # by itself nobody could tell
    assert "not the head that was published" in words(proved(tmp_path / "data", head))


async def test_a_running_gateway_knows_its_own_head_even_when_the_note_of_it_is_gone(tmp_path: Path) -> None:
    async with opened(tmp_path / "data") as store:
        await store.commit_alarms([b'{"e":1}', b'{"e":2}'], [])
        with closing(sqlite3.connect(tmp_path / "data/alarms.db")) as db:
            db.executescript("DELETE FROM audit WHERE n = 2; DELETE FROM records WHERE id % 16 = 2")
        assert "entries 2 to 2 are missing" in words(await store.prove())


async def test_retention_leaves_a_marker_and_a_chain_that_can_be_proved(tmp_path: Path) -> None:
    clock = FakeClock()
    async with opened(tmp_path / "data", clock, Limits(events_keep=100.0, events_least=0)) as store:
        await store.commit_alarms([b'{"e":%d}' % n for n in range(3000)], [], deeds=[b'{"type":"deed"}'])
        clock.advance(90)
        await store.commit_alarms([b'{"e":-1}'], [], deeds=[b'{"type":"deed"}'])
        clock.advance(3601 - 90)
        await store.upkeep()
        await store.commit_alarms([b'{"e":-2}'], [])
        proof = await store.prove()
        assert proof.whole
        told = [entry.to_json()["entry"] for entry in await store.audit(0, 100)]
    markers = [entry for entry in told if entry.get("type") == "pruned"]
    assert [marker["records"] for marker in markers] == [2000, 1001]
    assert proof.first == markers[-1]["upto"] + 1
    with closing(sqlite3.connect(tmp_path / "data/alarms.db")) as db:
        db.execute("DELETE FROM audit WHERE n = ?", (proof.first,))
        db.commit()
    assert not proved(tmp_path / "data").whole


async def test_a_file_from_before_there_was_an_audit_gets_one(tmp_path: Path) -> None:
    await write(tmp_path / "data")
    with closing(sqlite3.connect(tmp_path / "data/alarms.db")) as db:
        db.executescript("DROP TABLE audit; DELETE FROM small WHERE key = 'audit.head'")
    with pytest.raises(StoreError, match="has no audit chain"):
        proved(tmp_path / "data")
    async with opened(tmp_path / "data") as store:
        assert not store.health.damaged
        await store.commit_alarms([b'{"e":6}'], [])
    proof = proved(tmp_path / "data")
    assert proof.whole
    assert (proof.entries, proof.unchained) == (1, 5)


async def test_what_waits_while_the_disk_refuses_is_chained_in_its_order(tmp_path: Path) -> None:
    async with opened(tmp_path / "data") as store:
        disk = store._core.alarms.disk
        disk.file.close()
        (tmp_path / "data/alarms.db").rename(tmp_path / "away")
        (tmp_path / "data/alarms.db").mkdir()  # nothing can be opened there
        await store.commit_alarms([b'{"e":1}'], [], deeds=[b'{"type":"a"}'])
        await store.commit_alarms([b'{"e":2}'], [], deeds=[b'{"type":"b"}'])
        assert not store.health.alarms_durable
        (tmp_path / "data/alarms.db").rmdir()
        (tmp_path / "away").rename(tmp_path / "data/alarms.db")
        await store.upkeep()
        assert store.health.alarms_durable
        told = [json.loads(entry.body or b"") for entry in await store.audit(0, 10)]
        assert (await store.prove()).whole
    assert told == [{"type": "a"}, {"e": 1}, {"type": "b"}, {"e": 2}]


async def test_a_damaged_file_says_in_the_chain_that_it_was_set_aside(tmp_path: Path) -> None:
    await write(tmp_path / "data")
    path = tmp_path / "data/alarms.db"
    with closing(sqlite3.connect(path)) as db:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute("DROP TABLE positions")
    assert pages > 1
    async with opened(tmp_path / "data") as store:
        await store.cursor("mqtt", Lane.ALARM)
        await store.commit_alarms([b'{"e":6}'], [])
        proof = await store.prove()
    assert store.health.damaged
    assert proof.damaged == 1
    assert proof.whole  # nothing of the chain was lost with it


async def test_a_copy_on_a_medium_that_cannot_be_written_is_proved(tmp_path: Path) -> None:
    async with opened(tmp_path / "data") as store:
        await store.commit_alarms([b'{"e":1}', b'{"e":2}'], [])
        copy = killed(tmp_path / "data", tmp_path / "copy")
    assert (copy / "alarms.db-wal").stat().st_size
    for path in copy.iterdir():
        path.chmod(0o400)
    copy.chmod(0o500)
    try:
        assert proved(copy).entries == 2
    finally:
        copy.chmod(0o700)
    shutil.rmtree(copy)


def test_a_folder_without_a_journal_is_told() -> None:
    with pytest.raises(StoreError, match="not there"):
        proved(Path("/nowhere"))


async def test_the_head_is_read_as_it_is_written() -> None:
    head = Head(7, bytes(range(32)))
    assert Head.of(head.text) == head
    with pytest.raises(ValueError, match="64 hex digits"):
        Head.of("7:ab")
