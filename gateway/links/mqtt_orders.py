"""The `command` topic: signed orders come in, answers go out (DESIGN 2.5). Nothing is spooled.

An order is taken when its signature fits one of the site's keys and its counter is higher than any before;
the counter is on disk before the order is carried out. Retained messages are ignored. The answer goes to the
response topic, which must lie under `answer/` of this gateway: nobody makes us speak elsewhere in our name.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from gateway.links import signed
from gateway.links.mqtt_broker import Message
from gateway.model import Answer, Command, Outcome
from rules.permissions import Person, Role

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from paho.mqtt.client import MQTTMessage

    from gateway.clock import Clock
    from gateway.links.encode import Topics
    from gateway.links.mqtt_client import Connection
    from gateway.links.signed import SignedOrder
    from gateway.model import Value

log = logging.getLogger(__name__)

SIGNER = "@signer"  # how counters are kept beside the states of alarms; no device has an @ in its name
WAITING = 32  # orders that may wait to be looked at; one more is dropped and counted
UNDER_WAY = 16  # orders that may be carried out at a time
TOLD, MINUTE = 30, 60.0  # refusals of what is not genuine that are answered and written down in a minute
LASTS = 10.0  # seconds an order is valid whose end cannot be judged
NANO = 1_000_000_000


class Desk(Protocol):
    """Who takes orders (`gateway.console.outputs.OutputDesk`)."""

    async def give(self, who: Person, order: Command) -> Answer:
        """Carry out an order if he may; there always is an answer, and it is in the audit."""
        ...

    async def refuse(self, who: Person, answer: Answer, **facts: object) -> Answer:
        """Write down what was refused before it was looked at as an order."""
        ...

    def is_safe(self, device: str, point: str, value: Value) -> bool:
        """Return whether an interlock of the site orders the same."""
        ...


@dataclass(frozen=True, slots=True)
class Signer:
    """Somebody whose orders are taken."""

    key: bytes
    role: Role


class _Arrived(NamedTuple):
    payload: bytes
    topic: str  # where the answer goes; "" for nowhere
    correlation: bytes


class OrderInlet:
    """Takes the orders of one gateway."""

    def __init__(
        self,
        topics: Topics,
        signers: Mapping[str, Signer],
        desk: Desk,
        counters: Mapping[str, int],
        keep: Callable[[str, int], Awaitable[bool]],
        clock: Clock,
    ) -> None:
        """`keep` puts the counter of a signer on disk, and tells whether it is there."""
        self._topics, self._signers, self._desk, self._clock = topics, signers, desk, clock
        self._keys = {name: signer.key for name, signer in signers.items()}
        self._counters, self._keep = dict(counters), keep
        self._queue: asyncio.Queue[_Arrived] = asyncio.Queue(WAITING)
        self._room = asyncio.Semaphore(UNDER_WAY)
        self._told: deque[float] = deque(maxlen=TOLD)
        self.dropped = 0  # not even looked at
        self.untold = 0  # refused, but neither answered nor written down

    @property
    def topic(self) -> str:
        """Where orders come."""
        return self._topics.command

    def arrived(self, message: MQTTMessage) -> None:
        """Take a message of the topic. Called in the loop, never waits."""
        if message.retain:
            log.warning("mqtt: a retained order was ignored: nobody knows how old it is")
            return
        topic = str(getattr(message.properties, "ResponseTopic", "") or "")
        correlation = bytes(getattr(message.properties, "CorrelationData", b"") or b"")
        allowed = topic.startswith(f"{self._topics.answers}/") and not {"+", "#", "\0"} & set(topic)
        try:
            self._queue.put_nowait(_Arrived(bytes(message.payload), topic if allowed else "", correlation))
        except asyncio.QueueFull:
            self.dropped += 1

    async def run(self, connection: Connection) -> None:
        """Look at what came, one after the other, and have it carried out; until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                arrived = await self._queue.get()
                try:
                    order = await self._checked(arrived)
                except signed.NotTaken as refusal:
                    await self._refuse(connection, arrived, refusal)
                    continue
                await self._room.acquire()
                tasks.create_task(self._carry_out(connection, arrived, order))

    async def _checked(self, arrived: _Arrived) -> SignedOrder:
        """Return a genuine order that was not seen before, its counter on disk. Raises NotTaken."""
        order = signed.read(arrived.payload, self._keys, self._topics)
        last = self._counters.get(order.key, 0)
        if order.counter <= last:
            detail = f"counter {order.counter}, the last was {last}"
            raise signed.NotTaken("replayed", detail, order.id, order.key)
        self._counters[order.key] = order.counter
        if not await self._keep(order.key, order.counter):
            raise signed.NotTaken("disk", "the disk refuses: a replay could not be told", order.id, order.key)
        if not self._clock.now().synced and not self._desk.is_safe(order.device, order.point, order.value):
            detail = "the clock is not synchronised: only orders to the safe side are taken"
            raise signed.NotTaken("clock", detail, order.id, order.key)
        return order

    async def _carry_out(self, connection: Connection, arrived: _Arrived, order: SignedOrder) -> None:
        try:
            now = self._clock.now()
            left = (order.expires - now.wall) / NANO if now.synced else LASTS
            command = Command(
                f"{order.key}:{order.id}",
                order.device,
                order.point,
                order.value,
                now.mono + left,
                order.key,
            )
            said = await self._desk.give(self._who(order.key), command)
            self._answer(connection, arrived, said, order.id)
        finally:
            self._room.release()

    async def _refuse(self, connection: Connection, arrived: _Arrived, why: signed.NotTaken) -> None:
        """Answer and write down a refusal; what is not even genuine may not fill the disk, or the line."""
        if not why.id:
            now = self._clock.mono()
            if len(self._told) == TOLD and now - self._told[0] < MINUTE:
                self.untold += 1
                return
            self._told.append(now)
        untold, self.untold = self.untold, 0
        said = Answer(why.id, Outcome.REFUSED, why.reason, {"detail": why.detail})
        more = {"untold": untold} if untold else {}
        await self._desk.refuse(self._who(why.key), said, detail=why.detail, **more)
        self._answer(connection, arrived, said, why.id)

    def _who(self, key: str) -> Person:
        """Return who gave an order; without a genuine signature, nobody."""
        signer = self._signers.get(key)
        role = Role.VIEWER if signer is None else signer.role
        return Person(
            key or "?", role, f"key {key}" if key else "", "mqtt", self._topics.command, at_site=False
        )

    def _answer(self, connection: Connection, arrived: _Arrived, said: Answer, name: str) -> None:
        if arrived.topic:
            payload = signed.answer(said, name, self._clock.now().wall)
            connection.publish(Message(arrived.topic, payload, correlation=arrived.correlation))
