"""Values as a device of another make holds them: every type in every order, encoded without `drivers`.

An order is taken by its letters: A is the most significant byte, and byte n of the wire is the n-th letter.
So this knows nothing of swapped buffers, `struct` formats by order, or masks: only where each letter goes.
"""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from drivers.registers import Order, PointType

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gateway.model import Value

LETTERS = {2: ("AB", "AB", "BA", "BA"), 4: ("ABCD", "CDAB", "BADC", "DCBA"),
           6: ("ABCDEF", "EFCDAB", "BADCFE", "FEDCBA"), 8: ("ABCDEFGH", "GHEFCDAB", "BADCFEHG", "HGFEDCBA")}  # fmt: skip
PLACE = {Order.ABCD: 0, Order.ABCDEFGH: 0, Order.CDAB: 1, Order.GHEFCDAB: 1,
         Order.BADC: 2, Order.BADCFEHG: 2, Order.DCBA: 3, Order.HGFEDCBA: 3}  # fmt: skip

PACK = {
    PointType.INT16: ">h", PointType.UINT16: ">H", PointType.INT32: ">i", PointType.UINT32: ">I",
    PointType.INT64: ">q", PointType.UINT64: ">Q", PointType.FLOAT16: ">e", PointType.FLOAT32: ">f",
    PointType.FLOAT64: ">d",
}  # fmt: skip
DIGITS = {PointType.BCD16: 4, PointType.BCD32: 8, PointType.BCD48: 12, PointType.BCD64: 16}
NUMBERS: Mapping[PointType, tuple[float, ...]] = {
    PointType.INT16: (0x1234, -32768, -2),
    PointType.UINT16: (0x1234, 65535, 0),
    PointType.INT32: (0x12345678, -(2**31), -2),
    PointType.UINT32: (0x12345678, 2**32 - 1, 1),
    PointType.INT64: (0x0102030405060708, -(2**63), -2),
    PointType.UINT64: (0x0102030405060708, 2**64 - 1, 1),
    PointType.FLOAT16: (1.5, -65504.0, 0.0999755859375),
    PointType.FLOAT32: (230.5, -0.0009765625, 3.4028234663852886e38),
    PointType.FLOAT64: (230.2, -1.0e-300, 1.7976931348623157e308),
    PointType.BCD16: (1234, 9999, 7),
    PointType.BCD32: (12345678, 99999999, 7),
    PointType.BCD48: (123456789012, 999999999999, 7),
    PointType.BCD64: (1234567890123456, 9999999999999999, 7),
}
TEXTS = ("SDM230-V2", "0123456789AB", "ok")
LENGTH = 6  # registers of a text


def wire(value: bytes, order: Order) -> bytes:
    """Put the bytes of a value, most significant first, where the letters of the order say."""
    return bytes(value["ABCDEFGH".index(letter)] for letter in LETTERS[len(value)][PLACE[order]])


def text_wire(text: str, order: Order) -> bytes:
    """A text has no significance: only the bytes of each register may stand the other way round."""
    raw = text.encode("ascii").ljust(2 * LENGTH, b"\0")
    pairs = (raw[n : n + 2] for n in range(0, len(raw), 2))
    return b"".join(pair[::-1] if PLACE[order] >= 2 else pair for pair in pairs)


@dataclass
class Holder:
    """What a device holds, and what is to be read from it."""

    held: dict[str, dict[int, int]] = field(
        default_factory=lambda: {"coil": {}, "discrete": {}, "holding": {}, "input": {}}
    )
    points: dict[str, dict[str, Any]] = field(default_factory=dict)  # as a profile writes them
    wanted: dict[str, Value] = field(default_factory=dict)

    def add(self, table: str, raw: bytes, value: Value, **point: Any) -> None:
        """Lay `raw` down behind what is there, with a hole now and then, and want `value` read from it."""
        words = struct.unpack(f">{len(raw) // 2}H", raw)
        at = max(self.held[table], default=-1) + (1 if len(self.points) % 5 else 3)
        self.held[table] |= dict(zip(range(at, at + len(words)), words, strict=True))
        self.point(f"{table}:{at}", value, **point)

    def point(self, register: str, value: Value, **point: Any) -> None:
        name = f"p{len(self.points)}"
        self.points[name] = {"register": register, **point, "name": {"zh": name, "en": name}}
        self.wanted[name] = value


def everything(seed: int = 7) -> Holder:
    """Every type in every order with ordinary and extreme values, bit fields, halves, bits in all tables."""
    holder = Holder()
    chance = random.Random(seed)
    for table in ("holding", "input"):
        for order in Order:
            for kind, raw, value in numbers(order):
                holder.add(table, raw, value, type=kind.value, order=order.value)
            for text in TEXTS:
                raw = text_wire(text, order)
                holder.add(table, raw, text, type="string", order=order.value, length=LENGTH)
            _parts(holder, table, order, chance.randrange(0x10000), chance.randrange(1 << 64))
    for table in ("coil", "discrete"):
        for at in (*range(40), 77, 99, 100, 131):
            holder.held[table][at] = chance.randrange(2)
            holder.point(f"{table}:{at}", bool(holder.held[table][at]), type="bool")
    return holder


def numbers(order: Order) -> Iterator[tuple[PointType, bytes, float]]:
    """Every whole-register number: type, bytes on the wire, value."""
    for kind, values in NUMBERS.items():
        for value in values:
            if kind in DIGITS:
                raw = bytes.fromhex(f"{value:0{DIGITS[kind]}d}")
            else:
                raw = struct.pack(PACK[kind], value)
            yield kind, wire(raw, order), value


def _parts(holder: Holder, table: str, order: Order, word: int, long: int) -> None:
    """Bits, bit fields, masks and halves of one register; fields that lie across registers."""
    high, low = divmod(word, 256)
    raw = wire(word.to_bytes(2, "big"), order)
    parts: list[tuple[Value, dict[str, Any]]] = [
        (bool(word >> bit & 1), {"type": "bool", "bit": bit}) for bit in range(16)
    ]
    parts += [
        (word >> 12, {"type": "uint16", "bits": [15, 12]}),
        (word >> 3 & 0x1F, {"type": "uint16", "bits": [7, 3]}),
        (word & 0x0FF0, {"type": "uint16", "mask": 0x0FF0}),
        (high, {"type": "uint8", "half": "high"}),
        (low, {"type": "uint8", "half": "low"}),
        (high - 256 * (high > 127), {"type": "int8", "half": "high"}),
        (low - 256 * (low > 127), {"type": "int8", "half": "low"}),
    ]
    for value, point in parts:
        holder.add(table, raw, value, order=order.value, **point)
    raw = wire(long.to_bytes(8, "big"), order)
    holder.add(table, raw, long >> 13 & 0xFFFFF, type="uint64", bits=[32, 13], order=order.value)
    raw = wire((long & 0xFFFFFFFF).to_bytes(4, "big"), order)
    holder.add(table, raw, long >> 10 & 0xFFF, type="uint32", bits=[21, 10], order=order.value)
