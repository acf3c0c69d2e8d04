"""Where the MQTT broker is, as whom to speak to it, how it is reached, and what a message is."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

if TYPE_CHECKING:
    from paho.mqtt.client import DisconnectFlags
    from paho.mqtt.reasoncodes import ReasonCode


class CannotConnect(Exception):
    """No connection came about; the text says why."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message to publish."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False
    properties: tuple[tuple[str, str], ...] = ()
    correlation: bytes = b""  # of an answer


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is and as whom to speak to it."""

    url: str  # mqtt://host[:1883] or mqtts://host[:8883]
    client_id: str  # stable: the broker keeps the session under it
    username: str = ""
    password: str = ""
    ca: str = ""
    cert: str = ""
    key: str = ""
    keepalive: float = 15.0  # s
    session_expiry: float = 86400.0  # s the broker keeps session and subscriptions after a loss
    will: Message | None = None
    manual_ack: bool = False
    receive_maximum: int = 100  # un-acknowledged messages the broker may send us

    @property
    def address(self) -> tuple[str, int, bool]:
        """Return host, port and whether TLS is spoken; ValueError when the URL is none of ours."""
        parts = urlsplit(self.url)
        if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname:
            raise ValueError(f"{self.url!r}: wanted mqtt://HOST[:PORT] or mqtts://HOST[:PORT]")
        tls = parts.scheme == "mqtts"
        return parts.hostname, parts.port or (8883 if tls else 1883), tls

    def tls_context(self) -> ssl.SSLContext:
        """Return what TLS is spoken with; OSError (ssl.SSLError is one) when a file of it is unusable."""
        for key, file in (("ca", self.ca), ("cert", self.cert), ("key", self.key)):
            if file:
                try:
                    Path(file).open("rb").close()
                except OSError as error:  # ssl would not say which
                    raise OSError(f"{key} {file}: {error.strerror}") from None
        context = ssl.create_default_context(cafile=self.ca or None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.cert:
            context.load_cert_chain(self.cert, self.key or None)
        return context


def at_most_once(message: Message) -> bytes:
    """Return the PUBLISH packet of a message without properties that nobody acknowledges (MQTT v5, 3.3)."""
    topic = message.topic.encode()
    left = len(topic) + len(message.payload) + 3  # two bytes for the topic's length, one for no properties
    head = bytearray((0x31 if message.retain else 0x30,))
    while left > 127:
        head.append(left & 127 | 128)
        left >>= 7
    head.append(left)
    return b"".join((head, len(topic).to_bytes(2, "big"), topic, b"\0", message.payload))


def make_properties(kind: int, **values: object) -> Properties:
    """Return MQTT v5 properties for a packet type."""
    properties = Properties(kind)  # type: ignore[no-untyped-call]  # paho leaves it untyped
    for name, value in values.items():
        setattr(properties, name, value)
    return properties


def client_of(broker: Broker, in_hand: int) -> Client:
    """Return a client for one connection; `in_hand`: QoS 1 messages without PUBACK that it may hold."""
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=broker.client_id,
        protocol=MQTTProtocolVersion.MQTTv5,
        reconnect_on_failure=False,
        manual_ack=broker.manual_ack,
    )
    client.max_inflight_messages = in_hand
    client.max_queued_messages = in_hand
    if broker.username:
        client.username_pw_set(broker.username, broker.password)
    if broker.will:
        will = broker.will
        client.will_set(will.topic, will.payload, will.qos, will.retain)
    return client


def dial(client: Client, broker: Broker) -> OSError | None:
    """Look up the name, connect, shake hands, send CONNECT; return what went wrong. Blocks: for a thread."""
    host, port, _ = broker.address
    properties = make_properties(
        PacketTypes.CONNECT,
        SessionExpiryInterval=round(broker.session_expiry),
        ReceiveMaximum=broker.receive_maximum,
    )
    keepalive = max(1, round(broker.keepalive))
    try:
        # clean_start=False: else Mosquitto never writes the session down (lab.md 2.1)
        client.connect(host, port, keepalive=keepalive, clean_start=False, properties=properties)
    except OSError as error:
        return error.with_traceback(None)  # paho leaves a socket of a failed handshake to its frames
    except ValueError as error:  # a host name that cannot be one
        return OSError(f"{host}: {error}")
    return None


def why_lost(flags: DisconnectFlags, reason: ReasonCode) -> str:
    """Return for people why a connection has ended."""
    if flags.is_disconnect_packet_from_server:
        return f"the broker says: {reason}"
    return "closed without a word: the broker ended, the network broke, or a second gateway has this name"
