"""A line of sixty detectors in simulated time, through the real engine, pipeline and journal."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from clock import FakeClock

from gateway.board import Board
from gateway.faults import specs
from gateway.model import ANNOUNCED, AlarmClass, Quality, Sample
from gateway.pipeline import Pipeline
from gateway.store import Store
from rules.conditions import AlarmSpec, Context, Limit, Stale
from rules.desk import Desk, Tree
from rules.engine import counted_ids

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence
    from pathlib import Path

    from gateway.model import AlarmEvent
    from gateway.store import Record
    from rules.view import View

DEVICES = tuple(f"gas-{n:02d}" for n in range(60))
LEL = Limit(name="lel-high", point="lel", limit=25.0, level=2, alarm_class=AlarmClass.GAS)
STALE = Stale(name="stale", floor=30.0)
TREE = Tree(
    dict.fromkeys(DEVICES, ("line.bus", 1.0)),
    {"line.bus": ("line.bus", "line-down")},
    ("gateway", "lines-down"),
)


def site_specs(devices: Iterable[str] = DEVICES) -> list[AlarmSpec]:
    """A gas limit and a stale rule for each device, and what the gateway watches of itself."""
    found = [AlarmSpec(device, rule, Context(interval=1.0)) for device in devices for rule in (LEL, STALE)]
    return [*found, *specs(["bus"])]


class Street:
    """The gateway and its clock; `told` is what went outside, over every start."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.told: list[AlarmEvent] = []
        self.happened: list[AlarmEvent] = []
        self.values = dict.fromkeys(DEVICES, 5.0)
        self.mute: dict[str, Quality] = {}
        self.tree = TREE

    @asynccontextmanager
    async def start(self, folder: Path) -> AsyncIterator[None]:
        """Start the gateway on what the journal holds. Leaving it is a kill: nothing is flushed."""
        store = await Store.open(folder, self.clock, synchronous="OFF")
        states = {(key[0], key[1]): state for key, state in (await store.load_states()).items()}
        self.desk = Desk(site_specs(), states, counted_ids(store.epoch), self.clock.now(), self.tree)
        writers = dict.fromkeys(
            [*DEVICES, "gateway", "line.bus"], lambda s: f"gas,device={s.device} q=0i {s.at}"
        )
        self.pipeline = Pipeline(
            self.desk, store, Board(DEVICES), self.clock, writers, lambda e: f"{e.kind}".encode(), self._tell
        )
        try:
            yield
        finally:
            await store.close()

    def _tell(self, events: Sequence[AlarmEvent], _: Sequence[Record]) -> None:
        self.happened += events
        self.told += [event for event in events if event.kind in ANNOUNCED]

    async def live(self, seconds: float) -> None:
        """Let the devices be polled once a second, and the gateway look at itself every five."""
        for second in range(int(seconds)):
            now = self.clock.advance(1.0)
            samples = []
            for n, name in enumerate(DEVICES):
                bad = self.mute.get(name)
                values = {} if bad else {"lel": self.values[name]}
                samples.append(Sample(name, now.wall + n, now.mono, values, {"lel": bad} if bad else {}))
            await self.pipeline.accept(samples)
            if second % 5 == 4:
                down = {
                    "down": self.desk.roots.down_for("line.bus", now.mono),
                    "utilisation": 0.1,
                    "missed": 0,
                }
                await self.pipeline.accept_health([Sample("line.bus", now.wall, now.mono, down)])
            await self.pipeline.tick()
        await self.pipeline.settle()  # the pipeline goes on without a commit that a busy disk holds up

    def outside(self) -> list[str]:
        """What was told since the last call."""
        found = [f"{e.kind} {e.device}/{e.rule}" for e in self.told]
        self.told.clear()
        return found

    def rows(self, letter: str = "H") -> list[View]:
        """The rows that show a letter."""
        return [view for view in self.desk.view() if view.letter == letter]
