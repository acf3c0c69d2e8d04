"""Between raw numbers and engineering units, exactly where decimals allow it. Pure, no I/O."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from drivers.registers import PointType

if TYPE_CHECKING:
    from drivers.profile import Point

Raw = int | float | bytes

FORMATS = {
    PointType.BOOL: "H",
    PointType.INT8: "b",
    PointType.UINT8: "B",
    PointType.INT16: "h",
    PointType.UINT16: "H",
    PointType.INT32: "i",
    PointType.UINT32: "I",
    PointType.INT64: "q",
    PointType.UINT64: "Q",
    PointType.FLOAT16: "e",
    PointType.FLOAT32: "f",
    PointType.FLOAT64: "d",
    PointType.BCD16: "H",
    PointType.BCD32: "I",
    PointType.BCD48: "6s",
    PointType.BCD64: "Q",
}
"""How `struct` calls each type."""


class Scaling(NamedTuple):
    """value = (raw * n + k) / d, with whole numbers wherever the decimals of the profile allow.

    So 2302 with scale 0.1 is 230.2 and not 230.20000000000002. `d` is 0 where the raw number is the value.
    """

    n: int
    k: float
    d: int


@lru_cache(maxsize=1024)
def scaling(scale: float, offset: float) -> Scaling:
    """Return the scaling for a point's `scale` and `offset`."""
    if scale == 1 and offset == 0:
        return Scaling(1, 0, 0)
    ratio, shift = Fraction(str(scale)), Fraction(str(offset))
    d = math.lcm(ratio.denominator, shift.denominator)
    if d > 2**53:  # a scale such as 1/3 written as a long decimal: floats are all we need
        d = ratio.denominator
        return Scaling(ratio.numerator, float(offset) * d, d)
    return Scaling(int(ratio * d), int(shift * d), d)


def believable(point: Point) -> tuple[float, float]:
    """Return the raw numbers that stand for the ends of the point's range; of its type when it has none."""
    low, high = _type_bounds(point.type)
    if point.range is None or point.scale_from is not None:
        return low, high
    ratio, shift = Fraction(str(point.scale)), Fraction(str(point.offset))
    ends = sorted((Fraction(str(end)) - shift) / ratio for end in point.range)
    if point.type.is_float or point.type is PointType.NUMBER:
        return float(ends[0]), float(ends[1])
    return max(low, math.ceil(ends[0])), min(high, math.floor(ends[1]))


def _type_bounds(kind: PointType) -> tuple[float, float]:
    if kind.is_float or kind is PointType.NUMBER:
        return -1.7976931348623157e308, 1.7976931348623157e308  # what is outside is infinite or no number
    bits = 8 if kind in {PointType.INT8, PointType.UINT8} else 16 * max(1, kind.registers)
    if kind.is_integer and kind.value.startswith("int"):
        return -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    return 0, (1 << bits) - 1


def sentinels(point: Point) -> frozenset[Raw]:
    """Return the sentinels as the raw numbers they are decoded to."""
    if point.type is PointType.NUMBER:
        return frozenset(point.sentinel)
    form = FORMATS.get(point.type, "")
    if form == "6s":
        end = "little" if point.order.swaps_words else "big"
        return frozenset(code.to_bytes(6, end) for code in point.sentinel)  # type: ignore[arg-type]  # a literal
    if not form:
        return frozenset()
    codec = Struct(">" + form)
    return frozenset(codec.unpack(code.to_bytes(codec.size, "big"))[0] for code in point.sentinel)
