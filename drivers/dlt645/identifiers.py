"""What DL/T 645 data identifiers stand for, and their values in engineering units. Pure.

2007: annex A, tables A.1 to A.5, as far as a gateway reads them. 1997: the most used ones, from common
knowledge of the edition; only B611 is proven by a published frame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from drivers.bcd import from_bcd, to_bcd
from drivers.cutter import Step
from drivers.dlt645.frame import Dlt645Error, Edition

if TYPE_CHECKING:
    from collections.abc import Mapping


class Quantity(NamedTuple):
    """How one identifier is to be read."""

    name: str
    unit: str
    size: int  # bytes
    decimals: int = 0
    signed: bool = False  # the top bit is the sign
    kind: str = "number"  # "digits": an identity; "bits": a word of states


_ENERGY: Final = ("kWh", 4, 2)
_ENERGIES: Final[Mapping[int, Quantity]] = {
    0x00: Quantity("combined_active_energy", *_ENERGY, signed=True),
    0x01: Quantity("forward_active_energy", *_ENERGY),
    0x02: Quantity("reverse_active_energy", *_ENERGY),
    0x03: Quantity("combined_reactive_energy_1", "kvarh", 4, 2, signed=True),
    0x04: Quantity("combined_reactive_energy_2", "kvarh", 4, 2, signed=True),
    **{0x04 + n: Quantity(f"reactive_energy_quadrant_{n}", "kvarh", 4, 2) for n in range(1, 5)},
    0x09: Quantity("forward_apparent_energy", "kVAh", 4, 2),
    0x0A: Quantity("reverse_apparent_energy", "kVAh", 4, 2),
}
_MOMENTARY: Final[Mapping[int, tuple[Quantity, int]]] = {  # with the lowest DI1: 0 is the total, 1 phase A
    0x01: (Quantity("voltage", "V", 2, 1), 1),
    0x02: (Quantity("current", "A", 3, 3, signed=True), 1),
    0x03: (Quantity("active_power", "kW", 3, 4, signed=True), 0),
    0x04: (Quantity("reactive_power", "kvar", 3, 4, signed=True), 0),
    0x05: (Quantity("apparent_power", "kVA", 3, 4, signed=True), 0),
    0x06: (Quantity("power_factor", "", 2, 3, signed=True), 0),
    0x07: (Quantity("phase_angle", "°", 2, 1), 1),
}
_SINGLE: Final[Mapping[int, Quantity]] = {
    0x02800001: Quantity("neutral_current", "A", 3, 3, signed=True),
    0x02800002: Quantity("frequency", "Hz", 2, 2),
    0x02800007: Quantity("temperature", "°C", 2, 1, signed=True),
    0x04000101: Quantity("date", "", 4, kind="digits"),
    0x04000102: Quantity("time", "", 3, kind="digits"),
    0x04000401: Quantity("address", "", 6, kind="digits"),
    0x04000402: Quantity("meter_number", "", 6, kind="digits"),
    **{0x04000500 + n: Quantity(f"status_word_{n}", "", 2, kind="bits") for n in range(1, 8)},
}
_PHASES: Final = ("total", "a", "b", "c")
_OLD: Final[Mapping[int, Quantity]] = {
    0x9010: Quantity("forward_active_energy", *_ENERGY),
    0x9020: Quantity("reverse_active_energy", *_ENERGY),
    **{0xB610 + n: Quantity(f"voltage_{_PHASES[n]}", "V", 2) for n in range(1, 4)},
    **{0xB620 + n: Quantity(f"current_{_PHASES[n]}", "A", 2, 2) for n in range(1, 4)},
    **{0xB630 + n: Quantity(f"active_power_{_PHASES[n]}", "kW", 3, 4) for n in range(4)},
    **{0xB650 + n: Quantity(f"power_factor_{_PHASES[n]}", "", 2, 3) for n in range(4)},
    0xC032: Quantity("meter_number", "", 6, kind="digits"),
    0xC033: Quantity("device_number", "", 6, kind="digits"),
}
ALL: Final = 0xFF  # in one byte of an identifier: all of them, one after the other


def quantity(di: int, edition: Edition = Edition.Y2007) -> Quantity | None:
    """Return how the identifier is to be read; None when it is not in our tables.

    For a block (one byte is FF) it is how each of its items is to be read.
    """
    if edition is Edition.Y1997:
        return _OLD.get(di)
    di3, di2, di1, di0 = di.to_bytes(4, "big")
    if di3 == 0 and di2 in _ENERGIES and (di1 <= 0x3F or di1 == ALL) and (di0 <= 0x0C or di0 == ALL):
        known = _ENERGIES[di2]
        return known if di1 in {0, ALL} else known._replace(name=f"{known.name}_tariff_{di1}")
    if di3 == 2 and di2 in _MOMENTARY and di0 == 0:
        known, lowest = _MOMENTARY[di2]
        if di1 == ALL:
            return known
        if lowest <= di1 <= 3:
            return known._replace(name=f"{known.name}_{_PHASES[di1]}")
    return _SINGLE.get(di)


def is_block(di: int, edition: Edition = Edition.Y2007) -> bool:
    """Whether the identifier asks for several items at once."""
    return ALL in di.to_bytes(2 if edition is Edition.Y1997 else 4, "big")


class Place(NamedTuple):
    """Where an item stands in its block."""

    di: int  # of the block
    at: int  # the how manyth, from 0
    items: int  # that the block usually has: an energy has four tariffs


TARIFFS: Final = 4


def block_of(di: int) -> Place | None:
    """Return the block (2007 edition) that brings an item together with its likes; None: there is none."""
    _, di2, di1, di0 = di.to_bytes(4, "big")
    how = quantity(di)
    if how is None or is_block(di):
        return None
    block = di & ~0xFF00 | ALL << 8
    if di >> 24 == 0 and di0 <= 0x0C:
        return Place(block, di1, 1 + TARIFFS)
    if di >> 24 == 2 and di2 in _MOMENTARY:
        lowest = _MOMENTARY[di2][1]
        return Place(block, di1 - lowest, 4 - lowest)
    return None


def decode_value(how: Quantity, data: bytes) -> float | str | int | None:
    """Return the value of `how.size` bytes, low byte first; None where a digit is not decimal (FF: none)."""
    if len(data) != how.size:
        raise Dlt645Error(Step.LENGTH, f"{how.name} has {how.size} bytes, these are {len(data)}")
    raw = data[::-1]
    if how.kind == "bits":
        return int.from_bytes(raw, "big")
    if how.kind == "digits":
        return None if from_bcd(raw) is None else raw.hex()
    negative = how.signed and raw[0] >= 0x80
    number = from_bcd(bytes([raw[0] & 0x7F]) + raw[1:] if negative else raw)
    if number is None:
        return None
    value: float = number / 10**how.decimals
    return -value if negative and number else value


def encode_value(how: Quantity, value: float | str) -> bytes:
    """Return the bytes of a value, low byte first. Raises ValueError when it does not fit."""
    if how.kind == "bits":
        return int(value).to_bytes(how.size, "little")
    if how.kind == "digits":
        return to_bcd(int(value), how.size)[::-1]
    number = round(float(value) * 10**how.decimals)
    top = 8 * 10 ** (2 * how.size - 1) if how.signed else 100**how.size
    if not (-top if how.signed else -1) < number < top:
        raise ValueError(f"{how.name} {value} {how.unit} does not fit into {how.size} bytes")
    raw = bytearray(to_bcd(abs(number), how.size))
    raw[0] |= 0x80 if number < 0 else 0
    return bytes(raw[::-1])


def decode_values(di: int, data: bytes, edition: Edition = Edition.Y2007) -> list[float | str | int | None]:
    """Return all values behind an identifier: one, or as many as a block holds. Raises Dlt645Error."""
    how = quantity(di, edition)
    if how is None:
        return []
    if not is_block(di, edition):
        return [decode_value(how, data)]
    if len(data) % how.size:
        raise Dlt645Error(Step.LENGTH, f"{len(data)} bytes are no whole number of {how.name} ({how.size})")
    return [decode_value(how, data[i : i + how.size]) for i in range(0, len(data), how.size)]
