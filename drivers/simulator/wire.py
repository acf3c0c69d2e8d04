"""The device's end of Modbus: requests cut out of bytes, answers put into frames. No I/O.

Written on its own, not with the driver's codec, so that a mistake made there is not made here as well.
"""

from __future__ import annotations

import struct
from typing import Protocol

from drivers.registers import Table
from drivers.simulator.dialect import Asked

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, DEVICE_FAILURE, NO_TARGET = 1, 2, 3, 4, 0x0B
_READS = {1: Table.COIL, 2: Table.DISCRETE, 3: Table.HOLDING, 4: Table.INPUT}
_WRITES = {5: Table.COIL, 6: Table.HOLDING, 15: Table.COIL, 16: Table.HOLDING}
_MAX_BITS, _MAX_REGISTERS, _MAX_WRITE_BITS, _MAX_WRITE_REGISTERS = 2000, 125, 1968, 123
_MBAP = struct.Struct(">HHHB")
_LONGEST_RTU = 256


class Refusal(Exception):
    """The device answers with this exception code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"exception {code}")
        self.code = code


class Memory(Protocol):
    """What a device holds."""

    def read(self, table: Table, start: int, count: int) -> list[int]:
        """Return bits or registers; raise Refusal."""
        ...

    def write(self, table: Table, start: int, values: list[int]) -> None:
        """Take bits or registers; raise Refusal."""
        ...


def answer(memory: Memory, pdu: bytes) -> bytes:
    """Return the answer of a device to a request, an exception included."""
    function = pdu[0] if pdu else 0
    try:
        if function in _READS:
            return _read(memory, function, pdu)
        if function in _WRITES:
            return _write(memory, function, pdu)
    except Refusal as refusal:
        return exception(function, refusal.code)
    return exception(function, ILLEGAL_FUNCTION)


def exception(function: int, code: int) -> bytes:
    """Return an exception answer."""
    return bytes((function | 0x80, code))


def is_write(pdu: bytes) -> bool:
    """Tell whether a request wants to change something."""
    return bool(pdu) and pdu[0] in _WRITES


def _read(memory: Memory, function: int, pdu: bytes) -> bytes:
    if len(pdu) != 5:
        raise Refusal(ILLEGAL_VALUE)
    start, count = struct.unpack_from(">HH", pdu, 1)
    table = _READS[function]
    if not 1 <= count <= (_MAX_BITS if table.is_bits else _MAX_REGISTERS):
        raise Refusal(ILLEGAL_VALUE)
    values = memory.read(table, start, count)
    data = _pack_bits(values) if table.is_bits else struct.pack(f">{count}H", *values)
    return bytes((function, len(data))) + data


def _write(memory: Memory, function: int, pdu: bytes) -> bytes:
    if len(pdu) < 5:
        raise Refusal(ILLEGAL_VALUE)
    start, number = struct.unpack_from(">HH", pdu, 1)
    if function == 6:
        values = [number]
    elif function == 5:
        if number not in {0x0000, 0xFF00}:
            raise Refusal(ILLEGAL_VALUE)
        values = [1 if number else 0]
    else:
        values = _many(function, number, pdu[5:])
    memory.write(_WRITES[function], start, values)
    return pdu[:5]


def _many(function: int, count: int, rest: bytes) -> list[int]:
    """Return the values of a function 15 or 16."""
    bits = function == 15
    wanted = (count + 7) // 8 if bits else 2 * count
    most = _MAX_WRITE_BITS if bits else _MAX_WRITE_REGISTERS
    if not 1 <= count <= most or not rest or rest[0] != wanted or len(rest) != 1 + wanted:
        raise Refusal(ILLEGAL_VALUE)
    if bits:
        return [rest[1 + i // 8] >> i % 8 & 1 for i in range(count)]
    return list(struct.unpack_from(f">{count}H", rest, 1))


def _pack_bits(values: list[int]) -> bytes:
    data = bytearray((len(values) + 7) // 8)
    for i, value in enumerate(values):
        data[i // 8] |= (value & 1) << i % 8
    return bytes(data)


# --- frames ------------------------------------------------------------------------------------------------


def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
        table.append(crc)
    return tuple(table)


_CRC = _crc_table()


def crc(data: bytes) -> bytes:
    """Return the two check bytes of an RTU frame, low byte first."""
    value = 0xFFFF
    for byte in data:
        value = value >> 8 ^ _CRC[(value ^ byte) & 0xFF]
    return value.to_bytes(2, "little")


def rtu(unit: int, pdu: bytes) -> bytes:
    """Wrap an answer for RTU."""
    body = bytes((unit,)) + pdu
    return body + crc(body)


def open_rtu(frame: bytes) -> tuple[int, bytes] | None:
    """Return unit and PDU of an RTU frame, or None when it is damaged."""
    if len(frame) < 4 or crc(frame[:-2]) != frame[-2:]:
        return None
    return frame[0], frame[1:-2]


def mbap(transaction: int, unit: int, pdu: bytes) -> bytes:
    """Wrap an answer for Modbus TCP."""
    return _MBAP.pack(transaction, 0, len(pdu) + 1, unit) + pdu


class RtuStream:
    """Cuts RTU requests out of a stream that has no silences, such as RTU over TCP."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Asked]:
        """Take in `data`; return the requests that it completes."""
        self._buffer += data
        found = []
        while (length := _rtu_length(self._buffer)) is not None and len(self._buffer) >= length:
            opened = open_rtu(bytes(self._buffer[:length]))
            if opened is None:
                del self._buffer[0]  # not the start of a request: look one byte on
                continue
            found.append(Asked(*opened))
            del self._buffer[:length]
        return found


def _rtu_length(buffer: bytearray) -> int | None:
    """Return how long the request at the head of `buffer` is; None while that cannot be said."""
    if len(buffer) < 2:
        return None
    if buffer[1] not in {15, 16}:
        return 8
    if len(buffer) < 7:
        return None
    return min(9 + buffer[6], _LONGEST_RTU)


class MbapStream:
    """Cuts Modbus TCP requests out of a stream. Raises ValueError on bytes that are no Modbus TCP."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Asked]:
        """Take in `data`; return the requests that it completes, marked with their transaction."""
        self._buffer += data
        found = []
        while len(self._buffer) >= _MBAP.size:
            transaction, protocol, length, unit = _MBAP.unpack_from(self._buffer)
            if protocol != 0 or not 2 <= length <= 254:
                raise ValueError(f"not a Modbus TCP header: {self._buffer[:7].hex(' ')}")
            end = 6 + length
            if len(self._buffer) < end:
                break
            found.append(Asked(unit, bytes(self._buffer[7:end]), transaction))
            del self._buffer[:end]
        return found
