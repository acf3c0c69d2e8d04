"""One point: from its raw number to a value, or to the reason why there is none. Pure, no I/O."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from drivers.codec.scale import Raw, believable, scaling, sentinels
from drivers.registers import PointType
from gateway.model import Quality, Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.profile import Point

Reader = Callable[[Raw], Value | Quality]


def is_plain(point: Point) -> bool:
    """Tell whether one comparison of the raw number decides about it."""
    if not (point.type.is_integer or point.type.is_float) or point.enum is not None or point.scale_from:
        return False
    if point.bits is not None or point.mask is not None:
        return False
    low, high = believable(point)
    return not any(low <= cast("float", raw) <= high for raw in sentinels(point))


def why(point: Point, raw: Raw) -> Quality:
    """Say why a raw number outside the believable ones is bad."""
    if raw in sentinels(point):
        return Quality.SENTINEL
    number = cast("float", raw)
    if not math.isfinite(number):
        return Quality.NOT_A_NUMBER
    above = number > believable(point)[1]
    return Quality.OVER_RANGE if above == (point.scale > 0) else Quality.UNDER_RANGE


def make_reader(point: Point) -> Reader:
    """Return the function that makes a value, or the reason why not, of one raw number."""
    if point.type is PointType.STRING:
        return _text(point.encoding)
    take = _taker(point)
    turn = _word(point.enum) if point.enum is not None else _number(point)
    no_value = sentinels(point)

    def read(raw: Raw) -> Value | Quality:
        if raw in no_value:
            return Quality.SENTINEL
        number = take(raw)
        return Quality.NOT_A_NUMBER if number is None else turn(number)

    return read


def _taker(point: Point) -> Callable[[Raw], float | None]:
    """Return the function that cuts the point's number out of the raw one; None when it is no number."""
    if point.type is PointType.BOOL:
        bit = point.bit or 0
        return lambda raw: cast("int", raw) >> bit & 1
    if point.type is PointType.BCD48:
        end = -1 if point.order.swaps_words else 1
        return lambda raw: _digits(cast("bytes", raw)[::end].hex())
    if point.type.is_bcd:
        return lambda raw: _digits(f"{cast('int', raw):x}")
    if point.bits is not None:
        low, keep = point.bits[1], (1 << (point.bits[0] - point.bits[1] + 1)) - 1
        return lambda raw: cast("int", raw) >> low & keep
    if point.mask is not None:
        mask = point.mask
        return lambda raw: cast("int", raw) & mask
    return lambda raw: cast("float", raw)


def _digits(text: str) -> int | None:
    return int(text) if text.isdecimal() else None


def _word(words: Mapping[int, str]) -> Callable[[float], Value | Quality]:
    def turn(number: float) -> Value | Quality:
        word = words.get(cast("int", number))
        return Quality.UNKNOWN_CODE if word is None else word  # never ignored: nobody knows what it means

    return turn


def _number(point: Point) -> Callable[[float], Value | Quality]:
    if point.type is PointType.BOOL:
        return lambda number: number == 1
    low, high = believable(point)
    n, k, d = scaling(point.scale, point.offset)

    def turn(number: float) -> Value | Quality:
        if not low <= number <= high:
            return why(point, number)
        return (number * n + k) / d if d else number

    return turn


def _text(encoding: str) -> Reader:
    def read(raw: Raw) -> Value | Quality:
        text = cast("bytes", raw).partition(b"\0")[0]
        try:
            return text.decode(encoding).rstrip()
        except UnicodeDecodeError:
            return Quality.NOT_A_NUMBER

    return read
