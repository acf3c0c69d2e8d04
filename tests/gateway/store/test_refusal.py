"""The disk refuses: alarms go on from memory and say so, telemetry drops its oldest and says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from clock import FakeClock
from disks import fill, remount
from journals import everything, noise, opened

from gateway.store import Lane, Limits, Store

if TYPE_CHECKING:
    from pathlib import Path


async def refuse(store: Store, *, yes: bool) -> None:
    """Make SQLite find the disk full under alarms.db: a real SQLITE_FULL."""
    file = store._core.alarms.disk.file

    def limit() -> None:
        if yes:
            pages = file.db.execute("PRAGMA page_count").fetchone()[0]
            file.db.execute(f"PRAGMA max_page_count = {pages}")
        file.open = (lambda: None) if yes else type(file).open.__get__(file)  # type: ignore[method-assign]  # a refusal that lasts
        if yes:
            file.close = lambda: None  # type: ignore[method-assign]
        else:
            del file.close
            file.close()

    await store._do(0, limit)  # type: ignore[arg-type]  # any turn


BIG = b"x" * 9000  # needs new pages


async def test_an_alarm_that_the_disk_refuses_is_told_all_the_same_and_written_later(tmp_path: Path) -> None:
    async with opened(tmp_path / "data") as store:
        cursor = await store.cursor("mqtt", Lane.ALARM)
        await store.commit_alarms([b"before"], [(("d", "r"), 1)])
        await refuse(store, yes=True)
        [record] = await store.commit_alarms([BIG], [(("d", "r"), 2)])
        assert not record.durable
        assert not store.health.alarms_durable
        assert "full" in store.health.why
        found = await everything(cursor)
        assert [(r.place, r.durable) for r in found] == [((1, 1), True), ((1, 2), False)]
        assert cursor.backlog.records == 2
        assert await cursor.confirm(1, [(1, 2)]) == 2
        await refuse(store, yes=False)
        await store.upkeep()
        assert store.health.alarms_durable
        assert [r.payload for r in await store.events()] == [BIG, b"before"]
        assert await store.load_states() == {("d", "r"): 2}
        assert await everything(cursor) == []


async def test_the_ring_is_bounded_and_what_falls_out_of_it_is_told(tmp_path: Path) -> None:
    async with opened(tmp_path / "data", limits=Limits(ring=5)) as store:
        cursor = await store.cursor("mqtt", Lane.ALARM)
        await refuse(store, yes=True)
        for _ in range(8):
            await store.commit_alarms([BIG], [])
        assert store.health.ring == 5
        assert store.health.dropped_records == 3
        await refuse(store, yes=False)
        await store.upkeep()
        assert [r.place for r in await everything(cursor)] == [(1, n) for n in range(4, 9)]
        assert [(g.first, g.reason) for g in await store.gaps()] == [
            (3, "memory"),
            (2, "memory"),
            (1, "memory"),
        ]


async def test_telemetry_that_the_disk_refuses_waits_in_bounded_memory(tmp_path: Path) -> None:
    clock = FakeClock()
    limits = Limits(group_bytes=1000, waiting_bytes=5000)
    async with opened(tmp_path / "data", clock, limits) as store:
        cursor = await store.cursor("mqtt", Lane.TELEMETRY)
        store.add(noise(1000), 7, 1)
        await store.flush()
        segment = store._core.telemetry.segments[0]
        segment.close()
        segment.path.rename(tmp_path / "away")
        segment.path.mkdir()  # a path that cannot be opened
        for n in range(10):
            store.add(noise(1000, n), 7, n)
            await store.flush()
        assert not store.health.telemetry_stored
        segment.path.rmdir()
        (tmp_path / "away").rename(segment.path)
        await store.flush()
        assert store.health.telemetry_stored
        there = {r.place for r in await everything(cursor)}
        gaps = await store.gaps()
        told = {(g.epoch, s) for g in gaps for s in range(g.first, g.last + 1)}
        assert there | told == {(1, n) for n in range(1, 12)}
        assert not there & told
        assert len(told) == 6
        assert {g.reason for g in gaps} == {"memory"}


@pytest.mark.slow
async def test_on_a_full_disk_alarms_go_on_and_the_oldest_telemetry_goes_counted(small_disk: Path) -> None:
    clock = FakeClock()
    async with opened(small_disk / "data", clock) as store:
        alarms, cursor = [await store.cursor("mqtt", lane) for lane in Lane]

        async def live(count: int) -> None:
            for n in range(count):
                store.add(noise(60_000, n), 10, clock.advance(2).wall)
                await store.flush()
                [record] = await store.commit_alarms([b"x" * 500], [])
                assert record.durable
                await store.upkeep()

        await live(500)  # 17 MB of telemetry on a disk of 12
        assert store.health.telemetry_stored
        assert store.health.gaps
        ballast = fill(small_disk, 0)
        await live(30)
        ballast.unlink()
        await live(30)
        assert store.health.telemetry_stored
        assert not store.health.space_low
        there = {r.place for r in await everything(cursor, 100)}
        gaps = [g for g in await store.gaps(10_000) if g.lane is Lane.TELEMETRY]
        told = [(g.epoch, s) for g in gaps for s in range(g.first, g.last + 1)]
        assert len(set(told)) == len(told)
        assert set(told) | there == {(1, n) for n in range(1, 561)}
        assert not set(told) & there
        assert len(await everything(alarms, 100)) == 560


@pytest.mark.slow
async def test_on_a_read_only_disk_alarms_live_in_memory_until_it_is_writable_again(small_disk: Path) -> None:
    async with opened(small_disk / "data") as store:
        cursor = await store.cursor("mqtt", Lane.ALARM)
        await store.commit_alarms([b"1"], [])
    remount(small_disk, "ro")
    try:
        store = await Store.open(small_disk / "data", FakeClock())  # even the start goes through
        cursor = await store.cursor("mqtt", Lane.ALARM)
        [record] = await store.commit_alarms([b"2"], [(("d", "r"), 1)])
        assert not record.durable
        assert not store.health.epoch_durable
        assert store.epoch > 2  # leapt: never the number of another run that could not write either
        assert b"2" in [r.payload for r in await everything(cursor)]
        store.add(b"x 1", 1, 1)
        await store.flush()
        await store.upkeep()
        assert not store.health.telemetry_stored
    finally:
        remount(small_disk, "rw")
    await store.upkeep()
    await store.flush()
    assert store.health.alarms_durable
    assert store.health.epoch_durable
    assert store.health.telemetry_stored
    await store.close()
    async with opened(small_disk / "data") as store:
        assert [r.payload for r in await store.events()] == [b"2", b"1"]
