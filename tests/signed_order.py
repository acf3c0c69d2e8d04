"""Somebody behind the broker who gives signed orders and waits for their answers: paho on its own, not our client."""

from __future__ import annotations

import json
import queue
import time
import uuid
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gateway.links.signed import sign

if TYPE_CHECKING:
    from types import TracebackType

ROOT = "tocsin/v1/lvjing/gw-01"
SECOND = 10**9


class Centre:
    """One signer."""

    def __init__(self, url: str, name: str, key: bytes) -> None:
        self.name, self.key = name, key
        self.where = urlsplit(url)
        self.topic = f"{ROOT}/answer/{uuid.uuid4().hex}"
        self.answers: queue.Queue[MQTTMessage] = queue.Queue()
        self.client = Client(
            CallbackAPIVersion.VERSION2, client_id=self.topic, protocol=MQTTProtocolVersion.MQTTv5
        )
        self.client.on_message = lambda _c, _u, message: self.answers.put(message)

    def __enter__(self) -> Self:
        subscribed: queue.Queue[int] = queue.Queue()
        self.client.on_subscribe = lambda _c, _u, mid, _r, _p: subscribed.put(mid)
        self.client.connect(str(self.where.hostname), self.where.port or 1883)
        self.client.loop_start()
        self.client.subscribe(self.topic, qos=1)
        subscribed.get(timeout=10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def order(self, device: str, point: str, value: object) -> dict[str, Any]:
        """A new order; its counter is the time, so it grows."""
        return {
            "format": 1,
            "site": "lvjing",
            "gateway": "gw-01",
            "id": uuid.uuid4().hex,
            "counter": time.time_ns(),
            "device": device,
            "point": point,
            "value": value,
            "expires": time.time_ns() + 20 * SECOND,
        }

    def signed(self, order: dict[str, Any]) -> bytes:
        return sign(self.name, self.key, order)

    def send(self, order: dict[str, Any]) -> dict[str, Any]:
        return self.say(self.signed(order))

    def say(self, payload: bytes, topic: str | None = None) -> dict[str, Any]:
        """Publish, and return the answer that belongs to it."""
        mark = uuid.uuid4().bytes
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho's
        properties.ResponseTopic, properties.CorrelationData = topic or self.topic, mark
        self.client.publish(f"{ROOT}/command", payload, qos=1, properties=properties)
        message = self.answers.get(timeout=15)
        assert message.properties is not None
        assert message.properties.CorrelationData == mark  # type: ignore[attr-defined]  # paho sets it
        found: dict[str, Any] = json.loads(message.payload)
        return found

    def leave(self, payload: bytes) -> None:
        """Leave a retained message at the broker."""
        self.client.publish(f"{ROOT}/command", payload, qos=1, retain=True).wait_for_publish(5)
