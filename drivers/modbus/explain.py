"""What a Modbus frame says, for people: `tocsin decode`. Pure."""

from __future__ import annotations

from typing import Any

from drivers.modbus.framing import PacketReader, parse_rtu
from drivers.modbus.pdu import (
    BIT_READS,
    EXCEPTIONS,
    MOST_BITS,
    READS,
    WRITE_COIL,
    WRITE_COILS,
    WRITE_REGISTER,
    WRITE_REGISTERS,
)


def explain_rtu(frame: bytes) -> dict[str, Any]:
    """Return the fields of an RTU frame. Raises ValueError with what is wrong."""
    cut = parse_rtu(frame)
    return {"unit": cut.unit, **explain_pdu(cut.pdu)}


def explain_tcp(frame: bytes) -> dict[str, Any]:
    """Return the fields of a TCP frame. Raises ValueError with what is wrong."""
    reader = PacketReader()
    packets = reader.feed(frame)
    if not packets:
        raise ValueError(f"cut short: {len(frame)} bytes hold no whole frame")
    if len(packets) > 1 or reader.buffer:
        raise ValueError(f"more than one frame: {len(reader.buffer)} bytes are left after the first")
    packet = packets[0]
    return {"transaction": packet.transaction, "unit": packet.unit, **explain_pdu(packet.pdu)}


def explain_pdu(pdu: bytes) -> dict[str, Any]:
    """Return the fields of a request or an answer; Modbus does not mark which of the two it is."""
    function = pdu[0]
    if function & 0x80:
        if len(pdu) != 2:
            raise ValueError(f"an exception has 2 bytes, this one {len(pdu)}")
        meaning = EXCEPTIONS.get(pdu[1], "unknown")
        return {"function": function & 0x7F, "kind": "exception", "exception": pdu[1], "meaning": meaning}
    if function in READS:
        return {"function": function, **_read(function, pdu)}
    if function in {WRITE_COIL, WRITE_REGISTER} and len(pdu) == 5:
        value = int.from_bytes(pdu[3:5], "big")
        what = {"bits": [value == 0xFF00]} if function == WRITE_COIL else {"registers": [value]}
        return {"function": function, "kind": "write", "address": _word(pdu, 1), **what}
    if function in {WRITE_COILS, WRITE_REGISTERS} and len(pdu) >= 5:
        return {"function": function, **_write_many(function, pdu)}
    return {"function": function, "kind": "raw", "data": pdu[1:].hex(" ")}


def _read(function: int, pdu: bytes) -> dict[str, Any]:
    size = len(pdu)
    is_answer = size >= 2 and pdu[1] == size - 2 and pdu[1] > 0 and (function in BIT_READS or pdu[1] % 2 == 0)
    if size == 5 and not (is_answer and not 1 <= _word(pdu, 3) <= MOST_BITS):
        return {"kind": "request", "address": _word(pdu, 1), "count": _word(pdu, 3)}
    if not is_answer:
        said = pdu[1] if size > 1 else 0
        raise ValueError(f"byte count says {said}, there are {size - 2}")
    if function in BIT_READS:
        number = int.from_bytes(pdu[2:], "little")
        return {"kind": "answer", "bits": [bool(number >> i & 1) for i in range(8 * pdu[1])]}
    return {"kind": "answer", "registers": [_word(pdu, i) for i in range(2, size, 2)]}


def _write_many(function: int, pdu: bytes) -> dict[str, Any]:
    address, count = _word(pdu, 1), _word(pdu, 3)
    if len(pdu) == 5:
        return {"kind": "answer", "address": address, "count": count}
    wanted = (count + 7) // 8 if function == WRITE_COILS else 2 * count
    if pdu[5] != wanted or len(pdu) != 6 + wanted:
        raise ValueError(f"{count} values need {wanted} bytes, there are {len(pdu) - 6}")
    number = int.from_bytes(pdu[6:], "little")
    if function == WRITE_COILS:
        return {"kind": "request", "address": address, "bits": [bool(number >> i & 1) for i in range(count)]}
    registers = [_word(pdu, i) for i in range(6, len(pdu), 2)]
    return {"kind": "request", "address": address, "registers": registers}


def _word(pdu: bytes, at: int) -> int:
    return int.from_bytes(pdu[at : at + 2], "big")
