"""Lends the lines of a running gateway to who commissions, and sees to it that alarms do not go blind.

At the line's own rate every single question takes a turn between two polls, and then the line is left alone
for three times as long as the question took: at most `SHARE` of its time. Other rates need the whole line for
a while: at most `SLICE` seconds at a time, then the polls have it for as long. Nothing here stops a poller;
its polls wait for their turn, so a poll comes late by at most one question, or one slice.

Devices that are polled are not asked beside their polls at the line's own rate: then no late answer to us can
be taken for an answer to the poller. At other rates nobody who is polled understands us.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from drivers.line.turn import TurnLine
from drivers.survey.exchanged import Exchanged
from drivers.survey.talk import Setting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from drivers.line import AnyLine
    from drivers.survey.talk import Heard, Shot
    from gateway.clock import Clock

SHARE: Final = 0.25
SLICE: Final = 3.0  # seconds
SNIFFED: Final = 8192  # pieces kept for a slow reader; more are lost, and counted


class InUse(Exception):
    """Somebody else has the line on loan."""


class Spoken(NamedTuple):
    """What was heard, and for how long the line was held."""

    heard: list[Heard]
    held: float


@dataclass(slots=True)
class _Lent:
    busy: bool = False
    free_at: float = 0.0  # monotonic seconds: the polls' time


class Lending:
    """One for all lines of a gateway."""

    def __init__(self, clock: Clock, slice_: float = SLICE) -> None:
        self._clock = clock
        self._slice = slice_
        self._lines: dict[str, _Lent] = {}
        self._listeners: set[str] = set()

    async def talk(self, name: str, line: AnyLine, setting: Setting | None, shots: Sequence[Shot]) -> Spoken:
        """Send the shots, at the line's own setting or at another one. Raises InUse, LineDown, ValueError."""
        lent = self._lines.setdefault(name, _Lent())
        if lent.busy:
            raise InUse(name)
        lent.busy = True
        try:
            if not isinstance(line, TurnLine):
                return await self._exchange(lent, line, shots)
            own = Setting(line.settings.baud, line.settings.parity, line.settings.stop)
            if setting in {None, own}:
                return await self._between(lent, line, own, shots)
            assert setting is not None
            return await self._slices(lent, line, setting, shots)
        finally:
            lent.busy = False

    async def _exchange(self, lent: _Lent, line: AnyLine, shots: Sequence[Shot]) -> Spoken:
        bench, spoken = Exchanged(line, self._clock.mono), Spoken([], 0.0)
        for shot in shots:
            await self._wait(lent)
            began = self._clock.mono()
            heard = await bench.ask(Setting(), [shot])
            spoken = self._note(lent, spoken, heard, began, SHARE)
        return spoken

    async def _between(self, lent: _Lent, line: TurnLine[Any], own: Setting, shots: Sequence[Shot]) -> Spoken:
        """Ask one question between two polls, then leave the line alone."""
        spoken = Spoken([], 0.0)
        for shot in shots:
            await self._wait(lent)
            async with line.lend() as loan:
                began = self._clock.mono()
                heard = await loan.ask(own, [shot])
            spoken = self._note(lent, spoken, heard, began, SHARE)
        return spoken

    async def _slices(
        self, lent: _Lent, line: TurnLine[Any], setting: Setting, shots: Sequence[Shot]
    ) -> Spoken:
        """Have the line for a slice at another rate, then give it back for as long."""
        spoken, todo = Spoken([], 0.0), list(shots)
        while todo:
            await self._wait(lent)
            async with line.lend() as loan:
                began = self._clock.mono()
                heard: list[Heard] = []
                while todo and (not heard or self._clock.mono() + todo[0].patience < began + self._slice):
                    heard += await loan.ask(setting, [todo.pop(0)])
            spoken = self._note(lent, spoken, heard, began, 0.5)
        return spoken

    def _note(self, lent: _Lent, spoken: Spoken, heard: list[Heard], began: float, share: float) -> Spoken:
        now = self._clock.mono()
        took = now - began
        lent.free_at = now + took * (1 - share) / share
        return Spoken([*spoken.heard, *heard], spoken.held + took)

    async def _wait(self, lent: _Lent) -> None:
        await asyncio.sleep(max(lent.free_at - self._clock.mono(), 0.0))

    @contextlib.asynccontextmanager
    async def sniff(self, name: str, line: AnyLine) -> AsyncIterator[asyncio.Queue[tuple[str, bytes, float]]]:
        """Yield a queue into which everything goes that passes the line. Raises InUse."""
        if name in self._listeners:
            raise InUse(name)
        queue: asyncio.Queue[tuple[str, bytes, float]] = asyncio.Queue(SNIFFED)

        def hear(way: str, data: bytes, at: float) -> None:
            if queue.full():
                queue.get_nowait()  # the oldest goes; `at` shows the hole
            queue.put_nowait((way, data, at))

        self._listeners.add(name)
        line.listen(hear)
        try:
            yield queue
        finally:
            line.listen(None)
            self._listeners.discard(name)
