"""A line where one request is under way at a time: serial ports, and TCP ends that speak a serial protocol.

What a unit still owes is remembered in `owed`, where the proof stands that no late answer is ever
credited to another request. Silence and wake-ups are the business of `wire`.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Generic

from drivers.errors import BadAnswer, DriverError, Held, NoAnswer, Refused
from drivers.line.dialect import Q
from drivers.line.door import Door
from drivers.line.owed import LAPSE, Debt, Owed
from drivers.line.port import make_port
from drivers.line.stats import LineStats
from drivers.line.timing import character
from drivers.line.turns import Turns
from drivers.line.wire import Wire
from drivers.survey.talk import Setting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from drivers.line.dialect import Framing, UnitId
    from drivers.line.loan import Loan
    from drivers.line.settings import LineSettings

PROVEN = b""  # what a fence returns when a late frame has proven already what it was sent for


class TurnLine(Generic[Q]):
    """One owner of one port; callers take turns."""

    def __init__(self, settings: LineSettings, framing: Framing[Q]) -> None:
        self.settings = settings
        self.stats = LineStats()
        self._loop = asyncio.get_running_loop()
        self._framing = framing
        self._door = Door(make_port(settings, self), self.stats)
        self._wire = Wire(settings, framing, self.stats, self._judge)
        self._wire.plug(self._door.port)
        self._turns = Turns(self._loop)
        self._owed: dict[UnitId, Owed] = {}
        self._current: Q | None = None
        self._fenced: Q | None = None  # the request a fence is making room for
        self._character = character(settings) if settings.serial else 0.0
        self._loan: Loan | None = None

    @property
    def is_open(self) -> bool:
        """True while bytes can be sent."""
        return self._door.port.is_open

    async def open(self) -> None:
        """Open the port now. Raises LineDown."""
        await self._door.open()

    async def ready(self) -> None:
        """Return as soon as the port is open."""
        await self._door.ready()

    async def close(self) -> None:
        """Give the port back."""
        self._door.close()
        self._wire.fail(f"{self.settings.address}: the line was closed")
        if self._loan is not None:
            self._loan.fail(f"{self.settings.address}: the line was closed")
        self._wire.close()

    def held_until(self, unit: UnitId) -> float:
        """Return until when the unit is left alone, 0 when it may be asked now."""
        owed = self._owed.get(unit)
        if owed is None or owed.held <= self._loop.time():
            return 0.0
        self._wire.drain()  # its late answer may be here already
        return owed.held

    def listen(self, hook: Callable[[str, bytes, float], None] | None) -> None:
        """Show all bytes to `hook`."""
        self._wire.hook = hook

    @contextlib.asynccontextmanager
    async def lend(self) -> AsyncIterator[Loan]:
        """Take a turn and lend the port while it lasts; all who come meanwhile wait. Raises LineDown."""
        from drivers.line.loan import Loan  # noqa: PLC0415 - who scans knows the frames of every protocol

        if not self._turns.take():
            await self._turns.wait()
        try:
            await self._door.require()
            settings = self.settings
            own = Setting(settings.baud, settings.parity, settings.stop)
            self._wire.drain()
            self._loan = loan = Loan(self._wire, self._door.port, own)
            self._wire.tap = loan.on_bytes
            try:
                yield loan
            finally:
                self._loan = self._wire.tap = None
                loan.give_back()
        finally:
            self._turns.give()

    async def exchange(self, query: Q) -> bytes:
        """Send the request, return what follows the first byte of its answer."""
        if not self._turns.take():
            await self._turns.wait()
        try:
            if not self.is_open:
                await self._door.require()
            owed = self._owed.get(query.unit)
            if owed is None:
                owed = self._owed[query.unit] = Owed()
            elif owed:
                await self._make_room(query, owed)
            return await self._ask(query, owed)
        finally:
            self._turns.give()

    def on_bytes(self, data: bytes) -> None:
        """Pass them to the wire."""
        self._wire.on_bytes(data)

    def on_open(self) -> None:
        """Note that the port can be written to."""
        self._door.opened()

    def on_lost(self, reason: str) -> None:
        """End what is under way."""
        self._door.lost(reason)
        self._wire.fail(reason)
        if self._loan is not None:
            self._loan.fail(reason)

    async def _make_room(self, query: Q, owed: Owed) -> None:
        """Bring it about that no late answer can be taken for the answer to `query`, or raise Held."""
        self._wire.drain()
        now = self._loop.time()
        owed.lapse(now - LAPSE * self.settings.quarantine)
        if now < owed.held:
            raise Held(f"{query}: the unit did not answer lately and is left alone", owed.held)
        if owed.full:
            until = owed.oldest + LAPSE * self.settings.quarantine
            raise Held(f"{query}: too much is unanswered", until)
        if not owed.clashes(query.shape):
            return
        forms = self._framing.fence(query, owed.attempt)
        fence = next((form for form in forms if not owed.clashes(form.shape)), forms[0])
        owed.attempt += 1
        self.stats.fences += 1
        fresh = not owed.clashes(fence.shape)
        self._fenced = query
        try:
            data = await self._ask(fence, owed, fence=True)
            if not fresh:  # it may be an older fence's answer: it proves only what was before that one
                owed.settle(fence.shape[:1] + data)
            if not fresh or data == PROVEN:
                owed.add(self._debt(fence))
        except Refused:
            pass  # an answer is an answer
        finally:
            self._fenced = None
        if owed.clashes(query.shape):  # the fence's answer may have been that of an earlier fence
            raise Held(f"{query}: an older answer may still come", self._loop.time())

    async def _ask(self, query: Q, owed: Owed, *, fence: bool = False) -> bytes:
        unit = self.stats.unit(query.unit)
        self._current = query
        try:
            data = await self._wire.ask(query)
        except (DriverError, asyncio.CancelledError) as failure:
            self._note_failure(query, owed, failure)
            raise
        finally:
            self._current = None
            self.stats.requests += self._wire.sent
            unit.requests += self._wire.sent
            self._wire.sent = False
        if fence and owed.clashes(query.shape):
            return data  # `_make_room` knows what it proves
        if fence and data == PROVEN:
            return data
        if owed:
            owed.clear()
        self._note_reply(query.unit, 1 + len(data))
        return data

    def _note_reply(self, unit: UnitId, pdu: int) -> None:
        now = self._loop.time()
        self.stats.replies += 1
        stats = self.stats.unit(unit)
        stats.replies += 1
        stats.last_reply = now
        sending = (pdu + self._framing.overhead) * self._character
        stats.turnaround.add(max(0.0, now - self._wire.spoke_until - sending))

    def _note_failure(self, query: Q, owed: Owed, failure: BaseException) -> None:
        """Count it; what was sent and not answered is owed from now on."""
        unit = self.stats.unit(query.unit)
        if isinstance(failure, Refused):
            owed.clear()
            self.stats.exceptions += 1
            unit.exceptions += 1
            self._note_reply(query.unit, 2)
            return
        if not self._wire.sent:
            return
        owed.add(self._debt(query))
        if isinstance(failure, BadAnswer):  # it has spoken: no reason to leave it alone
            unit.broken += 1
            return
        owed.held = self._loop.time() + self.settings.quarantine
        if isinstance(failure, NoAnswer):
            self.stats.timeouts += 1
            unit.timeouts += 1

    def _debt(self, query: Q) -> Debt:
        return Debt(query.shape, query.answer, query.refusal, self._loop.time())

    def _judge(self, unit: UnitId, pdu: bytes) -> bytes | DriverError | None:
        """Say what a whole frame is: the answer (its data), a refusal, or not for the present request."""
        owed = self._owed.get(unit)
        query = self._current if self._current is not None and self._wire.sent else None
        if owed and owed.settle(pdu):
            self.stats.late += 1
            self.stats.unit(unit).late += 1
            fenced = self._fenced
            if (
                query is not None
                and fenced is not None
                and unit == fenced.unit
                and not owed.clashes(fenced.shape)
            ):
                return PROVEN
            return None
        if query is None or unit != query.unit or not self._debt(query).fits(pdu):
            self.stats.foreign += 1
            return None
        if not pdu.startswith(query.shape):
            return Refused(f"{query}: {self._framing.explain(pdu)}", pdu[1])
        return pdu[1:]
