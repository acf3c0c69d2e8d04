"""The one way through the gateway: samples in, judged, kept. Nothing here knows of networks or sensors.

Telemetry joins the open group of the journal; what the engine decided is committed at once, events and new
alarm states in one transaction, before anybody is told.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from gateway.model import ANNOUNCED, Answer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from gateway.board import Board
    from gateway.clock import Clock
    from gateway.model import AlarmEvent, Instant, Sample
    from gateway.store.journal import Store
    from gateway.store.records import Record
    from rules.actions import Reply
    from rules.engine import Engine


class Deed(NamedTuple):
    """What is written down of what a person did: the entry of the audit (JSON), and small values with it."""

    entry: bytes
    small: Mapping[str, str]


NOTHING = Deed(b"", {})
PATIENCE = (
    0.5  # seconds that measuring waits for a disk that hangs: a line that waits carries no orders either
)
MOST_BEHIND = 64  # commits that may hang while measuring goes on; then it waits


class Counts:
    """What went through since the start."""

    __slots__ = ("announced", "events", "health", "readings", "rows", "samples", "steps")

    def __init__(self) -> None:
        self.samples = 0  # of devices
        self.rows = 0  # lines of telemetry of these: one each, or one for the device and each of its ports
        self.readings = 0  # good values of devices: one field of telemetry each
        self.health = 0  # lines of telemetry of the gateway about itself, its lines and its devices
        self.events = 0  # alarm events committed
        self.announced = 0  # of these, the ones that are told outside: raise, upgrade, repeat, clear
        self.steps = 0  # anything that went all the way through: what the watchdog is fed with


class Pipeline:
    """Judges and keeps. Calls may overlap: what is judged first is committed and told first."""

    def __init__(
        self,
        engine: Engine,
        store: Store,
        board: Board,
        clock: Clock,
        lines_of: Mapping[str, Callable[[Sample], str]],
        event_of: Callable[[AlarmEvent], bytes],
        told: Callable[[Sequence[AlarmEvent], Sequence[Record]], None],
    ) -> None:
        self._engine = engine
        self._store = store
        self._board = board
        self._clock = clock
        self._lines_of = lines_of  # of each device: what writes its samples as a line of telemetry
        self._event_of = event_of
        self._told = told  # called with what is on disk
        self._commits: set[asyncio.Task[None]] = set()
        self._bug: BaseException | None = None  # of a commit that nobody waited for
        self.counts = Counts()

    async def accept(self, samples: Sequence[Sample]) -> None:
        """Judge and keep samples of devices; returns when what was decided is on disk, or the disk hangs."""
        for sample in samples:
            self._board.note(sample)
        deciding = self._judge(samples)  # what is decided goes to the disk while the rest is done
        counts = self.counts
        for sample in samples:
            counts.samples += 1
            counts.readings += len(sample.values)
            counts.rows += self._keep(self._lines_of[sample.device](sample), sample.at)
        if deciding is not None:
            await self._wait(deciding, PATIENCE)

    async def accept_health(self, samples: Sequence[Sample]) -> None:
        """Judge and keep what the gateway says about itself."""
        deciding = self._judge(samples)
        for sample in samples:
            self.keep_health(self._lines_of[sample.device](sample), sample.at)
        if deciding is not None:
            await self._wait(deciding, PATIENCE)

    def keep_health(self, line: str, at: int) -> None:
        """Keep a line of health that no rule judges."""
        self.counts.health += 1
        self._keep(line, at)

    async def stretch(self, device: str, cycle: float) -> None:
        """Let the engine know the seconds between samples of a device as it is really polled."""
        await self._commit(self._engine.stretch(device, cycle))

    async def relabel(self, seconds: float) -> None:
        """Put right what was labelled by a clock that was so far behind."""
        self._engine.relabel(seconds)
        await self._commit(())

    async def tick(self) -> float | None:
        """Let time pass for the engine; return the monotonic second of its next deadline."""
        await self._commit(self._engine.tick(self._clock.now()), patience=PATIENCE)
        return self._engine.next_deadline()

    async def act(
        self, action: Callable[[Engine, Instant], Reply], deed: Callable[[Reply], Deed] | None = None
    ) -> Answer:
        """Let a person do something to alarms; the answer comes when it is on disk.

        `deed` says afterwards what is written down of it, in the same transaction.
        """
        reply = action(self._engine, self._clock.now())
        await self._commit(reply.events, deed(reply) if deed else NOTHING)
        return Answer("", reply.outcome, reply.reason)

    async def note(self, deed: Deed) -> None:
        """Write down what a person did, or was refused, that changed no alarm."""
        await self._commit((), deed)

    async def settle(self, patience: float | None = None) -> bool:
        """Return True when everything decided so far is on disk and told, whoever stopped waiting for it.

        False: `patience` (seconds) was over before.
        """
        while self._commits:
            # Not `gather`: who is cancelled here must not take a commit along that others wait for.
            await asyncio.wait(set(self._commits), timeout=patience)
            if self._commits and patience is not None:
                return False
        self._raise_bug()
        return True

    def _keep(self, lines: str, at: int) -> int:
        """Keep the lines of a sample, several where a device has ports; return how many."""
        rows = lines.count("\n") + 1
        self._store.add(lines.encode(errors="replace"), rows, at)
        return rows

    def _judge(self, samples: Sequence[Sample]) -> asyncio.Task[None] | None:
        """Judge; return what puts on disk what was decided, None when that is nothing."""
        events = self._engine.observe(samples, self._clock.now())
        if not self._commits:  # while a commit hangs, only its end is progress
            self.counts.steps += 1
        if events or self._engine.dirty:
            return self._begin(events, NOTHING)
        self._raise_bug()
        return None

    async def _commit(
        self, events: Iterable[AlarmEvent], deed: Deed = NOTHING, patience: float | None = None
    ) -> None:
        """Put on disk what was decided, and tell it; return when that is done, or `patience` is over."""
        task = self._begin(list(events), deed)
        if task is not None:
            await self._wait(task, patience)

    def _begin(self, events: Sequence[AlarmEvent], deed: Deed) -> asyncio.Task[None] | None:
        """Begin to put on disk what was decided, and to tell it then; None when there is nothing."""
        self._raise_bug()
        states = self._engine.take_dirty()
        if not events and not states and not deed.entry and not deed.small:
            return None
        entries = [deed.entry] if deed.entry else []
        commit = self._store.commit_alarms(
            [self._event_of(event) for event in events], states, deeds=entries, small=deed.small
        )
        # A task of its own: a caller that is cancelled (a line that stops, a client that hangs up) must
        # not leave an event that is on disk but was never told.
        task = asyncio.create_task(self._tell(events, commit), name="commit")
        self._commits.add(task)
        task.add_done_callback(self._ended)
        return task

    async def _wait(self, task: asyncio.Task[None], patience: float | None) -> None:
        """Wait for the end of a commit, or until `patience` is over."""
        if patience is not None and len(self._commits) <= MOST_BEHIND:
            await asyncio.wait({task}, timeout=patience)
            if not task.done():
                return
        await asyncio.shield(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._commits.discard(task)
        if not task.cancelled():
            self._bug = self._bug or task.exception()

    def _raise_bug(self) -> None:
        """Let a bug in a commit end the process, also when nobody waited for that commit."""
        if self._bug is not None:
            raise self._bug

    async def _tell(self, events: Sequence[AlarmEvent], commit: Awaitable[Sequence[Record]]) -> None:
        """Tell what was decided once it is on disk; commits end in the order in which they were begun."""
        records = await commit
        counts = self.counts
        counts.steps += 1
        counts.events += len(events)
        counts.announced += sum(event.kind in ANNOUNCED for event in events)
        if events:
            self._told(events, records)
