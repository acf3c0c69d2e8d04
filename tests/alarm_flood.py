"""A flood of alarms through the real engine and the real journal, in a process that a test kills.

    python alarm_flood.py DATA FROM ALARMS one|two

Plays the flood from step FROM on; says `E epoch` when it is ready and `S step` when all of a step is on disk.
A receiver of events is part of it: what it was sent stands in DATA/delivered, an event a line, repeats and
all. `two` is the control: states and events in two transactions.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from clock import FakeClock

from gateway.links import encode
from gateway.model import AlarmClass, Outcome, Sample
from gateway.store import Lane, Store
from rules.actions import Ack, Reset
from rules.conditions import AlarmSpec, Context, Limit
from rules.engine import Engine, counted_ids

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gateway.model import AlarmEvent
    from rules.actions import Action
    from rules.rule import AlarmKey

RULE = "high"
LONG = 1_000_000.0  # seconds between samples that are taken for normal: only the flood is in question
WAVE = 40  # devices that begin in one step
STANDS = 12  # steps from the first true sample to the first false one
SEEN = 8  # steps from there until somebody acknowledges
TOPICS = encode.Topics("site", "gw")
NOBODY = encode.Facts("trial")


@dataclass(frozen=True)
class Flood:
    """Who is above the limit when: a third are faults, a third wait for a person, a third latch."""

    alarms: int
    begins: list[int] = field(init=False)

    def __post_init__(self) -> None:
        chance = random.Random(self.alarms)
        steps = max(1, self.alarms // WAVE)
        object.__setattr__(self, "begins", [chance.randrange(1, steps + 1) for _ in range(self.alarms)])

    @property
    def steps(self) -> int:
        return max(self.begins) + STANDS + SEEN + 10

    def name(self, i: int) -> str:
        return f"d{i:05d}"

    def specs(self) -> list[AlarmSpec]:
        return [AlarmSpec(self.name(i), self.rule(i), Context(interval=LONG)) for i in range(self.alarms)]

    def rule(self, i: int) -> Limit:
        kind = (
            {"level": 0, "alarm_class": AlarmClass.FAULT, "auto_ack": True},
            {"level": 3},
            {"level": 1, "alarm_class": AlarmClass.GAS},
        )[i % 3]
        return Limit(name=RULE, point="p", limit=50.0, on_delay=2.0, off_delay=2.0, **kind)

    def value(self, i: int, step: int) -> float:
        return 60.0 if self.begins[i] <= step < self.begins[i] + STANDS else 10.0

    def changing(self, step: int) -> list[int]:
        """Return whose value has just changed."""
        return [i for i, begin in enumerate(self.begins) if step in {begin, begin + STANDS}]

    def attended(self, step: int) -> list[int]:
        """Return whose alarms somebody attends to by now."""
        return [i for i, begin in enumerate(self.begins) if i % 3 and begin + STANDS + SEEN <= step]


class Run:
    """One life of the process."""

    def __init__(self, flood: Flood, store: Store, engine: Engine, clock: FakeClock, *, whole: bool) -> None:
        self.flood, self.store, self.engine, self.clock = flood, store, engine, clock
        self.whole = whole
        self.waiting: set[int] = set()  # for a person

    async def play(self, start: int, data: Path) -> None:
        cursor = await self.store.cursor("people", Lane.ALARM)
        self.waiting = set(self.flood.attended(start - 1))
        delivered = os.open(data / "delivered", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        for step in range(start, self.flood.steps + 1):
            touched = range(self.flood.alarms) if step == start else self.flood.changing(step)
            await self.keep(self.look(touched, step))
            await self.keep(self.engine.tick(self.clock.now()))
            await self.attend(step)
            while records := await cursor.read():
                os.write(delivered, b"".join(record.payload + b"\n" for record in records))
                for epoch in {record.epoch for record in records}:
                    ranges = [(r.seq, r.seq) for r in records if r.epoch == epoch]
                    await cursor.confirm(epoch, ranges)
            say(f"S {step}")
            self.clock.advance(1.0)

    def look(self, devices: Iterable[int], step: int) -> list[AlarmEvent]:
        now, flood = self.clock.now(), self.flood
        samples = [Sample(flood.name(i), now.wall, now.mono, {"p": flood.value(i, step)}) for i in devices]
        return self.engine.observe(samples, now)

    async def attend(self, step: int) -> None:
        """Acknowledge, and reset what latches, until it is done."""
        due = [i for i, begin in enumerate(self.flood.begins) if begin + STANDS + SEEN == step and i % 3]
        self.waiting.update(due)
        occurrences = {a.key[0]: o for a in self.engine.alarms() if (o := a.state.occurrence) is not None}
        for i in sorted(self.waiting):
            o = occurrences.get(self.flood.name(i))
            if o is None:
                self.waiting.discard(i)
                continue
            actions: list[Action] = [Ack(o.id, o.activations, actor="li")]
            if i % 3 == 2:
                actions.append(Reset(actor="li"))
            replies = [self.engine.act((self.flood.name(i), RULE), act, self.clock.now()) for act in actions]
            if all(reply.outcome is Outcome.DONE for reply in replies):
                self.waiting.discard(i)
            await self.keep([event for reply in replies for event in reply.events])

    async def keep(self, events: Sequence[AlarmEvent]) -> None:
        """Put what was decided on disk, as the pipeline does."""
        states = self.engine.take_dirty()
        texts = [encode.event(event, NOBODY, TOPICS) for event in events]
        if not events and not states:
            return
        if self.whole:
            await self.store.commit_alarms(texts, states)
        else:
            await self.store.commit_alarms([], states)
            await self.store.commit_alarms(texts, [])


def say(text: str) -> None:
    os.write(1, f"{text}\n".encode())  # one write: a kill cuts between lines, not within


async def main(data: Path, start: int, alarms: int, *, whole: bool) -> None:
    flood, clock = Flood(alarms), FakeClock()
    clock.advance(float(start))
    store = await Store.open(data, clock)
    restored: dict[AlarmKey, dict[str, object]] = {
        (device, rule): state for (device, rule), state in (await store.load_states()).items()
    }
    engine = Engine(flood.specs(), restored, counted_ids(store.epoch), clock.now())
    run = Run(flood, store, engine, clock, whole=whole)
    say(f"E {store.epoch}")
    await run.play(start, data)
    states = (await store.load_states()).items()
    (data / "final.json").write_text(json.dumps({"/".join(key): state for key, state in states}))
    await store.close()
    say("D 0")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), whole=sys.argv[4] == "one"))
