"""What a site file says about those it is connected with: the broker, the fire centre, its own console.

Like `settings`, frozen, and without the types of `gateway.config.fields` until a file is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.language import say

if TYPE_CHECKING:
    from gateway.config.fields import Broker, Duration, Endpoint, FilePath, Filled, SecretRef, SixBytes


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttSettings:
    """The broker that takes everything."""

    url: Broker
    username: Filled | None = None
    password: SecretRef | None = None
    ca: FilePath | None = None
    cert: FilePath | None = None
    key: FilePath | None = None
    keepalive: Duration = 15.0

    def __post_init__(self) -> None:
        """Refuse what the protocol or TLS would refuse later."""
        if (self.cert is None) != (self.key is None):
            raise ValueError(say("cert 与 key 必须一起给出", "cert and key go together"))
        if self.password is not None and self.username is None:
            raise ValueError(say("有 password 就要有 username", "password needs username"))
        if self.url.startswith("mqtt://") and (self.ca or self.cert):
            en = "ca, cert and key need a url that begins with mqtts://"
            raise ValueError(say("用 ca、cert、key 时，url 必须以 mqtts:// 开头", en))
        if not 1 <= self.keepalive <= 65535:
            raise ValueError(say("keepalive 必须是 1s 到 65535s", "keepalive must be 1s to 65535s"))


@dataclass(frozen=True, slots=True, kw_only=True)
class FireCenterSettings:
    """The fire monitoring centre: GB/T 26875.3-2011 over TCP. Its addresses have 6 bytes."""

    address: Endpoint
    source: SixBytes
    destination: SixBytes
    heartbeat: Duration = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleSettings:
    """The local web console."""

    listen: Endpoint = "127.0.0.1:8080"
