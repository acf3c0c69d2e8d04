"""A device model as data: its points, what may be written, how it is played and judged. Pure, no I/O.

A profile is one YAML file in `drivers/profiles/`; `gateway.config` validates it into these dataclasses and
`drivers.checks` looks for what types alone cannot see. Addresses are zero-based, as they stand on the wire.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  pydantic resolves these annotations when it loads a profile
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Literal

from drivers.registers import Order, PointType, Table, parse_register
from gateway.model import Quality  # noqa: TC001  as above

STRICT = {"extra": "forbid"}  # for pydantic: an unknown key in YAML is a mistake

# fmt: off
KINDS = (
    "manhole", "charging_pile", "electrical_fire", "gas",
    "meter", "water_level", "street_light", "lift", "smoke", "contact",
)
UNITS = frozenset({
    "%LEL", "%vol", "ppm", "mg/m³", "%RH", "%",
    "°C", "K", "°", "°/s", "g",
    "m", "cm", "mm", "m/s", "mm/s", "m³/h", "L/s", "Pa", "kPa", "MPa",
    "V", "mV", "A", "mA", "W", "kW", "var", "kvar", "VA", "kVA",
    "Wh", "kWh", "varh", "kvarh", "Hz", "Ω", "kΩ", "MΩ",
    "s", "min", "h", "d", "dB", "dBm", "lx",
})
# fmt: on
"""Every unit a point may have; "" is a bare number, a word or a bit."""


@dataclass(frozen=True, slots=True)
class Write:
    """What may be written to a point, in engineering units. Without it nothing may."""

    __pydantic_config__: ClassVar = STRICT

    min: float | None = None
    max: float | None = None
    words: tuple[str, ...] = ()  # for an enum: the words that may be written; none named = all of them
    function: Literal["auto", "single", "multiple"] = "auto"  # auto: FC05/06 for one, FC15/16 for more
    read_back: bool = True  # False for registers that act and forget, such as "write 1 to reset"
    register: str | None = None  # where it is written, when it is read elsewhere: a coil, and a contact back
    automatic: tuple[str, ...] | None = (
        None  # for an enum: the words an interlock may write; None: all. The others only a person may
    )


@dataclass(frozen=True, slots=True)
class QualityFrom:
    """Another point of the device that says whether this one may be believed."""

    __pydantic_config__: ClassVar = STRICT

    point: str
    when: Mapping[str, Quality]  # value of that point (its enum word, "true"/"false" or number) -> quality


@dataclass(frozen=True, slots=True)
class Point:
    """One thing a device can tell: where it is, what its bits mean, what is believable.

    It stands in a `register` (Modbus), or it is an `item` of a message (every other protocol).
    """

    __pydantic_config__: ClassVar = STRICT

    register: str = ""  # "table:address"
    type: PointType = PointType.NUMBER
    item: str = ""  # what the protocol calls it: a data identifier "02010100", a field "angle.x"
    name: Mapping[str, str] = field(default_factory=dict)  # {"zh": ..., "en": ...}
    unit: str = ""
    order: Order = Order.ABCD
    scale: float = (
        1.0  # value = raw * scale + offset; an integer stays an int only while scale is 1, offset 0
    )
    offset: float = 0.0
    range: tuple[float, float] | None = None  # believable values, engineering units, both ends included
    sentinel: tuple[int, ...] = ()  # raw bit patterns (unsigned, most significant byte first) for "no value"
    bit: int | None = None  # bool in a register: which bit, 0 is the lowest
    bits: tuple[int, int] | None = None  # highest and lowest bit of a field, both included: [15, 12]
    mask: int | None = None  # keeps these bits where they are
    half: Literal["high", "low"] = "low"  # for int8 and uint8
    enum: Mapping[int, str] | None = None  # raw code -> word; an unlisted code is UNKNOWN_CODE
    length: int = 0  # registers of a string
    encoding: str = "ascii"  # of a string
    readable: bool = True  # False: write only
    internal: bool = False  # read because others need it, not reported itself
    scale_from: str | None = None  # a point that holds the number of decimals: value = raw / 10 ** decimals
    quality_from: QualityFrom | None = None
    write: Write | None = None
    confirm: tuple[str, ...] = ()  # fields the source does not state: the site has to set them in `map`
    note: str = ""

    @property
    def table(self) -> Table:
        """The table it is read from."""
        return parse_register(self.register).table

    @property
    def address(self) -> int:
        """Its first address, zero-based."""
        return parse_register(self.register).address

    @property
    def is_bit(self) -> bool:
        """True when it is a coil or a discrete input."""
        return not self.item and self.table.is_bits

    @property
    def where(self) -> str:
        """Where it is, for people."""
        return self.item or self.register

    @property
    def count(self) -> int:
        """How many addresses it takes; 0 for an item of a message."""
        if self.item:
            return 0
        if self.table.is_bits:
            return 1
        return self.length if self.type is PointType.STRING else self.type.registers

    @property
    def is_text(self) -> bool:
        """True when its values are words or text."""
        return self.enum is not None or self.type is PointType.STRING


class Formula(StrEnum):
    """The closed list of computed points."""

    TILT_FROM_ANGLES = "tilt_from_angles"  # of: two angles about level axes in degrees; 0 is level, to 180
    TILT_FROM_GRAVITY = "tilt_from_gravity"  # of: x, y, z of the measured gravity; angle between it and z
    SUM = "sum"
    DIFFERENCE = "difference"  # the first minus the rest


@dataclass(frozen=True, slots=True)
class Derive:
    """A point computed from others of the same device. It is bad when one of them is."""

    __pydantic_config__: ClassVar = STRICT

    how: Formula
    of: tuple[str, ...]
    name: Mapping[str, str] = field(default_factory=dict)
    unit: str = ""
    range: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Defaults:
    """How the device comes from the factory and how often it is worth asking."""

    __pydantic_config__: ClassVar = STRICT

    baud: int | None = None
    parity: Literal["none", "even", "odd"] | None = None
    stop: Literal[1, 2] | None = None
    address: int | None = None
    every: float = 1.0  # seconds
    alarm_every: float | None = None  # seconds; None: as `every`
    quiet: bool = False  # speaks by itself, and says nothing while all is well: its silence is no fault


@dataclass(frozen=True, slots=True)
class Limits:
    """What the device can take."""

    __pydantic_config__: ClassVar = STRICT

    max_registers: int = 125  # per request; the specification's most
    max_bits: int = 2000
    min_interval: float = 0.0  # seconds between two requests to it
    bridge: bool = True  # False: never ask for a register that no point names


@dataclass(frozen=True, slots=True)
class Identity:
    """A register whose content betrays the model; for `tocsin scan`."""

    __pydantic_config__: ClassVar = STRICT

    register: str
    equals: tuple[int, ...]  # one of these, after the mask
    mask: int = 0xFFFF


@dataclass(frozen=True, slots=True)
class Ports:
    """What every port of a device has, written once: see `drivers.ports`."""

    __pydantic_config__: ClassVar = STRICT

    count: int  # as many as the model can have; a site says how many a device has with `ports`
    points: Mapping[str, Point]
    rules: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    persona: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    dramas: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Profile:
    """Everything Tocsin knows about a device model."""

    __pydantic_config__: ClassVar = STRICT

    kind: str  # one of KINDS
    name: Mapping[str, str]
    source: str  # where the map comes from, and how sure it is
    points: Mapping[str, Point]
    protocol: str = "modbus"  # the name of a family; Modbus: RTU and TCP alike
    derive: Mapping[str, Derive] = field(default_factory=dict)
    defaults: Defaults = Defaults()
    limits: Limits = Limits()
    identity: tuple[Identity, ...] = ()
    rules: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # gateway.config makes rules of them
    persona: Mapping[str, Mapping[str, Any]] = field(
        default_factory=dict
    )  # point -> shape, for the simulator
    dramas: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)
    notes: str = ""
    ports: Ports | None = None

    @property
    def reported(self) -> tuple[str, ...]:
        """Names of the points that a sample of this device carries, computed ones last."""
        read = (n for n, p in self.points.items() if p.readable and not p.internal)
        return (*read, *self.derive)

    def unit(self, name: str) -> str:
        """Return the unit of a point, read or computed; "" for one without, and for a name it has not."""
        point = self.points.get(name) or self.derive.get(name)
        return "" if point is None else point.unit

    @property
    def alarm_points(self) -> tuple[str, ...]:
        """Points that rules judge by value: these are read first, at their own faster period."""
        judged: set[str] = set()
        for rule in self.rules.values():
            if rule.get("type") not in {"stale", "bad_data"}:
                judged.update((str(rule.get("point", "")), *rule.get("points", ())))
        return tuple(name for name in self.reported if name in judged)

    def needs(self, wanted: tuple[str, ...] | list[str]) -> tuple[str, ...]:
        """Return the device's own points that must be read to know the `wanted` ones, in profile order."""
        need: set[str] = set()
        todo = list(wanted)
        while todo:
            name = todo.pop()
            if name in need:
                continue
            need.add(name)
            if name in self.derive:
                todo.extend(self.derive[name].of)
            elif name in self.points:
                point = self.points[name]
                todo.extend(n for n in (point.scale_from, _status(point)) if n is not None)
        return tuple(name for name in self.points if name in need)


def _status(point: Point) -> str | None:
    return None if point.quality_from is None else point.quality_from.point
