"""One played device: registers kept up from its persona, and what faults do to its answers. No I/O."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drivers.codec.encode import encode
from drivers.registers import PointType, Table
from drivers.simulator import faults, wire
from drivers.simulator.persona import Code, PersonaError, parse_dramas, parse_persona
from drivers.simulator.player import Player
from drivers.simulator.wire import Refusal

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

    from drivers.profile import Limits, Point, Profile
    from drivers.simulator.persona import Shape
    from gateway.model import Value

REFRESH = 0.1
"""Seconds: values are looked at no more often than this."""
_BRIDGED = 8  # a gap of so many addresses between points is memory too, reads 0; a wider one does not exist

_AGE = 1000.0  # hours that counters have behind them at the start


@dataclass(slots=True)
class Counts:
    """What a device heard and said."""

    requests: int = 0
    answers: int = 0
    exceptions: int = 0
    writes: int = 0


class Image:
    """The registers of a device. What is written stays until it is forgotten."""

    def __init__(self, points: Mapping[str, Point], limits: Limits) -> None:
        self._points = points
        self._most = {table: limits.max_bits if table.is_bits else limits.max_registers for table in Table}
        self._words: dict[Table, dict[int, int]] = {table: {} for table in Table}
        self._written: dict[tuple[Table, int], int] = {}
        self._shown: dict[str, Value] = {}
        self._writable = frozenset(
            place for point in points.values() if point.write is not None for place in _places(point)
        )
        for point in points.values():
            self._words[point.table].update(
                dict.fromkeys(range(point.address, point.address + point.count), 0)
            )
        if limits.bridge:
            for words in self._words.values():
                _bridge(words)
        self.update({name: _still(point) for name, point in points.items()})

    def update(self, values: Mapping[str, Value]) -> None:
        """Put the values of points into the registers. Raises PersonaError for one that has no place."""
        for name, value in values.items():
            if self._shown.get(name) == value and name in self._shown:
                continue
            self._show(name, value, values)
            self._shown[name] = value

    def _show(self, name: str, value: Value, values: Mapping[str, Value]) -> None:
        point = self._points[name]
        words = self._words[point.table]
        places = range(point.address, point.address + point.count)
        base = [words[address] for address in places]
        decimals = self._decimals(point, values)
        try:
            new = encode(point, value, base, decimals)
        except ValueError:
            if isinstance(value, str):
                raise PersonaError(f"{name}: {value!r} cannot be told by {point.register}") from None
            new = encode(point, _wrapped(point, value), base, decimals)
        words.update(zip(places, new, strict=True))

    def _decimals(self, point: Point, values: Mapping[str, Value]) -> int:
        if point.scale_from is None:
            return 0
        return int(values.get(point.scale_from, self._shown.get(point.scale_from, 0)))

    def read(self, table: Table, start: int, count: int) -> list[int]:
        """Return bits or registers; raise Refusal."""
        words = self._words[table]
        if not words:
            raise Refusal(wire.ILLEGAL_FUNCTION)
        if count > self._most[table]:
            raise Refusal(wire.ILLEGAL_VALUE)
        try:
            found = [words[address] for address in range(start, start + count)]
        except KeyError:
            raise Refusal(wire.ILLEGAL_ADDRESS) from None
        if self._written:
            for i in range(count):
                found[i] = self._written.get((table, start + i), found[i])
        return found

    def write(self, table: Table, start: int, values: list[int]) -> None:
        """Take bits or registers; raise Refusal."""
        places = [(table, start + i) for i in range(len(values))]
        if not self._writable.issuperset(places):
            raise Refusal(wire.ILLEGAL_ADDRESS)
        self._written.update(zip(places, values, strict=True))

    def forget(self, name: str) -> None:
        """Let the registers of a point follow the persona again."""
        for place in _places(self._points[name]):
            self._written.pop(place, None)


def _places(point: Point) -> list[tuple[Table, int]]:
    return [(point.table, point.address + i) for i in range(point.count)]


def _wrapped(point: Point, value: float) -> float:
    """Return what a register shows of a number that does not fit: counters start again, noise ends at 0."""
    if value < 0:
        return 0
    top, low = point.bits or (16 * point.count - 1, 0)
    width = 8 if point.type in {PointType.INT8, PointType.UINT8} else top - low + 1
    codes = (
        10 ** (4 * point.count) if point.type.is_bcd else 1 << (width - point.type.value.startswith("int"))
    )
    return (round((value - point.offset) / point.scale) % codes) * point.scale + point.offset


def _still(point: Point) -> Value:
    """Return what a point shows that nobody plays: nothing, or as little as is believable."""
    if point.enum is not None:
        return next(iter(point.enum.values()))
    if point.type is PointType.STRING:
        return ""
    if point.type is PointType.BOOL or point.table.is_bits:
        return False
    if point.range is None or point.scale_from is not None:
        return 0
    return min(max(0.0, point.range[0]), point.range[1])


def _bridge(words: dict[int, int]) -> None:
    known = sorted(words)
    for low, high in itertools.pairwise(known):
        if high - low <= _BRIDGED + 1:
            words.update(dict.fromkeys(range(low + 1, high), 0))


class Unit:
    """One device on a line. One owner: the line it hangs on."""

    def __init__(
        self,
        name: str,
        address: int,
        player: Player,
        points: Mapping[str, Point],
        limits: Limits,
        turnaround: float = 0.005,
    ) -> None:
        """Make a unit. Raises PersonaError when the persona plays points that are not there."""
        if unknown := player.points - points.keys():
            raise PersonaError(f"{name}: the persona plays {', '.join(sorted(unknown))}: no such points")
        self.name = name
        self.address = address
        self.player = player
        self.turnaround = turnaround  # seconds from the end of the request's silence to the answer
        self.faults: dict[str, faults.Fault] = {}
        self.counts = Counts()
        self.points = points
        self._image = Image(points, limits)
        self._fresh_until = -1.0

    def has(self, point: str) -> bool:
        """Tell whether the device has such a point."""
        return point in self.points

    def set(self, point: str, value: Value) -> None:
        """Hold a point at a value, over persona and writes."""
        self._image.forget(point)
        self.player.set(point, value)
        self._fresh_until = -1.0

    def release(self, point: str) -> None:
        """Let a point play on."""
        self.player.release(point)
        self._fresh_until = -1.0

    def refresh(self, t: float) -> None:
        """Bring the registers up to time `t`, if they are not fresh and not frozen."""
        if t >= self._fresh_until and "frozen" not in self.faults:
            self._fresh_until = t + REFRESH
            self._image.update(self.player.values(t))

    def stale(self) -> None:
        """Look at the persona again at the next request."""
        self._fresh_until = -1.0

    def hear(self, pdu: bytes, t: float, chance: random.Random) -> bytes | None:
        """Return the answer to a request, or None for silence. `t` is persona time."""
        self.counts.requests += 1
        if "silent" in self.faults:
            return None
        reply = self._refused(pdu, chance) if self.faults else None
        if reply is None:
            self.refresh(t)
            reply = wire.answer(self._image, pdu)
        self.counts.answers += 1
        self.counts.writes += wire.is_write(pdu)
        self.counts.exceptions += reply[0] >= 0x80
        return reply

    def lateness(self, chance: random.Random) -> float:
        """Return by how many seconds the next answer is late."""
        match self.faults.get("late"):
            case faults.Late(low, high, probability) if chance.random() < probability:
                return chance.uniform(low, high)
            case _:
                return 0.0

    def _refused(self, pdu: bytes, chance: random.Random) -> bytes | None:
        match self.faults.get("exception"):
            case faults.Refuse(code, probability) if chance.random() < probability:
                return wire.exception(pdu[0], code)
        match self.faults.get("refuse_writes"):
            case faults.NoWrites(code) if wire.is_write(pdu):
                return wire.exception(pdu[0], code)
        return None


def make_unit(
    name: str,
    address: int,
    profile: Profile,
    points: Mapping[str, Point] | None = None,
    *,
    seed: int | str = 1,
    midnight: float = 0.0,
    turnaround: float = 0.005,
) -> Unit:
    """Make a unit of a profile; `points` are the site's, if it maps the profile's anew.

    Points that the site has switched off are not played. Raises PersonaError.
    """
    points = profile.points if points is None else points
    try:
        told = {p: s for p, s in parse_persona(profile.persona).items() if p in points}
        persona: dict[str, Shape] = {p: Code(_still(point)) for p, point in points.items()} | told
        dramas = {
            drama: {p: s for p, s in shapes.items() if p in points}
            for drama, shapes in parse_dramas(profile.dramas).items()
        }
        for shapes in (persona, *dramas.values()):
            _check_places(points, shapes)
        player = Player(persona, dramas, f"{seed} {name}", midnight, hours=_AGE)
    except PersonaError as error:
        raise PersonaError(f"{name}: {error}") from None
    return Unit(name, address, player, points, profile.limits, turnaround)


def _check_places(points: Mapping[str, Point], shapes: Mapping[str, Shape]) -> None:
    """Refuse words and numbers that the registers cannot hold, before they are played."""
    for name, shape in shapes.items():
        value = getattr(shape, "to", getattr(shape, "value", None))
        if value is None:
            continue
        try:
            encode(points[name], value)
        except ValueError as error:
            raise PersonaError(f"{name}: {error}") from None
