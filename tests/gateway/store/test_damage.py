"""A damaged file is set aside, never a reason not to start; what can be read is delivered."""

from __future__ import annotations

import random
import shutil
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from clock import FakeClock
from journals import everything, noise, opened

from gateway.store import Lane, Limits, Record
from gateway.store.records import row_id

if TYPE_CHECKING:
    from pathlib import Path

LIMITS = Limits(segment=20_000, settle=0.0)


async def build(data: Path) -> tuple[list[Record], list[Record]]:
    """A journal of two runs: 60 events, 30 groups in some ten files, nothing confirmed."""
    clock = FakeClock()
    for _ in range(2):
        async with opened(data, clock, LIMITS) as store:
            cursors = [await store.cursor("mqtt", lane) for lane in Lane]
            for n in range(15):
                clock.advance(1)
                await store.commit_alarms([noise(300, n), b"x%d" % n], [(("d", f"r{n}"), n)])
                store.add(noise(6000, n), 3, clock.now().wall)
                await store.flush()
    async with opened(data, clock, LIMITS) as store:
        cursors = [await store.cursor("mqtt", lane) for lane in Lane]
        alarms, groups = [await everything(cursor) for cursor in cursors]
    assert (len(alarms), len(groups)) == (60, 30)
    return alarms, groups


def harm(path: Path, chance: random.Random) -> str:
    """Damage a file in one of the ways that cards and power cuts do."""
    data = bytearray(path.read_bytes())
    way = chance.choice(["flip", "truncate", "zero", "header", "empty", "noise"])
    at = chance.randrange(len(data))
    if way == "flip":
        for _ in range(chance.randrange(1, 20)):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    elif way == "truncate":
        del data[at:]
    elif way == "zero":
        data[at : at + 4096] = bytes(len(data[at : at + 4096]))
    elif way == "header":
        data[:100] = chance.randbytes(100)
    elif way == "empty":
        data.clear()
    else:
        data[:] = chance.randbytes(len(data))
    path.write_bytes(data)
    return way


def harm_one_of(data: Path, chance: random.Random) -> tuple[Path, str]:
    victim = chance.choice(sorted(data.glob("*.db")))
    return victim, harm(victim, chance)


async def one_round(data: Path, alarms: list[Record], groups: list[Record], seed: int) -> None:
    """Harm one file; the rest must come, nothing wrong may come, and the journal must work."""
    chance = random.Random(seed)
    victim, way = harm_one_of(data, chance)
    note = f"seed {seed}: {way} {victim.name}"
    begun = time.monotonic()
    async with opened(data, FakeClock(), LIMITS) as store:
        assert time.monotonic() - begun < 5, note
        cursors = {lane: await store.cursor("mqtt", lane) for lane in Lane}
        [fresh] = await store.commit_alarms([b"after"], [])
        assert fresh.durable, note
        assert fresh.epoch > max(r.epoch for r in alarms + groups), note
        for lane, whole in ((Lane.ALARM, alarms), (Lane.TELEMETRY, groups)):
            found = [r for r in await everything(cursors[lane]) if r.place != fresh.place]
            assert set(found) <= set(whole), note
            missing = {r.place for r in whole} - {r.place for r in found}
            if missing:
                told = {
                    (g.epoch, s)
                    for g in await store.gaps()
                    if g.lane is lane
                    for s in range(g.first, g.last + 1)
                }
                assert store.health.damaged or missing <= told, note
                assert ("alarms" in victim.name) == (lane is Lane.ALARM), note
                assert told <= missing, note
        store.add(b"after 1", 1, 1)
        await store.flush()
        newest = await cursors[Lane.TELEMETRY].read_newest()
        assert newest[0].payload == b"after 1\n", note


async def rounds(tmp_path: Path, seeds: range) -> None:
    alarms, groups = await build(tmp_path / "whole")
    for seed in seeds:
        shutil.copytree(tmp_path / "whole", tmp_path / "data")
        await one_round(tmp_path / "data", alarms, groups, seed)
        shutil.rmtree(tmp_path / "data")


async def test_twenty_damaged_files(tmp_path: Path) -> None:
    await rounds(tmp_path, range(20))


@pytest.mark.slow
async def test_a_thousand_damaged_files(tmp_path: Path) -> None:
    await rounds(tmp_path, range(1000, 2000))


async def test_a_record_under_a_wrong_number_is_damage_and_no_hole_of_a_milliard(tmp_path: Path) -> None:
    await build(tmp_path / "data")
    db = sqlite3.connect(tmp_path / "data" / "alarms.db")
    db.execute("UPDATE records SET id = id + (1 << 28) WHERE id = ?", (row_id(2, 30),))
    db.commit()
    db.close()
    async with opened(tmp_path / "data", FakeClock(), LIMITS) as store:
        assert "wrong check sum" in store.health.damaged[0]
        assert sum(gap.records for gap in await store.gaps()) <= 1
        assert store.health.dropped_records <= 1
        cursor = await store.cursor("mqtt", Lane.ALARM)
        assert len(await everything(cursor)) == 59


@pytest.mark.parametrize("table", ["states", "small", "positions"])
async def test_one_line_that_was_damaged_is_forgotten_alone_and_told_once(tmp_path: Path, table: str) -> None:
    """A bit in the text of a state, a counter or a position is no damage that SQLite would see."""
    states = {("cover-1", "tilt"): {"n": 7}, ("cover-2", "tilt"): {"n": 8}}
    async with opened(tmp_path / "data") as store:
        for name in ("mqtt", "other"):
            await (await store.cursor(name, Lane.ALARM)).confirm(1, [(1, 2)])
        await store.commit_alarms([b"1", b"2"], list(states.items()), small={"a": "17", "b": "18"})
        for name in ("mqtt", "other"):
            await (await store.cursor(name, Lane.ALARM)).confirm(1, [(1, 1)])
    with closing(sqlite3.connect(tmp_path / "data" / "alarms.db")) as db:
        value = "replace(replace(value, '7', '9'), '[', '[9')"
        first = f"(SELECT key FROM {table} WHERE key NOT LIKE 'audit%' ORDER BY key LIMIT 1)"
        assert db.execute(f"UPDATE {table} SET value = {value} WHERE key = {first}").rowcount == 1
        db.commit()
    async with opened(tmp_path / "data") as store:
        found = await store.load_states()
        kept = [await store.get(name) for name in ("a", "b")]
        left = [(await store.cursor(name, Lane.ALARM)).backlog.records for name in ("mqtt", "other")]
        assert len(found) == 2 - (table == "states")
        assert found.items() <= states.items()
        assert kept == [None if table == "small" else "17", "18"]
        assert left == [2 if table == "positions" else 1, 1], "what was not confirmed is never left out"
        assert [f"{table} " in what for what in store.health.damaged] == [True]
        await store.upkeep()
    async with opened(tmp_path / "data") as store:
        await store.load_states()
        assert not store.health.damaged
        assert any(f"{table} ".encode() in (entry.body or b"") for entry in await store.audit(0, 50))


async def test_a_damaged_alarm_file_is_kept_and_what_it_held_is_saved(tmp_path: Path) -> None:
    alarms, _ = await build(tmp_path / "data")
    file = tmp_path / "data" / "alarms.db"
    data = bytearray(file.read_bytes())
    page = data.index(noise(300, 7)) // 4096 * 4096
    data[page : page + 4096] = b"\xa5" * 4096
    file.write_bytes(data)
    async with opened(tmp_path / "data", FakeClock(), LIMITS) as store:
        assert "alarms.db.bad-" in store.health.damaged[0]
        assert len(list((tmp_path / "data").glob("alarms.db.bad-*"))) == 1
        cursor = await store.cursor("mqtt", Lane.ALARM)
        saved = await everything(cursor)
        assert set(saved) < set(alarms)
        assert len(saved) > len(alarms) // 2


async def test_a_file_damaged_while_it_is_in_use_is_noticed_and_told(tmp_path: Path) -> None:
    clock = FakeClock()
    async with opened(tmp_path / "data", clock, LIMITS) as store:
        cursor = await store.cursor("mqtt", Lane.TELEMETRY)
        for n in range(12):
            store.add(noise(6000, n), 3, clock.advance(1).wall)
            await store.flush()
        victim = min((tmp_path / "data").glob("telemetry-*.db"))
        victim.write_bytes(b"not a database any more" * 1000)
        there = {r.place for r in await everything(cursor)} | {r.place for r in await everything(cursor)}
        gaps = await store.gaps()
        told = {(g.epoch, s) for g in gaps for s in range(g.first, g.last + 1)}
        assert {g.reason for g in gaps} == {"damaged"}
        assert told | there == {(1, n) for n in range(1, 13)}
        assert not told & there
        assert cursor.backlog.records == len(there)
