"""A subscriber for tests that hears everything, and can speak."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from gateway.clock import SystemClock
from gateway.links.custody import parse_properties
from gateway.links.mqtt_broker import Broker, Message
from gateway.links.mqtt_client import Connection

if TYPE_CHECKING:
    from paho.mqtt.client import MQTTMessage
    from paho.mqtt.reasoncodes import ReasonCode


@dataclass(frozen=True)
class Heard:
    topic: str
    payload: bytes
    retain: bool
    at: float
    record: tuple[str, int, int] | None


class Ear:
    """`async with Ear(url, "tocsin/v1/#") as ear`."""

    def __init__(self, url: str, topic: str, *, ca: str = "", cert: str = "", key: str = "") -> None:
        self.heard: list[Heard] = []
        self.clock = SystemClock()
        self.topic = topic
        self.broker = Broker(url, f"ear-{id(self)}", ca=ca, cert=cert, key=key, session_expiry=0)
        self.connection: Connection | None = None

    async def __aenter__(self) -> Self:
        self.connection = await Connection.open(self.broker, self, self.clock)
        self.connection.subscribe(self.topic)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.connection:
            self.connection.close()

    def arrived(self, message: MQTTMessage) -> None:
        record = None
        if pairs := getattr(message.properties, "UserProperty", None):
            said = parse_properties(pairs)
            record = (said.lane, said.epoch, said.seq)
        topic, payload = message.topic, bytes(message.payload)
        self.heard.append(Heard(topic, payload, message.retain, self.clock.mono(), record))

    def acknowledged(self, mid: int, reason: ReasonCode) -> None:
        pass

    def say(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        assert self.connection
        self.connection.publish(Message(topic, payload, retain=retain))

    def on(self, topic: str) -> list[Heard]:
        return [h for h in self.heard if h.topic == topic]
