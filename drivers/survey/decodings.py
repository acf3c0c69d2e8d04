"""Every plausible meaning of a block of registers: types, orders, scales, and the profile line of each. Pure.

For the installer who knows that the display says 230.2 and not which of twenty decodings does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drivers.points import compile_block
from drivers.profile import Point
from drivers.registers import Order, PointType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drivers.registers import Table

TYPES: Final = (
    PointType.UINT16,
    PointType.INT16,
    PointType.FLOAT32,
    PointType.UINT32,
    PointType.INT32,
    PointType.BCD16,
    PointType.BCD32,
    PointType.UINT64,
    PointType.FLOAT64,
)
ORDERS: Final = (Order.ABCD, Order.CDAB, Order.BADC, Order.DCBA)
SCALES: Final = (1.0, 0.1, 0.01, 0.001, 10.0, 100.0, 0.0001, 1000.0)
SHOWN: Final = 0.15  # of plausibility, below which a decoding is not shown
TEXT: Final = 4  # registers of text are believed from here on


@dataclass(frozen=True, slots=True)
class Decoding:
    """One meaning of the registers at one address."""

    address: int
    type: PointType
    order: Order
    value: float | int | str
    plausible: float  # 0 to 1, a rule of thumb for the order on the screen
    scale: float = 1.0
    length: int = 0  # registers of a text

    def line(self, table: Table) -> str:
        """Return the point as a profile writes it, its name still to be chosen."""
        parts = [f'register: "{table}:0x{self.address:04X}"', f"type: {self.type}"]
        if self.order is not Order.ABCD:
            parts.append(f"order: {self.order}")
        if self.length:
            parts.append(f"length: {self.length}")
        if self.scale != 1:
            parts.append(f"scale: {self.scale:g}")
        return "NAME: {" + ", ".join(parts) + "}"


def decodings(words: Sequence[int], start: int, table: Table) -> list[Decoding]:
    """Return what the registers may mean, by address, likeliest first."""
    found: list[Decoding] = [_text(words, start)] if len(_text_of(words)) >= 2 * TEXT else []
    for at in range(len(words)):
        here = [
            Decoding(start + at, kind, order, value, plausible)
            for kind, order, value in _meanings(words, at, table)
            if (plausible := _plausible(kind, order, value)) >= SHOWN
        ]
        found += sorted(here, key=lambda decoding: -decoding.plausible)
    return found


def matching(words: Sequence[int], start: int, table: Table, shown: str) -> list[Decoding]:
    """Return which decodings, scaled by powers of ten, give what a display shows; simplest first.

    The display's last digit may be rounded. Raises ValueError when `shown` is no number.
    """
    target = float(shown)
    slack = 0.5 * 10 ** -len(shown.partition(".")[2]) + 1e-9
    found = []
    for at in range(len(words)):
        for kind, order, value in _meanings(words, at, table):
            for rank, scale in enumerate(SCALES):
                scaled = value * scale
                if abs(scaled - target) <= slack and (value or not target):
                    simple = 1 / (1 + rank + ORDERS.index(order) + 2 * (kind.registers - 1))
                    found.append(Decoding(start + at, kind, order, round(scaled, 6), simple, scale))
                    break
    ordered = sorted(found, key=lambda decoding: (-decoding.plausible, decoding.address))
    return list({(d.address, d.value, d.type.registers): d for d in reversed(ordered)}.values())[::-1]


def _meanings(words: Sequence[int], at: int, table: Table) -> list[tuple[PointType, Order, float | int]]:
    """Return the number that each type and order makes of the registers from `at` on."""
    found: list[tuple[PointType, Order, float | int]] = []
    for kind in TYPES:
        part = words[at : at + kind.registers]
        if len(part) < kind.registers:
            continue
        data = b"".join(word.to_bytes(2, "big") for word in part)
        seen: set[float | int] = set()
        for order in ORDERS if kind.registers > 1 else (Order.ABCD, Order.BADC):
            good, _ = compile_block(
                {"it": Point(f"{table}:0", kind, order=order)}, 0, len(part), table
            ).decode(data)
            value = good.get("it")
            if isinstance(value, int | float) and math.isfinite(value) and value not in seen:
                seen.add(value)
                found.append((kind, order, value))
    return found


def _plausible(kind: PointType, order: Order, value: float) -> float:
    """Return how much a number looks like something that was measured."""
    size = abs(value)
    if kind.is_float:
        if not 1e-3 <= size <= 1e7:
            return 0.0
        tidy = len(f"{value:.7g}".rstrip("0")) <= 7  # 230.2 and not 230.19823
        found = 0.9 if tidy else 0.7
    elif kind is PointType.UINT16:
        found = 0.6 if size <= 10_000 else 0.3
    elif kind is PointType.INT16:
        found = 0.5 if -3000 <= value < 0 else 0.0  # positive ones are shown as uint16
    elif kind.is_bcd:
        found = 0.2 if size > 9 else 0.0
    elif kind.registers == 2:
        found = 0.4 if 0xFFFF < size <= 10_000_000 and (kind is PointType.UINT32 or value < 0) else 0.0
    else:
        found = 0.2 if 0xFFFFFFFF < size <= 1e12 else 0.0
    if order.swaps_bytes:
        found -= 0.35 if not kind.is_float or found > 0.8 else 0.6  # rare: only what looks good is worth it
    return found - (0.05 if order.swaps_words else 0.0)


def _text_of(words: Sequence[int]) -> str:
    data = b"".join(word.to_bytes(2, "big") for word in words).rstrip(b"\0 ")
    return data.decode("ascii") if data and all(0x20 <= byte < 0x7F for byte in data) else ""


def _text(words: Sequence[int], start: int) -> Decoding:
    return Decoding(start, PointType.STRING, Order.ABCD, _text_of(words), 0.95, length=len(words))
