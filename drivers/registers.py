"""Where a value stands on a Modbus device and what its bits mean: tables, addresses, types, orders. Pure."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple


class Table(StrEnum):
    """One of the four Modbus address spaces."""

    COIL = "coil"
    DISCRETE = "discrete"
    HOLDING = "holding"
    INPUT = "input"

    @property
    def is_bits(self) -> bool:
        """True where an address is one bit, False where it is a 16-bit register."""
        return self in {Table.COIL, Table.DISCRETE}


class PointType(StrEnum):
    """How the bits of a point are meant."""

    BOOL = "bool"  # a coil, a discrete input, or one `bit` of a register
    INT8 = "int8"  # one `half` of a register
    UINT8 = "uint8"
    INT16 = "int16"
    UINT16 = "uint16"
    INT32 = "int32"
    UINT32 = "uint32"
    INT64 = "int64"
    UINT64 = "uint64"
    FLOAT16 = "float16"
    FLOAT32 = "float32"
    FLOAT64 = "float64"
    BCD16 = "bcd16"  # four decimal digits per register
    BCD32 = "bcd32"
    BCD48 = "bcd48"
    BCD64 = "bcd64"
    STRING = "string"  # `length` registers of text, ended by NUL
    NUMBER = "number"  # not in a register: a number that a message carries, as its protocol gives it

    @property
    def registers(self) -> int:
        """How many registers it takes; 0 for a string, whose `length` says it, and for what is in none."""
        return _REGISTERS[self]

    @property
    def is_integer(self) -> bool:
        """True for binary whole numbers: these may have bits, masks and enums."""
        return self in _INTEGERS

    @property
    def is_float(self) -> bool:
        """True for IEEE 754 numbers."""
        return self in {PointType.FLOAT16, PointType.FLOAT32, PointType.FLOAT64}

    @property
    def is_bcd(self) -> bool:
        """True for packed decimal digits."""
        return self.value.startswith("bcd")


_REGISTERS = dict.fromkeys(PointType, 1) | {
    PointType.INT32: 2,
    PointType.UINT32: 2,
    PointType.FLOAT32: 2,
    PointType.BCD32: 2,
    PointType.BCD48: 3,
    PointType.INT64: 4,
    PointType.UINT64: 4,
    PointType.FLOAT64: 4,
    PointType.BCD64: 4,
    PointType.STRING: 0,
    PointType.NUMBER: 0,
}
_INTEGERS = frozenset(k for k in PointType if k.value.lstrip("u").startswith("int"))


class Order(StrEnum):
    """In which order the bytes arrive, where A is the most significant one.

    The four-letter names say it for every width: whether the bytes within a register and the registers within
    a value come big end first. So `CDAB` on a 64-bit value is `GHEFCDAB`, and on one register only the byte
    half counts (`BADC` and `DCBA` swap it). The eight-letter names are the same four, spelt out.
    """

    ABCD = "ABCD"  # big-endian throughout: what the Modbus specification means
    CDAB = "CDAB"  # low register first
    BADC = "BADC"  # bytes swapped within each register
    DCBA = "DCBA"  # little-endian throughout
    ABCDEFGH = "ABCDEFGH"
    GHEFCDAB = "GHEFCDAB"
    BADCFEHG = "BADCFEHG"
    HGFEDCBA = "HGFEDCBA"

    @property
    def swaps_bytes(self) -> bool:
        """True when the low byte of each register comes first."""
        return self[:2] in {"BA", "DC", "HG"}

    @property
    def swaps_words(self) -> bool:
        """True when the low register comes first."""
        return self[0] in "CDGH"


class Register(NamedTuple):
    """One address in one table."""

    table: Table
    address: int  # 0 ... 65535


@lru_cache(maxsize=4096)
def parse_register(text: str) -> Register:
    """Read `holding:0x0001` or `input:1`; raise ValueError when it is neither."""
    table, _, number = text.partition(":")
    try:
        found = Register(Table(table.strip()), int(number.strip(), 0))
    except ValueError:
        raise ValueError(
            f"{text!r} is not a register: write table:address, for example holding:0x0001 or input:1 "
            f"(tables: {', '.join(Table)}; the address as on the wire, from 0)"
        ) from None
    if not 0 <= found.address <= 0xFFFF:
        raise ValueError(f"{text!r}: an address is 0 to 65535; a manual's 40001 is holding:0")
    return found
