"""The MQTT link: alarms, readings, last values and health to the broker, receipts back (DESIGN 2.5)."""

from __future__ import annotations

import asyncio
import logging
import random
from typing import TYPE_CHECKING, Any

from gateway.links import custody, encode
from gateway.links.link import LinkState, Source
from gateway.links.mqtt_broker import Broker, CannotConnect, Message
from gateway.links.mqtt_client import Connection
from gateway.links.mqtt_lanes import Lanes
from gateway.links.mqtt_live import LiveTeller, wait
from gateway.links.outbox import LIMITS, LaneLimits
from gateway.links.patience import Backoff
from gateway.links.retained import Retained
from gateway.model import EventKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from paho.mqtt.client import MQTTMessage
    from paho.mqtt.reasoncodes import ReasonCode

    from gateway.board import Board
    from gateway.clock import Clock
    from gateway.links.mqtt_orders import OrderInlet
    from gateway.links.record import Record
    from gateway.model import AlarmEvent

log = logging.getLogger(__name__)

SETTLED = 30.0  # s a connection must hold before the next pause is a short one again
GOODBYE = 1.0  # s for the last PUBACK at the end
RETAINED_IN_HAND = 20


class Lost(Exception):
    """The connection is gone."""


def client_id(topics: encode.Topics) -> str:
    """Return the stable client id of a gateway: the broker keeps its session under it."""
    return f"tocsin-{topics.site}-{topics.gateway}"


class MqttLink:
    """One gateway at one broker. What has no receipt stays in the store; nothing is kept here."""

    name = "mqtt"

    def __init__(
        self,
        broker: Broker,
        topics: encode.Topics,
        lanes: Mapping[str, Source],
        clock: Clock,
        *,
        epoch: int,
        version: str,
        board: Board | None = None,
        facts: Mapping[str, encode.Facts] | None = None,
        inlet: OrderInlet | None = None,
        limits: Mapping[str, LaneLimits] = LIMITS,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._broker, self._topics, self._sources, self._clock = broker, topics, lanes, clock
        self._epoch, self._version, self._facts = epoch, version, facts or {}
        self._inlet = inlet
        self._lanes = Lanes(lanes, topics, clock, limits)
        self._live = LiveTeller(board, self._facts, topics, clock) if board else None
        self._backoff = Backoff(1.0, 60.0, jitter)
        self._retained = Retained()
        self._to_show = asyncio.Event()
        self._said: dict[int, asyncio.Event] = {}
        self._refusals: dict[str, str] = {}  # what the broker refuses, and why
        self._state = LinkState(self.name, since=clock.mono(), why="not connected yet")
        self.bad_messages = 0

    def fresh(self, records: Sequence[Record]) -> None:
        """Tell alarm records that are on disk since a moment. Called in the loop, never waits."""
        self._lanes.fresh(records)

    def alarms(self, events: Iterable[AlarmEvent]) -> None:
        """Show these alarms as they stand after the event; a closed one is cleared.

        Called in the loop, never waits; before `run` with what is open, else its old topics are cleared.
        """
        for event in events:
            if event.kind is EventKind.LATE:
                continue  # of the past: it says nothing of how the alarm stands
            facts = self._facts.get(event.device, encode.Facts(""))
            topic = self._topics.alarm(event.device, event.rule)
            self._retained.want(topic, encode.alarm(event, facts, self._topics))
        self._to_show.set()

    def health(self, report: Mapping[str, Any]) -> None:
        """Show how the gateway is. Called in the loop, never waits."""
        self._retained.want(self._topics.health, encode.health(report, self._clock.now().wall))
        self._to_show.set()

    def state(self) -> LinkState:
        """Return how the link is."""
        state, now = self._state, self._clock.mono()
        why = "; ".join(f"{what} refused by the broker: {why}" for what, why in self._refusals.items())
        return LinkState(
            self.name,
            state.connected,
            now - state.since,
            why or state.why,
            state.losses,
            self._lanes.states(),
        )

    def arrived(self, message: MQTTMessage) -> None:
        """Take a receipt, an order, or an alarm that an earlier life left behind (mqtt_client.Owner)."""
        try:
            topic, payload = message.topic, bytes(message.payload)
            if topic.startswith(f"{self._topics.root}/receipt/"):
                self._lanes.receipt(topic.rpartition("/")[2], custody.parse_receipt(payload))
            elif self._inlet is not None and topic == self._inlet.topic:
                self._inlet.arrived(message)
            elif message.retain and topic.startswith(f"{self._topics.root}/alarm/"):
                self._retained.found(topic, payload)
                self._to_show.set()
        except (encode.BadMessage, UnicodeDecodeError) as error:
            self.bad_messages += 1
            log.warning("mqtt: ignored a message: %s", error)

    def acknowledged(self, mid: int, reason: ReasonCode) -> None:
        """Take a PUBACK; its reason code decides what it is worth (mqtt_client.Owner)."""
        what = self._lanes.puback(mid, reason)
        if what is None and self._retained.told(mid):
            what = "alarm board"
            self._to_show.set()
        elif said := self._said.pop(mid, None):
            what = "status"
            said.set()
        if what is None:  # QoS 0: paho reports what has left
            return
        if not reason.is_failure:
            self._refusals.pop(what, None)
        elif self._refusals.get(what) != str(reason):
            self._refusals[what] = str(reason)
            log.error(
                "mqtt: %s refused: %s; check the broker's access rules for %r",
                what,
                reason,
                self._broker.username,
            )

    async def run(self) -> None:
        """Connect, serve, connect again; cancelled, it says goodbye and ends."""
        await self._lanes.look_back()
        while True:
            began = self._clock.mono()
            try:
                connection = await Connection.open(self._broker, self, self._clock)
                await self._serve(connection)
            except (CannotConnect, Lost) as error:
                self._note_lost(str(error))
            if self._clock.mono() - began > SETTLED:
                self._backoff.succeeded()
            await asyncio.sleep(self._backoff.pause())

    async def _serve(self, connection: Connection) -> None:
        """Work over one connection; raises Lost at its end."""
        self._greet(connection)
        why = ""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._until_lost(connection))
                tasks.create_task(self._lanes.pump(connection))
                tasks.create_task(self._show(connection))
                for lane in self._sources:
                    tasks.create_task(self._lanes.watch(lane))
                if self._inlet:
                    tasks.create_task(self._inlet.run(connection))
                if self._live:
                    tasks.create_task(self._live.run(connection))
        except* Lost as lost:
            why = str(lost.exceptions[0])
        finally:
            if not connection.is_lost:
                await self._goodbye(connection)
            self._lanes.disconnected()
            self._retained.disconnected()
            self._said.clear()
        raise Lost(why)

    def _greet(self, connection: Connection) -> None:
        log.info("mqtt: connected to %s", self._broker.url)
        state = self._state
        state.connected, state.since, state.why = True, self._clock.mono(), ""
        self._refusals.clear()
        self._said[connection.publish(self._status("online"))] = asyncio.Event()
        connection.subscribe(self._topics.receipts)
        connection.subscribe(self._topics.alarms, own=False)
        if self._inlet:
            connection.subscribe(self._inlet.topic)
        self._lanes.connected(connection)
        self._to_show.set()

    async def _goodbye(self, connection: Connection) -> None:
        """Say offline ourselves: after a clean DISCONNECT the broker publishes no last will."""
        said = self._said[connection.publish(self._status("offline"))] = asyncio.Event()
        await wait(said, GOODBYE)
        connection.close()

    def _status(self, state: str) -> Message:
        now = self._clock.now().wall
        payload = encode.status(state, epoch=self._epoch, at=now, version=self._version)
        return Message(self._topics.status, payload, retain=True)

    async def _until_lost(self, connection: Connection) -> None:
        raise Lost(await connection.lost())

    async def _show(self, connection: Connection) -> None:
        """Keep the retained topics as they should be."""
        while True:
            await self._to_show.wait()
            self._to_show.clear()
            while self._retained.in_hand < RETAINED_IN_HAND and (wanted := self._retained.next()):
                topic, payload = wanted
                self._retained.handed(
                    connection.publish(Message(topic, payload, retain=True)), topic, payload
                )

    def _note_lost(self, why: str) -> None:
        if self._state.connected or not self._state.losses:
            log.warning("mqtt: not connected: %s", why)
            self._state.since = self._clock.mono()
            self._state.losses += 1
        self._state.connected, self._state.why = False, why
