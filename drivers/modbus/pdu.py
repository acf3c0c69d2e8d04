"""Modbus requests and answers as bytes (application protocol V1.1b3). No I/O.

A request is built once, by pymodbus, and sent as often as it is due; answers are judged on their bytes.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from pymodbus.framer.rtu import FramerRTU
from pymodbus.pdu import bit_message, register_message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pymodbus.pdu import ModbusPDU

READ_COILS: Final = 1
READ_DISCRETE: Final = 2
READ_HOLDING: Final = 3
READ_INPUT: Final = 4
WRITE_COIL: Final = 5
WRITE_REGISTER: Final = 6
WRITE_COILS: Final = 15
WRITE_REGISTERS: Final = 16

READS: Final = frozenset({READ_COILS, READ_DISCRETE, READ_HOLDING, READ_INPUT})
BIT_READS: Final = frozenset({READ_COILS, READ_DISCRETE})
WRITES: Final = frozenset({WRITE_COIL, WRITE_REGISTER, WRITE_COILS, WRITE_REGISTERS})
MOST_REGISTERS: Final = 125
MOST_BITS: Final = 2000

EXCEPTIONS: Final = {
    1: "illegal function",
    2: "illegal address",
    3: "illegal value",
    4: "device failure",
    5: "acknowledge, still at it",
    6: "busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target did not respond",
}
ILLEGAL_ADDRESS: Final = 2
NO_TARGET: Final = frozenset({10, 11})  # a gateway speaks for a unit that is not there

Shape = bytes
"""How the answer to a request begins, as far as the request foretells it: function and byte count of a
read, the whole answer of a write. Two requests of different shape cannot be taken for one another."""


@dataclass(frozen=True, slots=True)
class Query:
    """One request to one unit, ready to be sent."""

    unit: int
    pdu: bytes
    rtu: bytes  # the whole RTU frame
    mbap: bytes  # the whole TCP frame without its transaction id
    shape: Shape  # what a good answer begins with, from the function code on
    answer: int | None  # bytes of a good answer's PDU; None when the request does not foretell it

    @property
    def function(self) -> int:
        """The function code."""
        return self.pdu[0]

    @property
    def refusal(self) -> bytes:
        """The first byte of an exception to it."""
        return bytes((self.pdu[0] | 0x80,))

    @property
    def count(self) -> int:
        """How many registers or bits a read asks for."""
        return int.from_bytes(self.pdu[3:5], "big")

    def __str__(self) -> str:
        return f"unit {self.unit} function {self.function} ({self.pdu[1:5].hex(' ')})"


def read(unit: int, function: int, start: int, count: int) -> Query:
    """Return a read request of function 1 to 4."""
    _check(function in READS, f"function {function} is no read; 1 to 4 are")
    most = MOST_BITS if function in BIT_READS else MOST_REGISTERS
    _check(1 <= count <= most, f"count {count} is outside 1 to {most}")
    _check(0 <= start <= 0x10000 - count, f"addresses {start} to {start + count - 1} do not exist")
    return _seal(unit, _encode(_READ_PDUS[function](address=start, count=count)))


def write_coil(unit: int, address: int, *, on: bool) -> Query:
    """Return a request of function 5."""
    return _seal(unit, _encode(bit_message.WriteSingleCoilRequest(address=address, bits=[on])))


def write_register(unit: int, address: int, value: int) -> Query:
    """Return a request of function 6."""
    return _seal(
        unit, _encode(register_message.WriteSingleRegisterRequest(address=address, registers=[value]))
    )


def write_coils(unit: int, address: int, bits: Sequence[bool]) -> Query:
    """Return a request of function 15."""
    return _seal(unit, _encode(bit_message.WriteMultipleCoilsRequest(address=address, bits=list(bits))))


def write_registers(unit: int, address: int, registers: Sequence[int]) -> Query:
    """Return a request of function 16."""
    request = register_message.WriteMultipleRegistersRequest(address=address, registers=list(registers))
    return _seal(unit, _encode(request))


def raw(unit: int, pdu: bytes) -> Query:
    """Return a request of any function, as it is; a known function is judged like one of our own."""
    _check(1 <= len(pdu) <= 253, f"a PDU has 1 to 253 bytes, this one {len(pdu)}")
    return _seal(unit, pdu)


def registers(data: bytes) -> tuple[int, ...]:
    """Return the registers in the data of an answer to function 3 or 4."""
    return _words(data[0]).unpack_from(data, 1)


def bits(data: bytes, count: int) -> tuple[bool, ...]:
    """Return the first `count` bits in the data of an answer to function 1 or 2."""
    number = int.from_bytes(data[1:], "little")
    return tuple(bool(number >> i & 1) for i in range(count))


def explain(code: int) -> str:
    """Return an exception code in words."""
    return f"exception {code} ({EXCEPTIONS.get(code, 'unknown')})"


def crc(data: bytes | bytearray) -> bytes:
    """Return the two check bytes of an RTU frame, in wire order (Modbus over serial line V1.02, 6.2.2)."""
    value = 0xFFFF
    for byte in data:
        value = (value >> 8) ^ _CRC[(value ^ byte) & 0xFF]
    return value.to_bytes(2, "little")


def fence(query: Query, attempt: int) -> list[Query]:
    """Return harmless reads whose answers have another shape than the query's, best first.

    Their values are never used. Each attempt begins with another form, for units that stay silent on some.
    """
    forms = _fences(query)
    turn = attempt % len(forms)
    return [*forms[turn:], *forms[:turn]]


@lru_cache(maxsize=1024)
def _fences(query: Query) -> tuple[Query, ...]:
    if query.function not in READS:
        start = int.from_bytes(query.pdu[1:3], "big") if len(query.pdu) > 2 else 0
        table = READ_COILS if query.function in {WRITE_COIL, WRITE_COILS} else READ_HOLDING
        return tuple(read(query.unit, f, start, 1) for f in (table, READ_HOLDING, READ_INPUT))
    step = 8 if query.function in BIT_READS else 1
    start, count = int.from_bytes(query.pdu[1:3], "big"), query.count
    lower = [(start, count - step), (start, count + step), (start - step, count + step), (start, 1)]
    most = MOST_BITS if query.function in BIT_READS else MOST_REGISTERS
    same = [read(query.unit, query.function, s, n) for s, n in lower if _exists(s, n, most)]
    other = READ_INPUT if query.function == READ_HOLDING else READ_HOLDING
    return (*(q for q in same if q.shape != query.shape), read(query.unit, other, start, 1))


def _exists(start: int, count: int, most: int) -> bool:
    return 1 <= count <= most and 0 <= start <= 0x10000 - count


def _seal(unit: int, pdu: bytes) -> Query:
    _check(0 <= unit <= 255, f"unit {unit} is outside 0 to 255")
    frame = bytes((unit,)) + pdu
    mbap = struct.pack(">HH", 0, len(frame)) + frame
    shape, answer = _foretell(pdu)
    return Query(unit, pdu, frame + FramerRTU.compute_CRC(frame).to_bytes(2, "big"), mbap, shape, answer)


def _foretell(pdu: bytes) -> tuple[Shape, int | None]:
    function = pdu[0]
    if function in READS and len(pdu) == 5:
        count = int.from_bytes(pdu[3:5], "big")
        size = (count + 7) // 8 if function in BIT_READS else 2 * count
        return bytes((function, size & 0xFF)), 2 + size
    if function in WRITES and len(pdu) >= 5:
        return pdu[:5], 5
    return pdu[:1], None


def _encode(pdu: ModbusPDU) -> bytes:
    return bytes((pdu.function_code,)) + pdu.encode()


def _check(good: bool, message: str) -> None:
    if not good:
        raise ValueError(message)


@lru_cache(maxsize=256)
def _words(size: int) -> struct.Struct:
    return struct.Struct(f">{size // 2}H")


def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ (0xA001 if value & 1 else 0)
        table.append(value)
    return tuple(table)


_CRC: Final = _crc_table()
_READ_PDUS: Final = {
    READ_COILS: bit_message.ReadCoilsRequest,
    READ_DISCRETE: bit_message.ReadDiscreteInputsRequest,
    READ_HOLDING: register_message.ReadHoldingRegistersRequest,
    READ_INPUT: register_message.ReadInputRegistersRequest,
}
