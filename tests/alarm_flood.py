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
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from clock import FakeClock

from gateway.links import encode
from gateway.model import AlarmClass, Sample
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
STANDS = 12  # steps from the first true sample of an alarm to the first false one,
SEEN = 8  # from there until somebody acknowledges,
ROUND = 34  # and from its beginning until the same alarm begins anew
ROUNDS = 10
TOPICS = encode.Topics("site", "gw")
NOBODY = encode.Facts("trial")
RULES = tuple(
    Limit(name=RULE, point="p", limit=50.0, on_delay=2.0, off_delay=2.0, chatter_hold=False, **kind)
    for kind in (
        {"level": 0, "alarm_class": AlarmClass.FAULT, "auto_ack": True},
        {"level": 3},
        {"level": 1, "alarm_class": AlarmClass.GAS},
    )
)


@dataclass(frozen=True)
class Flood:
    """Who is above the limit when: every device ten times, an alarm each time.

    A third are faults, a third wait for a person, a third latch and wait for two.
    """

    alarms: int

    @property
    def devices(self) -> range:
        return range(self.alarms // ROUNDS)

    @property
    def busy(self) -> int:
        return ROUND * (ROUNDS + 1)

    @property
    def steps(self) -> int:
        return self.busy + ROUND

    def name(self, i: int) -> str:
        return f"d{i:05d}"

    def specs(self) -> list[AlarmSpec]:
        return [AlarmSpec(self.name(i), RULES[i % 3], Context(interval=LONG)) for i in self.devices]

    def phase(self, i: int, step: int) -> int:
        """Return how many steps ago the last alarm of a device began; many before its first."""
        since = step - 1 - i * 7 % ROUND
        return min(since, since % ROUND if since < ROUND * ROUNDS else since) if since >= 0 else 9999

    def value(self, i: int, step: int) -> float:
        return 60.0 if self.phase(i, step) < STANDS else 10.0

    def changing(self, step: int) -> list[int]:
        """Return whose value has just changed."""
        return [i for i in self.devices if self.phase(i, step) in {0, STANDS}]

    def attended(self, step: int) -> list[int]:
        """Return whose alarms somebody attends to: seen, and well."""
        return [i for i in self.devices if i % 3 and self.phase(i, step) >= STANDS + SEEN]


class Run:
    """One life of the process."""

    def __init__(self, flood: Flood, store: Store, engine: Engine, clock: FakeClock, *, whole: bool) -> None:
        self.flood, self.store, self.engine, self.clock = flood, store, engine, clock
        self.whole = whole

    async def play(self, start: int, data: Path) -> None:
        cursor = await self.store.cursor("people", Lane.ALARM)
        delivered = os.open(data / "delivered", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        for step in range(start, self.flood.steps + 1):
            touched = self.flood.devices if step == start else self.flood.changing(step)
            await self.keep(self.look(touched, step))
            await self.keep(self.engine.tick(self.clock.now()))
            await self.attend(step)
            while records := await cursor.read():
                os.write(delivered, b"".join(record.payload + b"\n" for record in records))
                for epoch in {record.epoch for record in records}:
                    ranges = [(r.seq, r.seq) for r in records if r.epoch == epoch]
                    await cursor.confirm(epoch, ranges)
            if step % 5 == 0:
                await self.store.upkeep()
            say(f"S {step}")
            self.clock.advance(1.0)

    def look(self, devices: Iterable[int], step: int) -> list[AlarmEvent]:
        now, flood = self.clock.now(), self.flood
        samples = [Sample(flood.name(i), now.wall, now.mono, {"p": flood.value(i, step)}) for i in devices]
        return self.engine.observe(samples, now)

    async def attend(self, step: int) -> None:
        """Acknowledge, and reset what latches, until it is done."""
        occurrences = {a.key[0]: o for a in self.engine.alarms() if (o := a.state.occurrence) is not None}
        for i in self.flood.attended(step):
            o = occurrences.get(self.flood.name(i))
            if o is None:
                continue
            actions: list[Action] = [Ack(o.id, o.activations, actor="li")]
            if i % 3 == 2:
                actions.append(Reset(actor="li"))
            key, now = (self.flood.name(i), RULE), self.clock.now()
            await self.keep([event for act in actions for event in self.engine.act(key, act, now).events])

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
