"""Records from the store to the broker, and receipts back to the store."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gateway.links import custody, encode
from gateway.links.link import LaneState, Source
from gateway.links.mqtt_broker import Message
from gateway.links.mqtt_live import wait
from gateway.links.outbox import LIMITS, LaneLimits, Outbox
from gateway.links.record import ALARM, TELEMETRY, Key, Record, key_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from paho.mqtt.reasoncodes import ReasonCode

    from gateway.clock import Clock
    from gateway.links.mqtt_client import Connection

NO_ONE_LISTENS = 0x10  # of a PUBACK: MQTT v5, 3.4.2.1
PUBACK_PATIENCE = 10.0  # s without any PUBACK while some are due: the broker lives, but not for us
LOOK = 2.0  # s between looks when nothing happens


class Lanes:
    """Hands over what the outbox chooses. One task pumps; all else only leaves notes and wakes it."""

    def __init__(
        self,
        sources: Mapping[str, Source],
        topics: encode.Topics,
        clock: Clock,
        limits: Mapping[str, LaneLimits] = LIMITS,
    ) -> None:
        self._sources, self._topics, self._clock, self._limits = sources, topics, clock, limits
        self._outbox = Outbox(limits=limits)
        self._in_hand: dict[int, tuple[str, Key]] = {}
        self._receipts: list[tuple[str, custody.Receipt]] = []
        self._grown: set[str] = set()
        self._last_puback = 0.0
        self._wake = asyncio.Event()
        self._connection: Connection | None = None

    async def look_back(self) -> None:
        """Learn what an earlier life may have sent: its receipts may still come."""
        newest = {lane: await source.read_newest(1) for lane, source in self._sources.items()}
        sent = {lane: key_of(found[0]) for lane, found in newest.items() if found}
        self._outbox = Outbox(sent, self._limits)

    def connected(self, connection: Connection) -> None:
        """Begin anew on a fresh connection."""
        self._connection = connection
        self._last_puback = self._clock.mono()
        self._outbox.grew()
        self._wake.set()

    def disconnected(self) -> None:
        """Forget what was in hand; it will be sent again."""
        self._connection = None
        self._outbox.disconnected()
        self._in_hand.clear()

    def receipt(self, lane: str, receipt: custody.Receipt) -> None:
        """Take a receipt."""
        self._receipts.append((lane, receipt))
        self._wake.set()

    def puback(self, mid: int, reason: ReasonCode) -> str | None:
        """Take a PUBACK; return the lane if it is one of a record."""
        place = self._in_hand.pop(mid, None)
        if place is None:
            return None
        lane, key = place
        self._last_puback = self._clock.mono()
        heard = reason.value != NO_ONE_LISTENS
        self._outbox.lanes[lane].puback(key, self._last_puback, accepted=not reason.is_failure, heard=heard)
        self._wake.set()
        return lane

    def fresh(self, records: Sequence[Record]) -> None:
        """Take alarms that were just committed. When nothing waits before them they are told in this step."""
        if self._connection is not None and self._outbox.lanes[ALARM].offer_next(records):
            self._send(self._connection)

    async def watch(self, lane: str) -> None:
        """Note when the store has more of a lane; a task of its own."""
        wake = self._sources[lane].wake
        while True:
            await wake.wait()
            wake.clear()
            self._outbox.grew(lane)
            self._grown.add(lane)
            self._wake.set()

    async def pump(self, connection: Connection) -> None:
        """Send what is to be sent, until cancelled."""
        while True:
            self._wake.clear()
            await self._settle_receipts()
            await self._fetch()
            now = self._send(connection)
            self._check_pubacks(connection, now)
            deadline = self._outbox.next_deadline()
            await wait(self._wake, LOOK if deadline is None else min(LOOK, deadline - now))

    def _send(self, connection: Connection) -> float:
        """Hand over what may be sent now; return the monotonic second of it."""
        now = self._clock.mono()
        while record := self._outbox.next(now):
            mid = connection.publish(self._message(record))
            self._in_hand[mid] = (record.lane, key_of(record))
        return now

    async def _settle_receipts(self) -> None:
        receipts, self._receipts = self._receipts, []
        for lane, receipt in receipts:
            if box := self._outbox.lanes.get(lane):
                believed = box.receipt(receipt.epoch, receipt.ranges, self._clock.mono())
                if believed:
                    await self._sources[lane].confirm(receipt.epoch, believed)

    async def _fetch(self) -> None:
        for lane, after, limit in self._outbox.wants():
            self._outbox.lanes[lane].offer(await self._sources[lane].read(after, limit))
        if TELEMETRY in self._grown and self._outbox.behind(TELEMETRY):
            for record in await self._sources[TELEMETRY].read_newest(1):
                self._outbox.offer_fresh(record)
        self._grown.clear()

    def _message(self, record: Record) -> Message:
        topic = self._topics.event if record.lane == ALARM else self._topics.telemetry
        user = custody.record_properties(record.lane, record.epoch, record.seq, record.count)
        return Message(topic, record.payload, properties=tuple(user))

    def _check_pubacks(self, connection: Connection, now: float) -> None:
        if not self._in_hand:
            self._last_puback = now
        elif now - self._last_puback > PUBACK_PATIENCE and not connection.unsent:
            connection.drop(f"no PUBACK for {now - self._last_puback:.0f} s")

    def states(self) -> dict[str, LaneState]:
        """Return how the lanes stand."""
        now = self._clock.mono()
        states = {}
        for name, box in self._outbox.lanes.items():
            backlog, counts = self._sources[name].backlog, box.counts
            states[name] = LaneState(
                backlog=backlog.records,
                backlog_rows=backlog.rows,
                oldest=backlog.oldest,
                last_receipt_age=None if box.last_receipt is None else now - box.last_receipt,
                sent=counts.sent,
                resent=counts.resent,
                confirmed=counts.confirmed,
                unknown_receipts=counts.unknown,
                refused=counts.refused,
                unheard=counts.unheard,
            )
        return states
