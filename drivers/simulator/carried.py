"""The items of messages behind the values of a played device's points. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.codec.scale import scaling
from drivers.registers import PointType
from drivers.simulator.memory import still
from drivers.simulator.persona import PersonaError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.profile import Point
    from gateway.model import Value


class Carried:
    """What the device tells, by item: `drivers.items` turned round. What is written stays until forgotten."""

    def __init__(self, points: Mapping[str, Point]) -> None:
        self._points = points
        self._values: dict[str, Value] = {name: still(point) for name, point in points.items()}
        self._written: dict[str, Value] = {}

    def update(self, values: Mapping[str, Value]) -> None:
        """Take the values of points, in engineering units."""
        self._values.update(values)

    def write(self, item: str, code: int) -> None:
        """Hold the points of an item at a raw code."""
        for name, point in self._points.items():
            if point.item == item:
                self._written[name] = code if point.enum is None else point.enum.get(code, code)

    def forget(self, name: str) -> None:
        """Let a point that was written follow the persona again."""
        self._written.pop(name, None)

    def holds(self, name: str) -> Value | None:
        """Return what was written to a point; None when nothing was."""
        return self._written.get(name)

    def items(self) -> dict[str, Value]:
        """Return what each item is now; points that share one are its bits. Raises PersonaError."""
        told: dict[str, Value] = {}
        for name, point in self._points.items():
            raw = _raw(name, point, self._written.get(name, self._values[name]))
            if isinstance(raw, str) or (point.bit is None and point.bits is None):
                told[point.item] = raw
            else:
                low = point.bits[1] if point.bits is not None else point.bit or 0
                told[point.item] = int(told.get(point.item, 0)) | int(raw) << low
        return told


def _raw(name: str, point: Point, value: Value) -> Value:
    """Return the number or text that stands for the value of a point."""
    if point.enum is not None:
        for code, word in point.enum.items():
            if value in {word, code}:
                return code
        raise PersonaError(f"{name}: {value!r} cannot be told by {point.item}")
    if isinstance(value, str) or point.type is PointType.STRING:
        return str(value)
    n, k, d = scaling(point.scale, point.offset)
    raw: float = (value * d - k) / n if d else value
    return raw
