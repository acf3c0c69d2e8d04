"""The registers of a played Modbus device, kept up from the values of its points. No I/O."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from drivers.codec.encode import encode
from drivers.modbus.orders import written
from drivers.points import compile_block
from drivers.registers import PointType, Table
from drivers.simulator import wire
from drivers.simulator.memory import still
from drivers.simulator.persona import PersonaError
from drivers.simulator.wire import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.profile import Limits, Point
    from gateway.model import Value

_BRIDGED = 8  # a gap of so many addresses between points is memory too, reads 0; a wider one does not exist


class Image:
    """The registers of a Modbus device. What is written stays until it is forgotten."""

    def __init__(self, points: Mapping[str, Point], limits: Limits) -> None:
        self._points = points
        self._most = {table: limits.max_bits if table.is_bits else limits.max_registers for table in Table}
        self._words: dict[Table, dict[int, int]] = {table: {} for table in Table}
        self._written: dict[tuple[Table, int], int] = {}
        self._shown: dict[str, Value] = {}
        self._mirrors = {  # where a point is written -> where it is read
            there: here
            for point in points.values()
            if point.write is not None
            for there, here in zip(_places(written(point)), _places(point), strict=True)
        }
        for point in points.values():
            for place in (point, written(point)):
                self._words[place.table].update(
                    dict.fromkeys(range(place.address, place.address + place.count), 0)
                )
        if limits.bridge:
            for words in self._words.values():
                _bridge(words)
        self.update({name: still(point) for name, point in points.items()})

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
        if not self._mirrors.keys() >= set(places):
            raise Refusal(wire.ILLEGAL_ADDRESS)
        self._written.update(zip(places, values, strict=True))
        self._written.update(zip([self._mirrors[place] for place in places], values, strict=True))

    def holds(self, name: str) -> Value | None:
        """Return what was written to a point; None when nothing was, or nothing that it can mean."""
        point = self._points[name]
        if not any(place in self._written for place in _places(point)):
            return None
        words = self.read(point.table, point.address, point.count)
        block = compile_block({name: point}, point.address, point.count, point.table)
        data = bytes(words) if point.table.is_bits else b"".join(word.to_bytes(2, "big") for word in words)
        return block.decode(data)[0].get(name)

    def answer(self, request: bytes) -> bytes:
        """Return the answer to a PDU, an exception included."""
        return wire.answer(self, request)

    def refuse(self, request: bytes, code: int) -> bytes:
        """Return an exception."""
        return wire.exception(request[0], code)

    def is_write(self, request: bytes) -> bool:
        """Tell whether a PDU wants to change something."""
        return wire.is_write(request)

    def is_refusal(self, reply: bytes) -> bool:
        """Tell whether an answer is an exception."""
        return reply[0] >= 0x80

    def forget(self, name: str) -> None:
        """Let the registers of a point follow the persona again."""
        point = self._points[name]
        for place in (*_places(point), *_places(written(point))):
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


def _bridge(words: dict[int, int]) -> None:
    known = sorted(words)
    for low, high in itertools.pairwise(known):
        if high - low <= _BRIDGED + 1:
            words.update(dict.fromkeys(range(low + 1, high), 0))
