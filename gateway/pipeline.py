"""The one way through the gateway: samples in, judged, kept. Nothing here knows of networks or sensors.

Telemetry joins the open group of the journal; what the engine decided is committed at once, events and new
alarm states in one transaction, before anybody is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.model import ANNOUNCED, Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gateway.board import Board
    from gateway.clock import Clock
    from gateway.model import AlarmEvent, Instant, Sample
    from gateway.store.journal import Store
    from rules.actions import Reply
    from rules.engine import Engine


class Counts:
    """What went through since the start."""

    __slots__ = ("announced", "events", "health", "readings", "samples", "steps")

    def __init__(self) -> None:
        self.samples = 0  # of devices; one line of telemetry each
        self.readings = 0  # good values of devices: one field of telemetry each
        self.health = 0  # samples of the gateway and its lines about themselves
        self.events = 0  # alarm events committed
        self.announced = 0  # of these, the ones that are told outside: raise, upgrade, repeat, clear
        self.steps = 0  # anything that went through: what the watchdog is fed with


class Pipeline:
    """Judges and keeps. Calls may overlap: what is judged first is committed first."""

    def __init__(
        self,
        engine: Engine,
        store: Store,
        board: Board,
        clock: Clock,
        lines_of: Mapping[str, Callable[[Sample], str]],
        event_of: Callable[[AlarmEvent], bytes],
        told: Callable[[Sequence[AlarmEvent]], None],
    ) -> None:
        self._engine = engine
        self._store = store
        self._board = board
        self._clock = clock
        self._lines_of = lines_of  # of each device: what writes its samples as a line of telemetry
        self._event_of = event_of
        self._told = told  # called with what is on disk
        self.counts = Counts()

    async def accept(self, samples: Sequence[Sample]) -> None:
        """Judge and keep samples of devices; returns when what was decided is on disk."""
        counts = self.counts
        for sample in samples:
            counts.samples += 1
            counts.readings += len(sample.values)
            self._board.note(sample)
            self._store.add(self._lines_of[sample.device](sample).encode(), 1, sample.at)
        await self._judge(samples)

    async def accept_health(self, samples: Sequence[Sample]) -> None:
        """Judge and keep what the gateway says about itself."""
        for sample in samples:
            self.counts.health += 1
            self._store.add(self._lines_of[sample.device](sample).encode(), 1, sample.at)
        await self._judge(samples)

    async def tick(self) -> float | None:
        """Let time pass for the engine; return the monotonic second of its next deadline."""
        await self._commit(self._engine.tick(self._clock.now()))
        return self._engine.next_deadline()

    async def act(self, action: Callable[[Engine, Instant], Reply]) -> Answer:
        """Let a person do something to an alarm; the answer comes when it is on disk."""
        reply = action(self._engine, self._clock.now())
        await self._commit(reply.events)
        return Answer("", reply.outcome, reply.reason)

    async def _judge(self, samples: Sequence[Sample]) -> None:
        events = self._engine.observe(samples, self._clock.now())
        self.counts.steps += 1
        await self._commit(events)

    async def _commit(self, events: Sequence[AlarmEvent]) -> None:
        states = self._engine.take_dirty()
        if events or states:
            await self._store.commit_alarms([self._event_of(event) for event in events], states)
            self.counts.events += len(events)
            self.counts.announced += sum(event.kind in ANNOUNCED for event in events)
            self._told(events)
