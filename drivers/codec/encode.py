"""Values into registers: for writes, and for the simulator. Pure, no I/O."""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING

from drivers.codec.scale import FORMATS, scaling
from drivers.registers import PointType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drivers.profile import Point
    from gateway.model import Value


def encode(point: Point, value: Value, base: Sequence[int] | None = None, decimals: int = 0) -> list[int]:
    """Return the registers (or the bit, as 0 or 1) that stand for `value` in engineering units.

    `base` is what the registers hold now: a bit, a bit field or a half changes only its own bits.
    `decimals` is the value of the point named by `scale_from`. The range is not checked, so a simulator can
    leave it; `refusal` is for writes. Raises ValueError when the value cannot be expressed.
    """
    if point.table.is_bits:
        return [_code(point, value)]
    if point.type is PointType.STRING:
        return _registers(point, _text(point, value))
    now = list(base) if base is not None else [0] * point.count
    if point.type is PointType.BOOL:
        return _merge(point, now, _code(point, value) << (point.bit or 0), 1 << (point.bit or 0))
    if point.bits is not None:
        top, low = point.bits
        keep = (1 << (top - low + 1)) - 1
        raw = _raw(point, value, decimals)
        if not 0 <= raw <= keep:
            raise ValueError(f"{value!r} does not fit in bits {top} to {low} of {point.register}")
        return _merge(point, now, int(raw) << low, keep << low)
    raw = _raw(point, value, decimals)
    if point.mask is not None:
        if int(raw) & ~point.mask:
            raise ValueError(f"{value!r} has bits outside the mask {point.mask:#x} of {point.register}")
        return _merge(point, now, int(raw), point.mask)
    return _registers(point, _pack(point, raw, value, now))


def _merge(point: Point, now: Sequence[int], bits: int, keep: int) -> list[int]:
    """Put `bits` into the registers where `keep` is set, in the point's own order."""
    size = 2 * point.count
    held = int.from_bytes(_bytes(point, now), "big")
    return _registers(point, (held & ~keep | bits).to_bytes(size, "big"))


def _code(point: Point, value: Value) -> int:
    """Return the raw code of a word, a bool or a number."""
    if point.enum is not None and isinstance(value, str):
        for code, word in point.enum.items():
            if word == value:
                return code
        raise ValueError(f"{value!r} is none of {', '.join(point.enum.values())}")
    if isinstance(value, str):
        raise ValueError(f"{value!r} is a text; {point.register} is a {point.type}")  # noqa: TRY004
    if (point.type is PointType.BOOL or point.table.is_bits) and value not in {0, 1}:
        raise ValueError(f"{value!r} is not a bit")
    return int(value)


def _raw(point: Point, value: Value, decimals: int) -> float:
    if isinstance(value, str) or point.enum is not None:
        return _code(point, value)
    if point.scale_from is not None:
        return round(float(value) * 10.0**decimals)
    n, k, d = scaling(point.scale, point.offset)
    raw: float = (value * d - k) / n if d else value
    if point.type.is_float:
        return raw
    if not math.isfinite(raw):
        raise ValueError(f"{value!r} is no number that {point.type} can hold")
    return round(raw)


def _pack(point: Point, raw: float, value: Value, now: Sequence[int]) -> bytes:
    """Return the most significant byte first, whatever the order on the wire."""
    try:
        if point.type.is_bcd:
            digits = 4 * point.count
            if not 0 <= raw < 10**digits:
                raise ValueError(f"{value!r} has more than {digits} digits or a sign")
            return bytes.fromhex(f"{int(raw):0{digits}d}")
        packed = struct.pack(">" + FORMATS[point.type], raw)
    except (struct.error, OverflowError) as error:
        raise ValueError(f"{value!r} does not fit in {point.type} at {point.register}: {error}") from None
    if len(packed) == 1:  # one half of a register
        high, low = _bytes(point, now)
        return packed + bytes([low]) if point.half == "high" else bytes([high]) + packed
    return packed


def _text(point: Point, value: Value) -> bytes:
    data = str(value).encode(point.encoding)
    size = 2 * point.length
    if len(data) > size:
        raise ValueError(f"{value!r} takes {len(data)} bytes; {point.register} has room for {size}")
    return data.ljust(size, b"\0")


def _registers(point: Point, data: bytes) -> list[int]:
    """Put bytes that are in order into registers in the order of the wire."""
    words = [data[i : i + 2] for i in range(0, len(data), 2)]
    if point.order.swaps_words and point.type is not PointType.STRING:
        words.reverse()
    return [int.from_bytes(word, "little" if point.order.swaps_bytes else "big") for word in words]


def _bytes(point: Point, registers: Sequence[int]) -> bytes:
    """Undo `_registers`."""
    words = [word.to_bytes(2, "little" if point.order.swaps_bytes else "big") for word in registers]
    if point.order.swaps_words and point.type is not PointType.STRING:
        words.reverse()
    return b"".join(words)


def refusal(point: Point, value: Value) -> str:
    """Say why `value` may not be written to the point; "" when it may."""
    write = point.write
    if write is None:
        return "the profile allows no writing to it"
    if point.enum is not None:
        words = write.words or tuple(point.enum.values())
        return "" if value in words else f"{value!r} is none of {', '.join(words)}"
    if point.type is PointType.STRING or point.type is PointType.BOOL or point.is_bit:
        return unfit(point, value)
    if isinstance(value, str | bool) or not math.isfinite(value):
        return f"{value!r} is not a number"
    low = -math.inf if write.min is None else write.min
    high = math.inf if write.max is None else write.max
    if not low <= value <= high:
        return f"{value} is not within {low:g} to {high:g} {point.unit}".rstrip()
    return unfit(point, value)


def _item_unfit(point: Point, value: Value) -> str:
    """Say why no message could carry the value; how it does is its protocol's business."""
    if point.type is PointType.BOOL and value not in {0, 1}:
        return f"{value!r} is neither true nor false"
    if point.type is PointType.STRING and not isinstance(value, str):
        return f"{value!r} is no text"
    return ""


def unfit(point: Point, value: Value) -> str:
    """Say why no device could tell or take the value; "" when it can."""
    if point.item:
        return _item_unfit(point, value)
    try:
        encode(point, value)
    except ValueError as error:
        return str(error)
    return ""
