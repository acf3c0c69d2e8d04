"""Carries out what the interlocks order: ahead of the polls, read back, written down, until it is proven.

What is due and when is decided in `rules.errand`; here is only the doing. The order is on disk before it
is carried out, as long as the disk does not keep the valve waiting: an order looks before it writes, so one
that was carried out and then forgotten does no harm.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from gateway.model import Answer, Command, Outcome
from gateway.pipeline import NOTHING, Deed
from rules.interlock import OnStop
from rules.permissions import Ask, Person, Role, Task

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.clock import Clock
    from gateway.commands import Commands
    from gateway.console.deeds import Deeds
    from gateway.pipeline import Pipeline
    from rules.desk import Desk
    from rules.interlock import Interlock
    from rules.interlocks import Due

log = logging.getLogger(__name__)

PATIENCE = 0.25  # seconds the disk may take before the order goes without it
LASTS = 10.0  # seconds one try may wait for its line
EACH = 20  # tries of one order that end alike are one entry of the audit
LOOK = 1.0  # seconds between two looks when nobody rings
STOPPING = 3.0  # seconds for what an orderly stop is to do
ASK = Ask(Task.INTERLOCK)


class Interlocking:
    """The hands of the interlocks. `run` it in one task."""

    def __init__(
        self, desk: Desk, pipeline: Pipeline, commands: Commands, deeds: Deeds, clock: Clock
    ) -> None:
        self._desk, self._pipeline, self._commands = desk, pipeline, commands
        self._deeds, self._clock = deeds, clock
        self._bell = asyncio.Event()
        self._said: dict[str, tuple[str, Outcome]] = {}  # of each interlock: its last entry in the audit

    def wake(self) -> None:
        """Look at once: something has happened. Called in the loop, never waits."""
        self._bell.set()

    async def run(self) -> None:
        """Carry out what is due, each interlock for itself, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._bell.clear()
                for due in self._desk.interlocks.due(self._clock.mono()):
                    self._desk.begun(due.interlock.name, self._clock.now())
                    tasks.create_task(self._carry_out(due), name=f"interlock {due.interlock.name}")
                try:
                    async with asyncio.timeout(self._pause()):
                        await self._bell.wait()
                except TimeoutError:
                    pass  # a try may fall due by time alone

    def _pause(self) -> float:
        soon = self._desk.interlocks.next_try()
        return LOOK if soon is None else min(max(soon - self._clock.mono(), 0.0), LOOK)

    async def _carry_out(self, due: Due) -> None:
        interlock, errand = due
        await self._on_disk()
        name = f"{errand.id}.{errand.tries}"
        answer = await self._commands.execute(self._command(interlock, name, errand.value))
        proven = answer.outcome is Outcome.DONE
        news = self._news(due, answer)
        facts = {"errand": errand.id, "act": errand.act, "try": errand.tries, "causes": list(errand.causes)}
        entry = self._entry(interlock, errand.value, answer, **facts)
        why = "" if proven else answer.reason or answer.outcome.value
        await self._pipeline.act(
            lambda _, now: self._desk.ended(interlock.name, errand.id, proven=proven, why=why, now=now),
            lambda _: Deed(entry, {}) if news else NOTHING,
        )
        self.wake()  # a cause may have come meanwhile

    def _news(self, due: Due, answer: Answer) -> bool:
        """Return whether a try ended otherwise than the one before: then it is logged, and in the audit."""
        interlock, errand = due
        said = errand.id, answer.outcome
        news = self._said.get(interlock.name) != said or errand.tries % EACH == 0
        self._said[interlock.name] = said
        if news:
            level = logging.INFO if answer.outcome is Outcome.DONE else logging.WARNING
            target = f"{interlock.order.device}.{interlock.order.point} = {errand.value}"
            why = f"{answer.outcome} {answer.reason}".rstrip()
            log.log(level, "interlock %s: %s: %s (try %d)", interlock.name, target, why, errand.tries)
        return news

    async def _on_disk(self) -> None:
        if not await self._pipeline.settle(PATIENCE):
            log.warning("interlocks: the disk is slow; the order goes without it")

    def _command(self, interlock: Interlock, name: str, value: object) -> Command:
        order = interlock.order
        return Command(
            name,
            order.device,
            order.point,
            value,  # type: ignore[arg-type]  # checked when the site was read
            self._clock.mono() + LASTS,
            f"interlock {interlock.name}",
            automatic=True,
        )

    def _entry(self, interlock: Interlock, value: object, answer: Answer, **facts: object) -> bytes:
        order = interlock.order
        who = Person(f"interlock {interlock.name}", Role.AUTOMATION)
        told = {
            "device": order.device,
            "point": order.point,
            "value": value,
            **facts,
            "answer": dict(answer.data),
        }
        return self._deeds.entry(who, ASK, answer, told)

    async def stop(self, interlocks: Iterable[Interlock]) -> None:
        """Do what the site wants done at an orderly stop; `run` must have ended, the lines must not."""
        wanted = [i for i in interlocks if i.on_stop is not OnStop.HOLD]
        try:
            async with asyncio.timeout(STOPPING):
                await asyncio.gather(*map(self._at_stop, wanted))
        except TimeoutError:
            log.warning("interlocks: not everything was done within %.0f s of stopping", STOPPING)

    async def _at_stop(self, interlock: Interlock) -> None:
        back = interlock.on_stop is OnStop.RELEASE and interlock.release is not None
        value = interlock.release.value if back and interlock.release else interlock.order.value
        answer = await self._commands.execute(self._command(interlock, f"{interlock.name}.stop", value))
        log.info("interlock %s: at stop: %s %s", interlock.name, answer.outcome, answer.reason)
        await self._pipeline.note(Deed(self._entry(interlock, value, answer, errand="stop"), {}))
