"""One MQTT v5 connection inside the asyncio loop. Paho speaks the protocol; sockets and time are driven here.

Each connection has a paho client of its own, so nothing of an earlier one is sent from its memory, and
`max_inflight` holds (after a reconnect paho ignores it). Connecting, with name look-up and TLS handshake,
blocks: it runs in a thread that is left behind when it takes too long. In steady state there is no thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import socket
import ssl
import struct
import termios
import threading
from typing import TYPE_CHECKING, Protocol

from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.subscribeoptions import SubscribeOptions

from gateway.links.mqtt_broker import (
    Broker,
    CannotConnect,
    Message,
    at_most_once,
    client_of,
    dial,
    make_properties,
    why_lost,
)
from gateway.links.patience import Watchdog

if TYPE_CHECKING:
    from collections.abc import Iterable

    from paho.mqtt.client import Client, MQTTMessage
    from paho.mqtt.reasoncodes import ReasonCode

    from gateway.clock import Clock

CONNECT_TIMEOUT = 10.0  # seconds from the look-up of the name to the CONNACK
TICK = 0.5  # seconds between looks at keepalive and watchdog
SLOW_BYTES = 4096  # this much still unsent, and shrinking: the line is slow, not dead
IN_HAND = 200  # QoS 1 messages without PUBACK that paho may hold; the outbox stays well below


class Owner(Protocol):
    """Who holds a connection; called from inside the loop, must not block or raise."""

    def arrived(self, message: MQTTMessage) -> None:
        """Take a message that came in."""

    def acknowledged(self, mid: int, reason: ReasonCode) -> None:
        """Take the PUBACK of the message that `publish` gave this number for."""


class Connection:
    """An open connection; once lost it stays lost. All methods are called in the loop."""

    def __init__(self, broker: Broker, owner: Owner, clock: Clock) -> None:
        self._broker, self._owner, self._clock = broker, owner, clock
        self._loop = asyncio.get_running_loop()
        self._connack: asyncio.Future[ReasonCode] = self._loop.create_future()
        self._lost: asyncio.Future[str] = self._loop.create_future()
        self._fd = -1  # -1: not watched by the loop
        self._writing = False
        self._rest = b""  # of what `show` was given; nothing else may be sent before it
        self._unsent = 0
        self._dog = Watchdog(clock.mono())
        self.session_present = False
        self._client = self._make_client()

    def _make_client(self) -> Client:
        client = client_of(self._broker, IN_HAND)
        client.connect_timeout = CONNECT_TIMEOUT
        client.on_connect = self._on_connect
        client.on_disconnect = lambda _c, _u, flags, reason, _p: self._lose(why_lost(flags, reason))
        client.on_socket_register_write = lambda _c, _u, _sock: None  # with it paho writes only when told to
        client.on_socket_close = lambda _c, _u, _sock: self._detach()
        client.on_message = lambda _c, _u, message: self._owner.arrived(message)
        client.on_publish = lambda _c, _u, mid, reason, _p: self._owner.acknowledged(mid, reason)
        return client

    def _on_connect(
        self, _client: Client, _user: object, flags: object, reason: ReasonCode, _properties: object
    ) -> None:
        self.session_present = bool(getattr(flags, "session_present", False))
        if not self._connack.done():
            self._connack.set_result(reason)

    @classmethod
    async def open(
        cls, broker: Broker, owner: Owner, clock: Clock, patience: float = CONNECT_TIMEOUT
    ) -> Connection:
        """Connect and wait for the CONNACK; CannotConnect when refused or not done within `patience` seconds.

        The caller's task is free to be cancelled; nothing stays open then.
        """
        connection = cls(broker, owner, clock)
        with contextlib.ExitStack() as undo:
            undo.callback(connection.drop, "could not connect")
            try:
                async with asyncio.timeout(patience):
                    await connection._connect()
                    reason = await connection._connack
            except TimeoutError:
                raise CannotConnect(f"{broker.url}: no CONNACK within {patience:.0f} s") from None
            except OSError as error:
                raise CannotConnect(f"{broker.url}: {error!s:.200}") from error
            if reason.is_failure:
                who = repr(broker.username or "anonymous")
                raise CannotConnect(f"{broker.url}: refused as {who}: {reason}")
            undo.pop_all()
        return connection

    async def _connect(self) -> None:
        done: asyncio.Future[None] = self._loop.create_future()
        if self._broker.address[2]:
            self._client.tls_set_context(self._broker.tls_context())

        def settle(error: OSError | None) -> None:
            if done.done():  # nobody waits any more: close what came too late
                self._client_close()
            elif error is not None:
                done.set_exception(error)
            else:
                done.set_result(None)

        def connect() -> None:
            error = dial(self._client, self._broker)
            with contextlib.suppress(RuntimeError):  # the loop is closed: the process ends
                self._loop.call_soon_threadsafe(settle, error)

        # Not the loop's executor: at the end that would wait for a resolver that does not answer.
        threading.Thread(target=connect, name="mqtt-connect", daemon=True).start()
        await done
        self._attach()

    def _attach(self) -> None:
        sock = self._client.socket()
        if not isinstance(sock, socket.socket):  # an SSLSocket is one too
            raise ConnectionError("closed at once")
        self._fd = sock.fileno()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._dog.hear(self._clock.mono())
        self._loop.add_reader(self._fd, self._readable)
        self._flush()
        self._loop.call_later(TICK, self._tick)

    def _readable(self) -> None:
        self._dog.hear(self._clock.mono())
        while True:
            result = self._client.loop_read()
            # TLS: what is decrypted already makes no socket readable
            pending = getattr(self._client.socket(), "pending", None)
            if result != MQTTErrorCode.MQTT_ERR_SUCCESS or pending is None or not pending():
                break
        self._flush()

    def _flush(self) -> None:
        """Write what paho has; wait for room in the socket where it does not all fit."""
        if self._fd >= 0 and self._rest:
            self._send_rest()
        if self._fd >= 0 and not self._rest and self._client.want_write():
            self._client.loop_write()
        wants = bool(self._rest) or self._client.want_write()
        if self._fd < 0 or wants == self._writing:
            return
        self._writing = wants
        if wants:
            self._loop.add_writer(self._fd, self._flush)
        else:
            self._loop.remove_writer(self._fd)

    def _send_rest(self) -> None:
        sock = self._client.socket()
        if not isinstance(sock, socket.socket):
            return
        try:
            sent = sock.send(self._rest)
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            return
        except OSError as error:
            self.drop(f"sending failed: {error!s:.200}")
            return
        self._rest = self._rest[sent:]

    def _tick(self) -> None:
        if self._lost.done():
            return
        now = self._clock.mono()
        before, self._unsent = self._unsent, self.unsent
        if before > self._unsent >= SLOW_BYTES:
            self._dog.hear(now)
        if self._dog.dead(now):
            self.drop(f"no byte from the broker for {now - self._dog.heard:.0f} s")
            return
        if self._dog.probe_due(now):
            self._client._send_pingreq()  # noqa: SLF001  paho has no public ping, and its own comes too late
        self._client.loop_misc()
        self._flush()
        self._loop.call_later(TICK, self._tick)

    def publish(self, message: Message) -> int:
        """Hand a message over; return its number for `acknowledged`, 0 when the connection is gone."""
        if self._lost.done():
            return 0
        told: dict[str, object] = {}
        if message.properties:
            told["UserProperty"] = list(message.properties)
        if message.correlation:
            told["CorrelationData"] = message.correlation
        properties = make_properties(PacketTypes.PUBLISH, **told) if told else None
        info = self._client.publish(
            message.topic, message.payload, message.qos, message.retain, properties=properties
        )
        self._flush()
        return info.mid if info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS else 0

    def show(self, messages: Iterable[Message]) -> None:
        """Send messages that nobody acknowledges, in one piece; not to be called while `congested`.

        Paho would take ten times as long for each, and a system call.
        """
        if not self._lost.done():
            self._rest += b"".join(map(at_most_once, messages))
            self._flush()

    def subscribe(self, name: str, *, own: bool = True) -> None:
        """Subscribe with QoS 1; `own=False` leaves out what this connection publishes itself."""
        self._client.subscribe(name, options=SubscribeOptions(qos=1, noLocal=not own))
        self._flush()

    def unsubscribe(self, name: str) -> None:
        """Unsubscribe."""
        self._client.unsubscribe(name)
        self._flush()

    def ack(self, message: MQTTMessage) -> None:
        """Acknowledge a message (`manual_ack`); the caller keeps the order."""
        self._client.ack(message.mid, message.qos)
        self._flush()

    async def lost(self) -> str:
        """Wait until the connection is gone; return why."""
        return await asyncio.shield(self._lost)

    @property
    def unsent(self) -> int:
        """Bytes the kernel holds that the far end's kernel has not taken yet."""
        if self._fd < 0:
            return 0
        left: int = struct.unpack("i", fcntl.ioctl(self._fd, termios.TIOCOUTQ, b"\0\0\0\0"))[0]
        return left

    @property
    def congested(self) -> bool:
        """Whether the kernel takes no more for now."""
        return self._writing

    @property
    def is_lost(self) -> bool:
        """Whether the connection is gone."""
        return self._lost.done()

    def drop(self, why: str) -> None:
        """Close without a word: the broker publishes the last will."""
        self._lose(why)
        self._client_close()

    def close(self) -> None:
        """Say goodbye and close: the broker discards the last will."""
        if not self._lost.done():
            self._client.disconnect()
            self._flush()
        self.drop("closed")

    def _lose(self, why: str) -> None:
        self._detach()
        if not self._lost.done():
            self._lost.set_result(why)
        if not self._connack.done():
            self._connack.set_exception(ConnectionError(why))
            self._connack.exception()  # it is all right if nobody waits for it

    def _detach(self) -> None:
        """Take the socket out of the loop; must come before it is closed and its number used again."""
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            self._loop.remove_writer(self._fd)
            self._fd = -1

    def _client_close(self) -> None:
        sock = self._client.socket()
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.close()
