"""What a site file says about outputs: interlocks, and orders of people. As `settings`, frozen."""

# ruff: noqa: TC003 - pydantic resolves these annotations when it runs

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from gateway.language import say
from rules.interlock import HOUR
from rules.permissions import Role

if TYPE_CHECKING:
    from gateway.config.fields import Duration, Filled, Seconds, SecretRef


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEntry:
    """What an interlock orders."""

    device: Filled
    point: Filled
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseEntry:
    """What an interlock orders when all is over, and how long after."""

    value: Any
    after: Duration = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class InterlockEntry:
    """One interlock as a site file writes it; `rules.interlock.Interlock` says what each means."""

    when: tuple[str, ...]  # alarms: DEVICE/RULE, also patterns
    order: OrderEntry
    level: int | None = None
    delay: Seconds = 0.0
    release: ReleaseEntry | None = None
    within: Duration = 10.0
    give_up: Duration = HOUR
    per_hour: int = 6
    drill: bool = False
    hold: bool = True
    on_stop: Literal["hold", "act", "release"] = "hold"
    hardware: str = ""

    def __post_init__(self) -> None:
        """Refuse what could never work."""
        if self.level is not None and not 1 <= self.level <= 4:
            raise ValueError(say("level 必须是 1（红）到 4（蓝）", "level must be 1 (red) to 4 (blue)"))
        if not 1 <= self.per_hour <= 60:
            raise ValueError(say("per_hour 必须是 1 到 60", "per_hour must be 1 to 60"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Somebody at the far end of the broker whose signed orders are taken."""

    key: SecretRef  # shared with him, at least 32 characters
    role: Role = Role.OPERATOR


@dataclass(frozen=True, slots=True, kw_only=True)
class OrdersSettings:
    """Orders of people: how many one point takes, and whose are taken over MQTT."""

    pause: Seconds = 1.0  # at least, between two writes to one point
    per_hour: int = 60  # at most, to one point
    signers: Mapping[str, Signer] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what could never work."""
        if not 1 <= self.per_hour <= 3600:
            raise ValueError(say("per_hour 必须是 1 到 3600", "per_hour must be 1 to 3600"))
