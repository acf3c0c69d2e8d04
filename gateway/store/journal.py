"""The journal as the rest of the gateway sees it: an async face over one thread."""

from __future__ import annotations

import asyncio
import json
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar

from gateway.store import audit
from gateway.store.chain import Head
from gateway.store.core import Core
from gateway.store.cursor import Cursor
from gateway.store.groups import Groups
from gateway.store.history import History, Stretch, history
from gateway.store.records import Gap, Lane, Limits, Place, Record, StoreHealth, row_id
from gateway.store.worker import Turn, Worker

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from gateway.clock import Clock
    from gateway.store.audit import Entry, Proof

P = ParamSpec("P")
T = TypeVar("T")

_DEFAULTS = Limits()
_EVENTS_AT_ONCE = 1000
_EVENTS_SIZE = 4 << 20  # bytes of one answer


class Store:
    """Everything that must survive a power cut, and who has confirmed what.

    What `commit_alarms` returned is on disk, or says `durable=False`. Telemetry is on disk after the
    next group (2 s) or `flush`. The disk's refusals never reach the caller: see `health`.
    """

    def __init__(self, core: Core, worker: Worker, clock: Clock, limits: Limits) -> None:
        self._core = core
        self._worker = worker
        self._clock = clock
        self._limits = limits
        self._data = Path()
        self._groups = Groups(limits.group_bytes, limits.waiting_bytes)
        self._full = asyncio.Event()
        self._one_flush = asyncio.Lock()
        self._readers = asyncio.Semaphore(2)  # history is read by at most two threads at once
        self._cursors: list[Cursor] = []
        self._health = StoreHealth()

    @classmethod
    async def open(
        cls, data: Path, clock: Clock, limits: Limits = _DEFAULTS, *, synchronous: str = "FULL"
    ) -> Store:
        """Open the journal and begin a new epoch. A damaged file or a full disk is no reason not to start.

        `synchronous` is there for the tests' control: anything but FULL loses data at a power cut.
        Raises OSError only when the data folder cannot be made at all.
        """
        worker = Worker()
        await asyncio.to_thread(_make_private, data)
        core = Core(data, limits, synchronous)
        store = cls(core, worker, clock, limits)
        store._data = data
        await store._do(Turn.ALARM, core.open, clock.now())
        return store

    @property
    def epoch(self) -> int:
        """The number of this run."""
        return self._core.epoch

    @property
    def health(self) -> StoreHealth:
        """How the journal is, as of its last job."""
        return self._health

    def _do(self, turn: Turn, job: Callable[P, T], *args: P.args, **named: P.kwargs) -> Awaitable[T]:
        """Queue a job now, not when somebody awaits it: what is decided first is written first."""

        def run() -> tuple[T, StoreHealth]:
            return job(*args, **named), self._core.health()

        return self._done(self._worker.do(turn, run))

    async def _done(self, job: asyncio.Future[tuple[T, StoreHealth]]) -> T:
        result, self._health = await job
        for cursor in self._cursors:
            cursor.backlog = self._health.backlog[cursor.link, cursor.lane]
        return result

    # -- alarms ----------------------------------------------------------------------------------

    async def load_states(self) -> dict[tuple[str, ...], Any]:
        """Return the alarm states as they were committed last."""
        return await self._do(Turn.ALARM, self._core.alarms.states)

    def commit_alarms(
        self,
        events: Sequence[bytes],
        states: Sequence[tuple[tuple[str, ...], Any | None]],
        at: int | None = None,
        deeds: Sequence[bytes] = (),
        small: Mapping[str, str] | None = None,
    ) -> Awaitable[list[Record]]:
        """Put events and the alarm states they lead to on disk, in one transaction; None deletes a state.

        It is under way when this returns; the records can be had when they are on disk.

        `at` is the wall time of the events, by default now; `deeds` are entries of the audit (JSON) that led
        to them; `small` are small values, see `put`.
        """
        texts = {key: None if state is None else json.dumps(state) for key, state in states}
        wall = self._clock.now().wall if at is None else at
        kept = {f"user.{key}": value for key, value in (small or {}).items()}
        return self._awoken(self._do(Turn.ALARM, self._core.alarms.commit, events, texts, wall, deeds, kept))

    async def _awoken(self, commit: Awaitable[list[Record]]) -> list[Record]:
        records = await commit
        self._wake(Lane.ALARM)
        return records

    async def get(self, key: str) -> str | None:
        """Return a small value."""
        return await self._do(Turn.LINK, self._core.alarms.small, f"user.{key}")

    async def put(self, key: str, value: str) -> bool:
        """Keep a small value; tell whether it is on disk (else it is tried again)."""
        return await self._do(Turn.ALARM, self._core.alarms.note, (), {f"user.{key}": value})

    async def events(self, *, since: int = 0, before: Place | None = None, limit: int = 200) -> list[Record]:
        """Return events, newest first: older than `before`, not older than `since` (wall nanoseconds)."""
        last = row_id(*before) - 1 if before else (1 << 62)
        limit = min(limit, _EVENTS_AT_ONCE)
        records = await self._do(Turn.LINK, self._core.events, last, limit, _EVENTS_SIZE)
        return [record for record in records if record.at >= since]

    async def gaps(self, limit: int = 100) -> list[Gap]:
        """Return the newest gap records, newest first."""
        return await self._do(Turn.LINK, self._core.alarms.gaps, limit)

    # -- telemetry -------------------------------------------------------------------------------

    def add(self, lines: bytes, count: int, at: int) -> None:
        """Take lines of line protocol of the wall time `at`; in memory until their group is written."""
        if self._groups.add(lines, count, at):
            self._full.set()

    async def flush(self) -> None:
        """Close the open group and put all groups on disk; what the disk refuses waits for the next time."""
        async with self._one_flush:
            self._groups.close()
            lost = self._groups.take_lost()
            if lost:
                await self._do(Turn.GROUP, self._core.lose, lost, self._clock.now().wall)
            while self._groups.waiting:
                group = self._groups.waiting[0]
                if not group.body:
                    group.body = await asyncio.to_thread(zlib.compress, group.lines)
                if not await self._do(Turn.GROUP, self._core.append, group):
                    break
                self._groups.stored()
                self._wake(Lane.TELEMETRY)

    async def run(self) -> None:
        """Write groups as they fall due, keep the bounds, retry what the disk refused; until cancelled."""
        while True:
            try:
                async with asyncio.timeout(self._limits.group):
                    await self._full.wait()
            except TimeoutError:
                pass  # a group is also due by time
            self._full.clear()
            await self.flush()
            await self.upkeep()

    async def upkeep(self) -> None:
        """Do once what `run` does after each group."""
        while await self._do(Turn.UPKEEP, self._core.upkeep, self._clock.now(), len(self._groups.waiting)):
            pass  # old events go a few at a time, so that an alarm can pass in between

    async def history(self, device: str, since: int, until: int, limit: int = 5000) -> History:
        """Return the newest `limit` lines of a device between two wall times, oldest first."""
        stretches = await self._do(Turn.LINK, self._stretches)
        async with self._readers:
            return await asyncio.to_thread(history, stretches, device, since, until, limit)

    def _stretches(self) -> list[Stretch]:
        return [Stretch(s.path, s.since, s.until) for s in self._core.telemetry.segments if s.spans]

    # -- the audit -------------------------------------------------------------------------------

    async def audit(self, after: int | None, limit: int) -> list[Entry]:
        """Return entries of the audit above a number, oldest first; None: the newest. Raises StoreError."""

        def read() -> list[Entry]:
            with audit.opened(self._data) as db:
                start = audit.newest(db, limit) if after is None else after
                return list(audit.entries(db, start, limit))

        return await asyncio.to_thread(read)

    async def prove(self, heads: Iterable[Head] = ()) -> Proof:
        """Walk through the whole audit, up to the newest entry this run wrote. Raises StoreError."""
        n, digits = self._health.audit
        known = [Head(n, bytes.fromhex(digits))] if digits else []

        def read() -> Proof:
            with audit.opened(self._data) as db:
                return audit.prove(db, [*heads, *known])

        async with self._readers:
            return await asyncio.to_thread(read)

    # -- links -----------------------------------------------------------------------------------

    async def cursor(self, link: str, lane: Lane, *, start: Literal["oldest", "newest"] = "oldest") -> Cursor:
        """Let the records of a lane wait for a link from now on. To be called before `run` begins.

        A link that was here before goes on where it was; a new one starts with the oldest record
        there is, or with what comes from now on.
        """
        await self._do(Turn.LINK, self._core.register, link, lane, newest=start == "newest")
        cursor = Cursor(link, lane, self._core, self._do)
        cursor.backlog = self._health.backlog[link, lane]
        self._cursors.append(cursor)
        return cursor

    def _wake(self, lane: Lane) -> None:
        for cursor in self._cursors:
            if cursor.lane is lane:
                cursor.wake.set()

    async def close(self) -> None:
        """Put everything on disk and let go of the files."""
        await self.flush()
        await self._worker.do(Turn.UPKEEP, self._core.close)
        self._worker.close()


def _make_private(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if folder.stat().st_mode & 0o077:
        folder.chmod(0o700)
