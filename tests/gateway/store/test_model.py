"""The journal against a list: whatever is done to it, it holds what a list would hold."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
from clock import FakeClock
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from journals import everything, killed, noise

from gateway.store import Cursor, Gap, Lane, Limits, Place, Record, Store

if TYPE_CHECKING:
    from collections.abc import Coroutine

LINKS = ("mqtt", "centre")
LIMITS = Limits(segment=24_000, max_bytes=100_000, settle=0.0, group_bytes=8000)
WAYS = st.sampled_from([(link, lane) for link in LINKS for lane in Lane])


class Journal(RuleBasedStateMachine):
    """`held` is the list of what exists on disk; `left` what each link has not confirmed of it."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.base = Path(tempfile.mkdtemp(prefix="tocsin-model-"))
        self.data = self.base / "0"
        self.clock = FakeClock()
        self.held: dict[Lane, dict[Place, tuple[int, bytes]]] = {lane: {} for lane in Lane}
        self.left: dict[tuple[str, Lane], set[Place]] = {(n, lane): set() for n in LINKS for lane in Lane}
        self.states: dict[tuple[str, ...], object] = {}
        self.groups: list[bytes] = []  # closed, not flushed
        self.lines: list[bytes] = []  # of the open group
        self.serial = 0
        self.counts: list[int] = []
        self.counted = 0
        self.gaps = 0
        self.start()

    def do(self, what: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(what)

    async def committed(self, events: list[bytes], states: list[tuple[tuple[str, ...], Any]]) -> list[Record]:
        return await self.store.commit_alarms(events, states)

    def start(self) -> None:
        self.store: Store = self.do(Store.open(self.data, self.clock, LIMITS))
        self.cursors: dict[tuple[str, Lane], Cursor] = {
            way: self.do(self.store.cursor(*way)) for way in self.left
        }
        self.groups, self.lines = [], []
        self.seq = dict.fromkeys(Lane, 0)

    def grew(self, lane: Lane, count: int, payload: bytes) -> None:
        self.seq[lane] += 1
        place = (self.store.epoch, self.seq[lane])
        self.held[lane][place] = (count, payload)
        for link in LINKS:
            self.left[link, lane].add(place)

    @rule(count=st.integers(0, 4), key=st.integers(0, 2), gone=st.booleans())
    def commit(self, count: int, key: int, gone: bool) -> None:
        self.serial += 1
        events = [b'{"n": %d, "i": %d}' % (self.serial, i) for i in range(count)]
        name = ("device", f"rule-{key}")
        state = None if gone else {"n": self.serial}
        records = self.do(self.committed(events, [(name, state)]))
        for event in events:
            self.grew(Lane.ALARM, 1, event)
        assert [r.place for r in records] == list(self.held[Lane.ALARM])[
            -count or len(self.held[Lane.ALARM]) :
        ]
        assert all(r.durable for r in records)
        if gone:
            self.states.pop(name, None)
        else:
            self.states[name] = state

    @rule(size=st.integers(1, 9000), count=st.integers(1, 50))
    def add(self, size: int, count: int) -> None:
        self.serial += 1
        self.clock.advance(1)
        lines = noise(size, self.serial) + b"\n"
        self.store.add(lines, count, self.clock.now().wall)
        self.lines.append(lines)
        self.counted = self.counted + count
        if sum(map(len, self.lines)) >= LIMITS.group_bytes:
            self.close_group()

    def close_group(self) -> None:
        if self.lines:
            self.groups.append(b"".join(self.lines))
            self.counts = [*self.counts, self.counted]
            self.lines, self.counted = [], 0

    @rule()
    def flush(self) -> None:
        self.do(self.store.flush())
        self.close_group()
        for payload, count in zip(self.groups, self.counts, strict=True):
            self.grew(Lane.TELEMETRY, count, payload)
        self.groups, self.counts = [], []

    @rule(way=WAYS, first=st.integers(1, 12), length=st.integers(0, 8), back=st.integers(0, 2))
    def confirm(self, way: tuple[str, Lane], first: int, length: int, back: int) -> None:
        epoch, last = max(1, self.store.epoch - back), first + length
        news = {place for place in self.left[way] if place[0] == epoch and first <= place[1] <= last}
        if epoch == self.store.epoch and last > self.seq[way[1]]:
            news = set()  # never issued: not ours
        assert self.do(self.cursors[way].confirm(epoch, [(first, last)])) == len(news)
        self.left[way] -= news

    @rule(way=WAYS, epoch=st.integers(1, 1000), seq=st.integers(1, 1000))
    def confirm_what_was_never_issued(self, way: tuple[str, Lane], epoch: int, seq: int) -> None:
        assert self.do(self.cursors[way].confirm(self.store.epoch + epoch, [(1, seq)])) == 0

    @rule(way=WAYS)
    def confirm_all(self, way: tuple[str, Lane]) -> None:
        for epoch, seq in sorted(self.left[way]):
            assert self.do(self.cursors[way].confirm(epoch, [(seq, seq)])) == 1
            assert self.do(self.cursors[way].confirm(epoch, [(seq, seq)])) == 0
        self.left[way] = set()

    @rule()
    def keep_bounds(self) -> None:
        """Whatever goes while somebody waits for it stands in a gap record, and nothing else does."""
        self.do(self.store.upkeep())
        there = set(self.do(self.on_disk()))
        lane = Lane.TELEMETRY
        waited = {p for link in LINKS for p in self.left[link, lane]}
        gone = {p for p in self.held[lane] if p not in there}
        told = {(g.epoch, s) for g in self.new_gaps() for s in range(g.first, g.last + 1)}
        assert told == gone & waited
        assert sorted(self.held[lane])[: len(gone)] == sorted(gone)  # oldest first
        assert self.store.health.size <= LIMITS.max_bytes or self.store.health.segments == 1
        for place in gone:
            del self.held[lane][place]
        for link in LINKS:
            self.left[link, lane] -= gone

    async def on_disk(self) -> list[Place]:
        epochs = sorted({p[0] for p in self.held[Lane.TELEMETRY]})
        spans = self.store._core.telemetry.book.exists
        return [p for p in self.held[Lane.TELEMETRY] if p[0] in epochs and (p[0] << 36 | p[1]) in spans]

    def new_gaps(self) -> list[Gap]:
        gaps: list[Gap] = self.do(self.store.gaps(1000))
        new = gaps[: len(gaps) - self.gaps]
        self.gaps = len(gaps)
        return new

    @rule()
    def restart(self) -> None:
        self.do(self.store.close())
        self.close_group()
        for payload, count in zip(self.groups, self.counts, strict=True):
            self.grew(Lane.TELEMETRY, count, payload)
        self.counts = []
        self.start()

    @rule()
    def kill(self) -> None:
        """Nothing acknowledged is lost; confirmations may be, and then the records come again."""
        self.serial += 1
        copy = killed(self.data, self.base / str(self.serial))
        self.do(self.store.close())
        shutil.rmtree(self.data)
        self.data = copy
        self.counts, self.counted = [], 0
        self.start()
        for (link, lane), cursor in self.cursors.items():
            back = {r.place for r in self.do(everything(cursor))}
            assert self.left[link, lane] <= back <= set(self.held[lane])
            self.left[link, lane] = back

    @invariant()
    def it_holds_what_the_list_holds(self) -> None:
        for (link, lane), cursor in self.cursors.items():
            wanted = sorted(self.left[link, lane])
            found = self.do(everything(cursor))
            assert [r.place for r in found] == wanted
            assert [(r.count, r.payload) for r in found] == [self.held[lane][p] for p in wanted]
            newest = self.do(cursor.read_newest(3))
            assert [r.place for r in newest] == wanted[::-1][:3]
            assert (cursor.backlog.records, cursor.backlog.rows) == (len(found), sum(r.count for r in found))
            assert (cursor.backlog.oldest is None) == (not wanted)
        assert self.do(self.store.load_states()) == self.states

    def teardown(self) -> None:
        self.do(self.store.close())
        self.runner.close()
        shutil.rmtree(self.base)


Journal.TestCase.settings = settings(
    max_examples=12,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking runs real fsyncs for minutes
)
TestJournal = Journal.TestCase
