"""What the two lanes promise: alarms, bounds, history, positions."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from clock import FakeClock
from journals import DAY, WALL, everything, killed, noise, opened

from gateway.store import Cursor, Gap, Lane, Limits, Store

if TYPE_CHECKING:
    from pathlib import Path

SMALL = Limits(segment=20_000, max_bytes=100_000, settle=0.0)


async def groups(store: Store, count: int, clock: FakeClock, *, size: int = 6000, step: float = 1.0) -> None:
    for number in range(count):
        clock.advance(step)
        store.add(noise(size, number), 10, clock.now().wall)
        await store.flush()
        await store.upkeep()


async def places(cursor: Cursor) -> list[tuple[int, int]]:
    return [record.place for record in await everything(cursor)]


def lost(gaps: list[Gap]) -> list[tuple[int, int]]:
    return sorted((g.epoch, seq) for g in gaps for seq in range(g.first, g.last + 1))


async def test_state_and_event_survive_together_and_numbers_have_no_holes(tmp_path: Path) -> None:
    async with opened(tmp_path / "data") as store:
        key = ("gas-1", "lel-high")
        first = await store.commit_alarms([b"raise", b"more"], [(key, {"c": "active"}), (("x", "y"), 1)])
        second = await store.commit_alarms([b"clear"], [(key, {"c": "normal"}), (("x", "y"), None)])
        await store.put("mode", "drill")
        copy = killed(tmp_path / "data", tmp_path / "copy")
    assert [r.place for r in first + second] == [(1, 1), (1, 2), (1, 3)]
    async with opened(copy) as store:
        assert store.epoch == 2
        assert await store.load_states() == {key: {"c": "normal"}}
        assert await store.get("mode") == "drill"
        assert [r.payload for r in await store.events()] == [b"clear", b"more", b"raise"]
        assert [r.payload for r in await store.events(before=(1, 3), limit=1)] == [b"more"]


async def test_upkeep_folds_the_log_of_alarms_back_so_that_no_alarm_has_to(tmp_path: Path) -> None:
    async with opened(tmp_path / "data") as store:
        for n in range(15):
            await store.commit_alarms([b"%d" % n], [])
        await store.upkeep()
        await store.commit_alarms([b"after"], [])
        copy = killed(tmp_path / "data", tmp_path / "copy")
    (copy / "alarms.db-wal").unlink()
    async with opened(copy) as store:
        assert len(await store.events()) == 15  # in the file itself; what came after was in the log


async def test_the_journal_is_private(tmp_path: Path) -> None:
    async with opened(tmp_path / "data") as store:
        await store.commit_alarms([b"1"], [])
        store.add(b"x", 1, WALL)
        await store.flush()
        modes = {p.name: p.stat().st_mode & 0o777 for p in (tmp_path / "data").iterdir()}
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
    assert set(modes.values()) == {0o600}, modes
    assert "alarms.db-wal" in modes


async def test_a_record_waits_until_every_link_has_confirmed_it(tmp_path: Path) -> None:
    async with opened(tmp_path / "data", limits=SMALL) as store:
        mqtt, centre = [await store.cursor(name, Lane.ALARM) for name in ("mqtt", "centre")]
        await store.commit_alarms([b"1", b"2", b"3"], [])
        assert mqtt.wake.is_set()
        assert await mqtt.confirm(1, [(1, 1), (3, 3)]) == 2
        assert await places(mqtt) == [(1, 2)]
        assert await places(centre) == [(1, 1), (1, 2), (1, 3)]
    async with opened(tmp_path / "data") as store:
        assert await places(await store.cursor("mqtt", Lane.ALARM)) == [(1, 2)]
        late = await store.cursor("late", Lane.ALARM, start="newest")
        assert await places(late) == []
        await store.commit_alarms([b"4"], [])
        assert await places(late) == [(2, 1)]


async def test_a_receipt_for_what_was_never_issued_is_ignored_and_counted(tmp_path: Path) -> None:
    async with opened(tmp_path / "data") as store:
        cursor = await store.cursor("mqtt", Lane.ALARM)
        await store.commit_alarms([b"1", b"2"], [])
        forged = [(1, 10**12), (2, 3), (0, 1), (2, 1), (-5, 2)]
        assert await cursor.confirm(1, forged) == 0
        assert await cursor.confirm(77, [(1, 2)]) == 0
        assert store.health.ignored_confirms == 6
        assert cursor.backlog.records == 2


async def test_telemetry_beyond_its_size_goes_oldest_first_and_every_loss_is_told(tmp_path: Path) -> None:
    clock = FakeClock()
    async with opened(tmp_path / "data", clock, SMALL) as store:
        cursor = await store.cursor("mqtt", Lane.TELEMETRY)
        await groups(store, 10, clock)
        await cursor.confirm(1, [(1, 2), (4, 4)])
        await groups(store, 60, clock)
        left, gaps = await places(cursor), await store.gaps()
        assert store.health.size <= SMALL.max_bytes
        assert lost(gaps) == sorted({(1, n) for n in range(1, 71)} - {(1, 1), (1, 2), (1, 4)} - set(left))
        assert {g.reason for g in gaps} == {"size"}
        assert sum(g.rows for g in gaps) == 10 * len(lost(gaps)) == store.health.dropped_rows
        assert cursor.backlog.records == len(left)


async def test_with_no_link_nothing_waits_and_nothing_is_a_loss(tmp_path: Path) -> None:
    clock = FakeClock()
    async with opened(tmp_path / "data", clock, SMALL) as store:
        await groups(store, 60, clock)
        assert store.health.size <= SMALL.max_bytes
        assert await store.gaps() == []


async def test_age_takes_only_what_is_confirmed_and_only_by_a_clock_that_is_vouched_for(
    tmp_path: Path,
) -> None:
    clock = FakeClock()
    async with opened(tmp_path / "data", clock, Limits(segment=20_000, keep=86400.0)) as store:
        cursor = await store.cursor("mqtt", Lane.TELEMETRY)
        await groups(store, 12, clock)
        before = store.health.segments
        clock.synced = False
        clock.step_wall(10 * 365 * 86400)
        await store.upkeep()
        assert store.health.segments == before
        clock.synced = True
        await store.upkeep()
        assert store.health.segments == before  # unconfirmed
        await cursor.confirm(1, [(1, 12)])
        await store.upkeep()
        assert store.health.segments == 1
        assert await store.gaps() == []


async def test_a_new_day_begins_a_new_file(tmp_path: Path) -> None:
    clock = FakeClock()
    async with opened(tmp_path / "data", clock) as store:
        await groups(store, 5, clock, size=100, step=0.6 * 86400)
        assert store.health.segments == 3


async def test_old_confirmed_events_go_and_leave_a_marker(tmp_path: Path) -> None:
    clock = FakeClock()
    async with opened(tmp_path / "data", clock, Limits(events_keep=100.0, events_least=0)) as store:
        cursor = await store.cursor("mqtt", Lane.ALARM)
        await store.commit_alarms([b"%d" % n for n in range(5000)], [])
        await cursor.confirm(1, [(1, 4000)])
        clock.advance(3601)
        await store.upkeep()
        assert [r.place for r in await store.events()][-1] > (1, 4000)
        assert (await places(cursor))[0] == (1, 4001)
        assert cursor.backlog.records == 1000
        marker = await store._do(0, store._core.alarms.small, "pruned")  # type: ignore[arg-type]  # any turn
        assert marker is not None
        assert "[1, 4000]" in marker


async def test_the_newest_events_stay_however_old_they_are(tmp_path: Path) -> None:
    clock = FakeClock()
    async with opened(tmp_path / "data", clock, Limits(events_keep=100.0, events_least=300)) as store:
        await store.commit_alarms([b"%d" % n for n in range(1000)], [])
        for _ in range(3):
            clock.advance(3601)
            await store.upkeep()
        kept = [record.place for record in await store.events(limit=1000)]
        assert (len(kept), kept[-1]) == (300, (1, 701))
        assert (await store.prove()).whole


async def test_history_is_the_lines_of_one_device_in_order(tmp_path: Path) -> None:
    clock = FakeClock()
    async with opened(tmp_path / "data", clock, SMALL) as store:
        for n in range(40):
            at = clock.advance(1).wall
            lines = b"gas,device=g-1 v=%di %d\ngas,device=g-10 v=0i %d\n" % (n, at, at)
            store.add(lines + noise(3000, n), 2, at)
            await store.flush()
        now = clock.now().wall
        found = await store.history("g-1", now - 9 * 10**9, now)
        assert [line.split()[1] for line in found.lines] == [b"v=%di" % n for n in range(30, 40)]
        assert found.complete
        found = await store.history("g-1", 0, now, limit=3)
        assert [line.split()[1] for line in found.lines] == [b"v=37i", b"v=38i", b"v=39i"]
        assert not found.complete


async def test_telemetry_is_written_by_time_and_by_size_without_being_asked(tmp_path: Path) -> None:
    async with opened(tmp_path / "data", limits=Limits(group=0.05, group_bytes=1000)) as store:
        cursor = await store.cursor("mqtt", Lane.TELEMETRY)
        task = asyncio.create_task(store.run())
        store.add(b"a 1", 1, WALL)
        async with asyncio.timeout(5):
            await cursor.wake.wait()
        cursor.wake.clear()
        store.add(noise(2500), 2, WALL + DAY)
        async with asyncio.timeout(5):
            await cursor.wake.wait()
        assert [r.count for r in await everything(cursor)] == [1, 2]
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_an_epoch_is_never_used_twice_even_when_its_file_is_lost(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for _ in range(3):
        async with opened(data) as store:
            await store.commit_alarms([b"1"], [])
    (data / "epoch").unlink()
    async with opened(data) as store:
        assert store.epoch == 4
