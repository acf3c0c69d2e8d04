"""The inside of a played device whose messages carry items: what its points hold. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.codec.scale import scaling
from drivers.registers import PointType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.profile import Point
    from gateway.model import Value


class Held:
    """Holds items; hears nothing. Base of devices that speak by themselves."""

    def __init__(self, points: Mapping[str, Point]) -> None:
        self._points = points
        self.items: dict[str, Value] = {}

    def update(self, values: Mapping[str, Value]) -> None:
        """Take the values of points."""
        for name, value in values.items():
            point = self._points.get(name)
            if point is not None and point.item:
                self.items[point.item] = raw(point, value)

    def forget(self, name: str) -> None:
        """Nothing was written."""

    def holds(self, name: str) -> Value | None:
        """Return what was written to a point: nothing that would outlast a word."""
        del name
        return None

    def answer(self, request: bytes) -> bytes | None:
        """Hear and say nothing."""
        del request
        return None

    def refuse(self, request: bytes, code: int) -> bytes | None:
        """Know no refusals."""
        del request, code
        return None

    def is_write(self, request: bytes) -> bool:
        """Take no orders."""
        del request
        return False

    def is_refusal(self, reply: bytes) -> bool:
        """Know no refusals."""
        del reply
        return False

    def number(self, item: str, otherwise: float = 0.0) -> float:
        """Return an item as a number."""
        value = self.items.get(item, otherwise)
        return otherwise if isinstance(value, str) else float(value)

    def text(self, item: str) -> str:
        """Return an item as text."""
        return str(self.items.get(item, ""))


def raw(point: Point, value: Value) -> Value:
    """Return what a message carries for a value of a point: the code of a word, the number without scale."""
    if point.enum is not None and isinstance(value, str):
        return next(code for code, word in point.enum.items() if word == value)
    if isinstance(value, str | bool) or point.type is not PointType.NUMBER:
        return value
    n, k, d = scaling(point.scale, point.offset)
    return (value * d - k) / n if d else value
