"""A start on a disk that takes nothing: what is on it is known all the same, and nothing of it is lost."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest
from clock import FakeClock
from disks import fill, remount
from journals import everything, opened

from gateway.lock import Taken, owned
from gateway.store import Lane, Store

if TYPE_CHECKING:
    from pathlib import Path

STATE = (("cover-1", "tilt"), {"state": "UNACK"})


async def lived(data: Path) -> None:
    """A life before: three events, one of them confirmed, and an alarm that stands."""
    async with opened(data) as store:
        cursor = await store.cursor("mqtt", Lane.ALARM)
        await store.commit_alarms([b"one", b"two", b"three"], [STATE], small={"name": "kept"})
        await cursor.confirm(1, [(1, 1)])


def take_away(disk: Path, how: str) -> None:
    """Let the disk take nothing more, the room that is kept back included."""
    if how == "full":
        (disk / "data" / "reserve").unlink(missing_ok=True)
        fill(disk, 0)
    else:
        remount(disk, "ro")


def give_back(disk: Path, how: str) -> None:
    if how == "full":
        (disk / "ballast").unlink()
    else:
        remount(disk, "rw")


@pytest.mark.parametrize("how", ["read-only", "full"])
async def test_what_is_on_a_disk_that_takes_nothing_is_known_and_delivered(
    small_disk: Path, how: str
) -> None:
    data = small_disk / "data"
    await lived(data)
    take_away(small_disk, how)
    try:
        store = await Store.open(data, FakeClock())
        cursor = await store.cursor("mqtt", Lane.ALARM)
        assert await store.load_states() == dict([STATE])
        assert await store.get("name") == "kept"
        assert [r.payload for r in await everything(cursor)] == [b"two", b"three"]
        [record] = await store.commit_alarms([b"four"], [(STATE[0], None)])
        assert not record.durable
        assert [r.payload for r in await everything(cursor)] == [b"two", b"three", b"four"]
        assert [r.payload for r in await store.events()] == [b"four", b"three", b"two", b"one"]
        assert cursor.backlog.records == 3
    finally:
        give_back(small_disk, how)
    await store.upkeep()
    assert store.health.alarms_durable
    await store.close()
    async with opened(data) as store:
        assert [r.payload for r in await store.events()] == [b"four", b"three", b"two", b"one"]
        assert await store.load_states() == {}
        assert (await store.prove()).whole


async def test_telemetry_that_could_not_be_seen_at_the_start_is_not_taken_for_confirmed(
    small_disk: Path,
) -> None:
    data = small_disk / "data"
    async with opened(data) as store:
        await store.cursor("mqtt", Lane.TELEMETRY)
        for n in (1, 2):
            store.add(b"x %d" % n, 1, n)
            await store.flush()
    take_away(small_disk, "read-only")
    try:
        store = await Store.open(data, FakeClock())
        cursor = await store.cursor("mqtt", Lane.TELEMETRY)
    finally:
        give_back(small_disk, "read-only")
    store.add(b"x 3", 1, 3)
    await store.flush()
    [record] = await everything(cursor)
    assert await cursor.confirm(record.epoch, [(record.seq, record.seq)]) == 1
    await store.commit_alarms([b"an alarm"], [])  # opens its file again, in which the positions are kept
    assert store.health.alarms_durable
    await store.close()
    async with opened(data) as store:
        cursor = await store.cursor("mqtt", Lane.TELEMETRY)
        waiting = [r.payload for r in await everything(cursor)]
        assert waiting[:2] == [b"x 1\n", b"x 2\n"], "what was confirmed may come again, the rest has to"


async def test_a_disk_that_fills_up_later_still_gives_what_it_holds(small_disk: Path) -> None:
    data = small_disk / "data"
    await lived(data)
    async with opened(data) as store:
        cursor = await store.cursor("mqtt", Lane.ALARM)
        fill(small_disk, 0)
        big = b"x" * (2 << 20)  # more than the reserve has
        [record] = await store.commit_alarms([big], [])
        assert not record.durable
        assert [r.payload for r in await everything(cursor)] == [b"two", b"three", big]
        assert await store.load_states() == dict([STATE])


async def test_the_reserve_is_given_up_for_a_start_on_a_full_disk(small_disk: Path) -> None:
    data = small_disk / "data"
    await lived(data)
    fill(small_disk, 0)
    async with opened(data) as store:
        [record] = await store.commit_alarms([b"four"], [])
        assert record.durable


@pytest.mark.parametrize("how", ["read-only", "full"])
def test_a_folder_that_takes_nothing_is_still_held_by_one_only(small_disk: Path, how: str) -> None:
    data = small_disk / "data"
    data.mkdir()
    take_away(small_disk, how)
    try:
        with owned(data), pytest.raises(Taken), owned(data):
            pass
        with owned(data):
            pass
    finally:
        give_back(small_disk, how)


def test_a_folder_that_is_not_there_and_cannot_be_made_is_an_error(small_disk: Path) -> None:
    remount(small_disk, "ro")
    try:
        with pytest.raises(OSError, match=os.strerror(errno.EROFS)), owned(small_disk / "data"):
            pass
    finally:
        remount(small_disk, "rw")
