"""What a site file says, checked: frozen dataclasses. All durations are seconds, all sizes bytes.

The types of `gateway.config.fields` are imported only when a file is read (`gateway.config.validate` then
resolves the annotations): the daemon holds these dataclasses, but not the 10 MB that it takes to check them.
"""

# ruff: noqa: TC001, TC003 - pydantic resolves these annotations when it runs

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

from drivers.line.settings import LineSettings
from drivers.profile import Profile
from gateway.config.far import ConsoleSettings, FireCenterSettings, MqttSettings
from gateway.config.outputs import OrdersSettings
from gateway.language import say
from rules import verify
from rules.interlock import Interlock
from rules.ladders import check_condition
from rules.permissions import Role
from rules.rule import Rule

if TYPE_CHECKING:
    from gateway.config.fields import (
        Address,
        Crs,
        Date,
        Duration,
        FilePath,
        Filled,
        Latitude,
        Longitude,
        Name,
        Number,
        Seconds,
        SecretRef,
        Size,
        Whole,
        Words,
        Zone,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a device is, for the people who have to go there."""

    text: str = ""
    building: str = ""
    floor: str = ""
    lat: Latitude | None = None
    lon: Longitude | None = None
    crs: Crs | None = None  # required with lat and lon: a mixed-up system is 300 to 500 m wrong

    def __post_init__(self) -> None:
        """Refuse half a coordinate."""
        if (self.lat is None) != (self.lon is None):
            raise ValueError(say("lat 与 lon 必须一起给出", "lat and lon go together"))
        if self.lat is not None and self.crs is None:
            en = "lat and lon need crs: WGS-84, GCJ-02 or BD-09"
            raise ValueError(say("给出 lat、lon 就要给出 crs：WGS-84、GCJ-02 或 BD-09", en))


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """Whose ground a device stands on."""

    district: str = ""
    street: str = ""
    community: str = ""
    grid: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceEntry:
    """One device as a site file or a row of the ledger writes it, before its profile is applied."""

    profile: Filled
    line: Filled
    address: Address
    every: Duration | None = None  # None: as the profile says
    alarm_every: Duration | None = None  # None: as the profile says, at most `every`
    place: Place = Place()
    area: Area = Area()
    zone: str = ""
    owner: str = ""
    gateway: Name | None = None  # whose device it is, where two gateways see it; None: this one's
    installed: Date | None = None
    calibrated: Date | None = None
    baseline: Mapping[str, Number] = field(default_factory=dict)
    map: Mapping[str, dict[str, Any] | None] = field(default_factory=dict)
    ports: Whole | None = None  # how many it has, where the profile's model can have more
    allow_writes: tuple[str, ...] = ()
    password: SecretRef | None = None  # without which a meter takes no orders
    rules: Mapping[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceSettings:
    """One device, ready to run: profile resolved and re-mapped, rules merged."""

    name: str
    profile: Profile
    profile_name: str  # "gas/oem-module"
    line: str
    address: int | str
    every: float
    alarm_every: float  # at most `every`
    place: Place
    area: Area
    zone: str
    owner: str
    installed: Date | None
    calibrated: Date | None
    baseline: Mapping[str, float]
    allow_writes: tuple[str, ...]
    rules: tuple[Rule, ...]  # without those that are switched off
    rules_off: Mapping[str, str] = field(default_factory=dict)  # rule -> reason
    password: SecretRef | None = None
    foreign: str = ""  # the other gateway that owns it: here it is watched and marked, and nobody is told


@dataclass(frozen=True, slots=True, kw_only=True)
class TelemetrySettings:
    """How much of the readings is kept."""

    keep: Duration = 30 * 86400.0
    max: Size = 2 * 2**30
    group: Duration = 2.0  # readings of so long are one record


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsSettings:
    """How long events are kept; an alarm that was not delivered is kept in any case."""

    keep: Duration = 3 * 365 * 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """The journal."""

    telemetry: TelemetrySettings = TelemetrySettings()
    events: EventsSettings = EventsSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who is told, and how, best way first; somebody who operates the gateway, and as what."""

    name: Words | None = None
    reach: tuple[SecretRef, ...] = ()  # Apprise URLs hold passwords, so they are secrets
    user: str | None = None  # his account on this machine: who he is when he opens the gateway's socket
    role: Role | None = None  # what he may do; with no role given to anybody, all who may open it may


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a ladder: whom to tell how long after the alarm, and what ends it."""

    at: Seconds | Literal["shift_start"]  # the latter: when the next shift begins, at 8 and at 20 o'clock
    to: tuple[str, ...]
    until: Literal["ack", "accepted"] | None = None
    condition: str | None = None  # YAML key: if

    def __post_init__(self) -> None:
        """Refuse a condition that nobody can decide."""
        if self.condition is not None and (wrong := check_condition(self.condition)):
            raise ValueError(say(f"if：条件不对：{wrong}", f"if: {wrong}"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Verify:
    """Somebody looks at the fire of one detector before its ladder is climbed (`rules.verify`)."""

    to: tuple[str, ...]
    ack: Seconds = verify.LONGEST_ACK
    investigate: Seconds = verify.LONGEST

    def __post_init__(self) -> None:
        """Refuse what no fire panel allows."""
        if wrong := "; ".join(self.made().mistakes()):
            raise ValueError(say(f"核实的设置不对：{wrong}", wrong))

    def made(self) -> verify.Verify:
        """Return it for the engine."""
        return verify.Verify(self.to, self.ack, self.investigate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """Who is told, when, until what."""

    steps: tuple[Step, ...]
    verify: Verify | Literal["none"] | None = None  # the block first: its mistakes are the ones to tell


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The site file but for its lines and devices, which are checked one by one."""

    site: Name
    gateway: Name
    name: Words | None = None
    timezone: Zone
    data: FilePath = Path("/var/lib/tocsin")
    demo: bool = False
    lines: Mapping[str, Any]
    devices: Mapping[str, Any] | None = None
    ledger: FilePath | None = None
    rules: Mapping[str, Any] | None = None
    ladders: Mapping[str, Ladder] | None = None
    people: Mapping[str, Person] | None = None
    interlocks: Mapping[str, Any] | None = None
    orders: OrdersSettings | None = None
    mqtt: MqttSettings | None = None
    fire_center: FireCenterSettings | None = None
    console: ConsoleSettings | None = None
    store: StoreSettings | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Everything a gateway is told by its operator."""

    path: Path
    site: str
    gateway: str
    name: Mapping[str, str]
    timezone: ZoneInfo
    data: Path
    demo: bool
    lines: Mapping[str, LineSettings]
    devices: Mapping[str, DeviceSettings]
    rules: Mapping[str, tuple[Rule, ...]] = field(default_factory=dict)  # of the site and its zones
    ladders: Mapping[str, Ladder] = field(default_factory=dict)
    people: Mapping[str, Person] = field(default_factory=dict)
    interlocks: tuple[Interlock, ...] = ()
    orders: OrdersSettings = field(default_factory=OrdersSettings)
    mqtt: MqttSettings | None = None
    fire_center: FireCenterSettings | None = None
    console: ConsoleSettings = field(default_factory=ConsoleSettings)
    store: StoreSettings = StoreSettings()
    notes: tuple[str, ...] = ()  # what the operator should know: rules switched off or loosened ...
