"""Judge, keep, tell: in this order, whatever overlaps and whoever stops waiting."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from clock import FakeClock
from journals import opened

from gateway.board import Board
from gateway.model import EventKind, Outcome, Quality, Sample
from gateway.pipeline import PATIENCE, Pipeline
from gateway.store import Record
from gateway.store.records import Lane
from rules.actions import Ack
from rules.conditions import AlarmSpec, Context, Limit
from rules.engine import Engine, counted_ids

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gateway.model import AlarmEvent

LIMIT = Limit(name="high", point="lel", limit=25.0, level=2, on_delay=0.0, off_delay=0.0)


class HeldStore:
    """A store whose commits end when the test lets them."""

    def __init__(self, *, durable: bool = True, held: bool = False) -> None:
        self.lines: list[bytes] = []
        self.commits: list[tuple[list[bytes], int]] = []
        self.gate = asyncio.Event()
        self.bell = asyncio.Event()
        self.durable = durable
        if not held:
            self.gate.set()

    def add(self, lines: bytes, count: int, at: int) -> None:
        self.lines.append(lines)

    async def begun(self) -> None:
        """Wait until a commit has begun since the last time."""
        async with asyncio.timeout(5):
            await self.bell.wait()
        self.bell.clear()

    async def commit_alarms(
        self, events: Sequence[bytes], states: Sequence[Any], **_: object
    ) -> list[Record]:
        self.commits.append((list(events), len(states)))
        self.bell.set()
        await self.gate.wait()
        return [Record(Lane.ALARM, 1, n, 1, e, 0, durable=self.durable) for n, e in enumerate(events)]


class Bench:
    def __init__(self, store: Any) -> None:
        self.clock = FakeClock()
        self.store = store
        self.told: list[AlarmEvent] = []
        self.durable_when_told: list[int] = []
        specs = [AlarmSpec(d, LIMIT, Context("%LEL", {}, 1.0)) for d in ("a", "b")]
        self.engine = Engine(specs, {}, counted_ids(1), self.clock.now())
        writers = dict.fromkeys(("a", "b", "gateway"), lambda s: f"gas,device={s.device} q=0i {s.at}")
        self.pipeline = Pipeline(
            self.engine, store, Board(["a", "b"]), self.clock, writers, self.encode, self.tell
        )

    def tell(self, events: Sequence[AlarmEvent], records: Sequence[Record]) -> None:
        assert [record.payload for record in records] == [self.encode(event) for event in events]
        self.told.extend(events)

    @staticmethod
    def encode(event: AlarmEvent) -> bytes:
        return f"{event.kind} {event.device}".encode()

    def sample(self, device: str, lel: float) -> Sample:
        now = self.clock.advance(1.0)
        return Sample(device, now.wall, now.mono, {"lel": lel})


async def test_nobody_is_told_before_it_is_on_disk() -> None:
    bench = Bench(HeldStore(held=True))
    accepting = asyncio.ensure_future(bench.pipeline.accept([bench.sample("a", 30)]))
    await bench.store.begun()
    await asyncio.sleep(0)
    assert not bench.told
    assert not accepting.done()
    bench.store.gate.set()
    await accepting
    assert [event.kind for event in bench.told] == [EventKind.RAISE]


async def test_a_real_journal_holds_the_event_when_it_is_told(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        bench = Bench(store)
        await bench.pipeline.accept([bench.sample("a", 30)])
        assert [record.payload for record in await store.events()] == [b"raise a"]
        assert (await store.load_states()).keys() == {("a", "high")}


async def test_what_is_judged_first_is_committed_and_told_first() -> None:
    bench = Bench(HeldStore(held=True))
    samples = [bench.sample("a", 30), bench.sample("b", 40), bench.sample("a", 1), bench.sample("b", 1)]
    waiting = [asyncio.ensure_future(bench.pipeline.accept([sample])) for sample in samples]
    await asyncio.sleep(0.01)
    bench.store.gate.set()
    await asyncio.gather(*waiting)
    wanted = [[b"raise a"], [b"raise b"], [b"clear a"], [b"clear b"]]
    assert [events for events, _ in bench.store.commits] == wanted
    assert [bench.encode(event) for event in bench.told] == [event for (event,) in wanted]


async def test_a_caller_that_gives_up_leaves_nothing_untold_and_nothing_uncounted() -> None:
    bench = Bench(HeldStore(held=True))
    accepting = asyncio.ensure_future(bench.pipeline.accept([bench.sample("a", 30)]))
    await bench.store.begun()
    accepting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await accepting
    settling = asyncio.ensure_future(bench.pipeline.settle())
    await asyncio.sleep(0)
    assert not settling.done()
    bench.store.gate.set()
    await settling
    assert [event.kind for event in bench.told] == [EventKind.RAISE]
    assert bench.pipeline.counts.events == 1


async def test_nothing_is_committed_when_nothing_changed() -> None:
    bench = Bench(HeldStore())
    await bench.pipeline.accept([bench.sample("a", 1)])  # the first good value lifts "unverified"
    bench.store.commits.clear()
    for _ in range(5):
        await bench.pipeline.accept([bench.sample("a", 1)])
        await bench.pipeline.tick()
    assert bench.store.commits == []
    assert len(bench.store.lines) == 6


async def test_health_is_kept_and_judged_but_is_no_reading() -> None:
    bench = Bench(HeldStore())
    now = bench.clock.now()
    await bench.pipeline.accept_health([Sample("gateway", now.wall, now.mono, {"rss": 1, "cpu": 0.5})])
    bench.pipeline.keep_health("device_health,device=a age=1 1", 1)
    counts = bench.pipeline.counts
    assert (counts.samples, counts.readings, counts.health) == (0, 0, 2)
    assert len(bench.store.lines) == 2


async def test_good_values_are_readings_and_bad_ones_are_not() -> None:
    bench = Bench(HeldStore())
    now = bench.clock.now()
    sample = Sample("a", now.wall, now.mono, {"lel": 1.0, "x": 2}, {"y": Quality.SENTINEL})
    await bench.pipeline.accept([sample])
    assert (bench.pipeline.counts.samples, bench.pipeline.counts.readings) == (1, 2)


async def test_an_alarm_that_the_disk_refused_is_told_all_the_same() -> None:
    bench = Bench(HeldStore(durable=False))
    await bench.pipeline.accept([bench.sample("a", 30)])
    assert [event.kind for event in bench.told] == [EventKind.RAISE]


async def test_a_disk_that_hangs_is_no_progress_for_the_watchdog() -> None:
    bench = Bench(HeldStore(held=True))
    accepting = asyncio.ensure_future(bench.pipeline.accept([bench.sample("a", 30)]))
    await bench.store.begun()
    before = bench.pipeline.counts.steps
    await bench.pipeline.accept([bench.sample("b", 1)][:0])
    assert bench.pipeline.counts.steps == before
    bench.store.gate.set()
    await accepting
    assert bench.pipeline.counts.steps > before


async def test_an_ack_is_answered_when_it_is_on_disk() -> None:
    bench = Bench(HeldStore())
    await bench.pipeline.accept([bench.sample("a", 30)])
    occurrence = bench.told[0].occurrence
    bench.store.gate.clear()
    bench.store.bell.clear()
    acting = asyncio.ensure_future(
        bench.pipeline.act(
            lambda engine, now: engine.act(("a", "high"), Ack(occurrence, 1, actor="wang"), now)
        )
    )
    await bench.store.begun()
    assert not acting.done()
    bench.store.gate.set()
    assert (await acting).outcome is Outcome.DONE
    assert bench.store.commits[-1][0] == [b"ack a"]


async def test_a_disk_that_hangs_holds_measuring_up_for_no_more_than_its_patience() -> None:
    bench = Bench(HeldStore(held=True))
    with_patience = asyncio.get_running_loop().time()
    await bench.pipeline.accept([bench.sample("a", 40.0)])
    assert asyncio.get_running_loop().time() >= with_patience + PATIENCE - 0.01
    assert bench.told == [], "but nobody is told before it is on disk"
    bench.store.gate.set()
    assert await bench.pipeline.settle()
    assert [event.kind for event in bench.told] == [EventKind.RAISE]


async def test_who_waits_for_the_disk_with_a_time_limit_takes_no_commit_along() -> None:
    bench = Bench(HeldStore(held=True))
    accepting = asyncio.create_task(bench.pipeline.accept([bench.sample("a", 40.0)]))
    await bench.store.begun()
    assert await bench.pipeline.settle(0.01) is False
    waiting = asyncio.create_task(bench.pipeline.settle())
    await asyncio.sleep(0)
    waiting.cancel()
    bench.store.gate.set()
    await accepting
    assert [event.kind for event in bench.told] == [EventKind.RAISE]


def broken(events: Sequence[AlarmEvent], records: Sequence[Record]) -> None:
    """Tell nobody: a bug."""
    raise ZeroDivisionError


async def test_a_bug_in_a_commit_that_nobody_waits_for_comes_out_at_the_next() -> None:
    bench = Bench(HeldStore(held=True))
    accepting = asyncio.create_task(bench.pipeline.accept([bench.sample("a", 40.0)]))
    await bench.store.begun()
    accepting.cancel()
    bench.pipeline._told = broken
    bench.store.gate.set()
    with pytest.raises(ZeroDivisionError):
        await bench.pipeline.settle()
    with pytest.raises(ZeroDivisionError):
        await bench.pipeline.accept([bench.sample("b", 1.0)])
