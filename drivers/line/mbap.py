"""A Modbus TCP endpoint: several requests under way, told apart by their transaction id.

A late answer carries the id of the request that gave up on it, and such an id is not used again on the
same connection until its answer has come or thousands of others have been given up since: it can be
credited to no other request. A new connection starts with a clean slate, because a server answers on the
connection it was asked on.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from drivers.errors import BadAnswer, LineDown, NoAnswer, Refused
from drivers.line.door import Door
from drivers.line.patience import Patience
from drivers.line.port import make_port
from drivers.line.stats import LineStats
from drivers.line.turns import Turns
from drivers.modbus.framing import PacketReader
from drivers.modbus.pdu import explain

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.line.dialect import UnitId
    from drivers.line.settings import LineSettings
    from drivers.line.stats import UnitStats
    from drivers.modbus.pdu import Query

MOST_GIVEN_UP = 4096  # transaction ids out of use; the oldest comes back when there are more


class _Asked(NamedTuple):
    query: Query
    answer: asyncio.Future[bytes]
    sent: float
    unit: UnitStats


class MbapLine:
    """One TCP connection with up to `inflight` requests under way; later callers wait their turn."""

    def __init__(self, settings: LineSettings) -> None:
        self.settings = settings
        self.stats = LineStats()
        self._loop = asyncio.get_running_loop()
        self._door = Door(make_port(settings, self), self.stats)
        self._reader = PacketReader()
        self._asked: dict[int, _Asked] = {}  # by transaction, oldest first
        self._given_up: dict[int, None] = {}
        self._transaction = 0
        self._turns = Turns(self._loop, settings.inflight)
        self._patience = Patience.of(self._loop, settings.timeout)
        self._busy_since = 0.0
        self._hook: Callable[[str, bytes, float], None] | None = None

    @property
    def is_open(self) -> bool:
        """True while bytes can be sent."""
        return self._door.port.is_open

    async def open(self) -> None:
        """Connect now. Raises LineDown."""
        await self._door.open()

    async def ready(self) -> None:
        """Return as soon as the connection stands."""
        await self._door.ready()

    async def close(self) -> None:
        """Hang up."""
        self._door.close()
        self._fail("the line was closed")

    def held_until(self, unit: UnitId) -> float:  # noqa: ARG002  the line's interface
        """Return 0: transaction ids make holding back needless."""
        return 0.0

    def listen(self, hook: Callable[[str, bytes, float], None] | None) -> None:
        """Show every frame to `hook`."""
        self._hook = hook

    async def exchange(self, query: Query) -> bytes:
        """Send the request, return what follows the function code in its answer."""
        if not self._turns.take():
            await self._turns.wait()
        try:
            if not self.is_open:
                await self._door.require()
            return await self._ask(query)
        finally:
            self._turns.give()

    async def _ask(self, query: Query) -> bytes:
        transaction = self._next_transaction()
        answer: asyncio.Future[bytes] = self._loop.create_future()
        now = self._loop.time()
        stats = self.stats
        unit = stats.unit(query.unit)
        if not self._asked:
            self._busy_since = now
        self._asked[transaction] = _Asked(query, answer, now, unit)
        frame = transaction.to_bytes(2, "big") + query.mbap
        stats.requests += 1
        unit.requests += 1
        stats.bytes_out += len(frame)
        if self._hook is not None:
            self._hook(">>", frame, now)
        self._door.port.write(frame)
        self._patience.watch(self, transaction, now)
        try:
            return await answer
        except asyncio.CancelledError:
            self._give_up(transaction)
            raise

    def on_bytes(self, data: bytes) -> None:
        """Match the answers that came with the requests under way."""
        now = self._loop.time()
        self.stats.bytes_in += len(data)
        if self._hook is not None:
            self._hook("<<", data, now)
        # The common case first: exactly one whole answer, and a good one.
        if not self._reader.buffer and len(data) > 8:
            asked = self._asked.get(data[0] << 8 | data[1])
            if asked is not None and not asked.answer.done():
                query = asked.query
                size = query.answer
                if (
                    size is not None
                    and len(data) == size + 7
                    and data[2:7] == b"\0\0" + (size + 1).to_bytes(2, "big") + query.mbap[4:5]
                    and data.startswith(query.shape, 7)
                ):
                    del self._asked[data[0] << 8 | data[1]]
                    self._answered(asked, now)
                    asked.answer.set_result(data[8:])
                    return
        self._sort(data, now)

    def on_open(self) -> None:
        """Begin anew: nothing from the old connection can come any more."""
        self._reader = PacketReader()
        self._given_up.clear()
        self._door.opened()

    def on_lost(self, reason: str) -> None:
        """End what is under way."""
        self._door.lost(reason)
        self._fail(reason)

    def _sort(self, data: bytes, now: float) -> None:
        try:
            packets = self._reader.feed(data)
        except ValueError as error:  # out of step for good: only a new connection helps
            self.stats.crc_errors += 1
            self._door.port.close()
            self.on_lost(str(error))
            return
        for transaction, unit, pdu in packets:
            asked = self._asked.pop(transaction, None)
            if asked is None or asked.answer.done():  # done: cancelled a moment ago
                late = asked is not None or self._given_up.pop(transaction, 0) is None
                self.stats.late += late
                self.stats.foreign += not late
                self.stats.unit(unit).late += late
            else:
                self._answered(asked, now)
                self._judge(asked, unit, pdu)

    def _judge(self, asked: _Asked, unit: int, pdu: bytes) -> None:
        query, answer = asked.query, asked.answer
        if unit == query.unit and len(pdu) == 2 and pdu[0] == query.function | 0x80:
            self.stats.exceptions += 1
            asked.unit.exceptions += 1
            answer.set_exception(Refused(f"{query}: {explain(pdu[1])}", pdu[1]))
        elif unit == query.unit and pdu.startswith(query.shape) and len(pdu) == (query.answer or len(pdu)):
            answer.set_result(pdu[1:])
        else:
            asked.unit.broken += 1
            answer.set_exception(BadAnswer(f"{query}: answered by unit {unit} with {pdu.hex(' ')}"))

    def _answered(self, asked: _Asked, now: float) -> None:
        self.stats.replies += 1
        unit = asked.unit
        unit.replies += 1
        unit.last_reply = now
        unit.turnaround.add(now - asked.sent)
        if not self._asked:
            self.stats.busy += now - self._busy_since

    def waits(self, number: int, sent: float) -> bool:
        """Tell whether that request has no answer yet (patience.Waiting)."""
        asked = self._asked.get(number)
        return asked is not None and asked.sent == sent

    def expire(self, number: int) -> None:
        """Give up a request that got no answer in time (patience.Waiting)."""
        asked = self._asked[number]
        self._give_up(number)
        self.stats.timeouts += 1
        asked.unit.timeouts += 1
        if not asked.answer.done():
            why = f"{asked.query}: no answer within {self.settings.timeout:g} s"
            asked.answer.set_exception(NoAnswer(why))

    def _give_up(self, transaction: int) -> None:
        if self._asked.pop(transaction, None) is None:
            return
        self._given_up[transaction] = None
        if len(self._given_up) > MOST_GIVEN_UP:
            del self._given_up[next(iter(self._given_up))]
        if not self._asked:
            self.stats.busy += self._loop.time() - self._busy_since

    def _fail(self, reason: str) -> None:
        asked, self._asked = self._asked, {}
        if asked:
            self.stats.busy += self._loop.time() - self._busy_since
        for one in asked.values():
            if not one.answer.done():
                one.answer.set_exception(LineDown(reason))

    def _next_transaction(self) -> int:
        while True:
            self._transaction = transaction = (self._transaction + 1) & 0xFFFF
            if transaction not in self._given_up and transaction not in self._asked:
                return transaction
