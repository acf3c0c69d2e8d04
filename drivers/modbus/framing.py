"""Cutting answers out of bytes: RTU frames by length and checksum, TCP frames by header. No I/O."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, NamedTuple

from drivers.line.timing import silence
from drivers.modbus.pdu import READS, WRITES, Query, crc, explain, fence

if TYPE_CHECKING:
    from drivers.line.dialect import UnitId
    from drivers.line.settings import LineSettings

HEADER: Final = struct.Struct(">HHHB")  # transaction, protocol, length, unit
MOST_LENGTH: Final = 254  # unit and PDU of a TCP frame
MOST_RTU: Final = 256
KNOWN: Final = READS | WRITES


class Frame(NamedTuple):
    """One whole frame with a good checksum."""

    unit: int
    pdu: bytes


class Cut(NamedTuple):
    """What was found in the bytes so far."""

    frames: list[Frame]
    garbage: bytes  # bytes that belong to no whole frame


class Rtu:
    """The framing of Modbus RTU: unit, PDU, CRC-16, and silence instead of marks."""

    name = "modbus-rtu"
    overhead = 3  # unit and checksum
    grace = 0.06  # USB adapters hold bytes back for 16 ms

    @staticmethod
    def silence(settings: LineSettings) -> float:
        """Return the seconds of 3.5 characters, and the site's gap."""
        return silence(settings)

    @staticmethod
    def explain(pdu: bytes) -> str:
        """Return the words of an exception."""
        return explain(pdu[1])

    @staticmethod
    def request(query: Query) -> bytes:
        """Return the bytes to be sent."""
        return query.rtu

    @staticmethod
    def fence(query: Query, attempt: int) -> list[Query]:
        """Return harmless reads of other shapes than the query's, best first for this attempt."""
        return fence(query, attempt)

    @staticmethod
    def length(query: Query) -> int:
        """Return how many bytes a good answer has; the least possible where the request does not tell."""
        return 5 if query.answer is None else query.answer + 3

    @staticmethod
    def answer(buffer: bytearray, query: Query) -> bytes | None:
        """Return the PDU when the bytes are exactly one good answer to the query, the common case."""
        size = query.answer
        if size is None or len(buffer) != size + 3 or buffer[0] != query.unit:
            return None
        pdu = bytes(buffer[1 : size + 1])
        if not pdu.startswith(query.shape) or crc(buffer) != b"\0\0":  # a frame with its CRC leaves zero
            return None
        return pdu

    @staticmethod
    def missing(buffer: bytearray, query: Query) -> int:
        """Return how many bytes must come at least before it is worth looking; 0 or less: look now."""
        have = len(buffer)
        expected = Rtu.length(query)
        if have < 2:
            return expected - have
        if buffer[0] == query.unit:
            if buffer[1] == query.function | 0x80:
                return 5 - have
            if buffer[1] == query.function and query.function in READS and have >= 3:
                return 5 + buffer[2] - have  # shorter or longer: the answer to an older request
        return expected - have

    @staticmethod
    def cut(buffer: bytearray, unit: UnitId | None, *, final: bool) -> Cut:
        """Take whole frames from the bytes, and the garbage before and between them.

        `final`: the wire is silent, so what is not whole now never will be. `unit` may lie outside the
        range of serial units. An incomplete frame at the end stays in the buffer unless `final`.
        """
        frames: list[Frame] = []
        garbage = bytearray()
        start = at = 0
        pending = -1  # where an incomplete frame may begin
        while at < len(buffer):
            size, incomplete = _frame_at(buffer, at, unit)
            if size:
                garbage += buffer[start:at]
                frames.append(Frame(buffer[at], bytes(buffer[at + 1 : at + size - 2])))
                start = at = at + size
                pending = -1
                continue
            if incomplete and pending < 0:
                pending = at
            at += 1
        keep = len(buffer) if final or pending < 0 else max(pending, len(buffer) - MOST_RTU)
        garbage += buffer[start:keep]
        del buffer[:keep]
        return Cut(frames, bytes(garbage))


RTU: Final = Rtu()


def _frame_at(buffer: bytearray, at: int, unit: UnitId | None) -> tuple[int, bool]:
    """Return the size of the good frame that begins here (0: none), and whether one may still grow here."""
    have = len(buffer) - at
    if not 1 <= buffer[at] <= 247 and buffer[at] != unit:
        return 0, False
    if have < 3:
        return 0, have < 2 or buffer[at + 1] != 0
    incomplete = False
    for size in _sizes(buffer, at, have):
        if size > have:
            incomplete = True
        elif crc(buffer[at : at + size]) == b"\0\0":
            return size, False
    return 0, incomplete


def _sizes(buffer: bytearray, at: int, have: int) -> tuple[int, ...]:
    function = buffer[at + 1]
    if function & 0x80:
        return (5,)
    if function in READS:
        return (5 + buffer[at + 2], 8)  # an answer; a request, echoed or of another master
    if function in WRITES:
        return (8,)
    return (have,) if 4 <= have <= MOST_RTU and function else ()  # of unknown length: all there is


def parse_rtu(frame: bytes) -> Frame:
    """Return the one frame these bytes are. Raises ValueError with what is wrong."""
    if not 4 <= len(frame) <= MOST_RTU:
        raise ValueError(f"an RTU frame has 4 to {MOST_RTU} bytes, this one {len(frame)}")
    good = crc(frame[:-2])
    if good != frame[-2:]:
        raise ValueError(f"checksum is {frame[-2:].hex(' ')}, {good.hex(' ')} would be right")
    return Frame(frame[0], frame[1:-2])


class Packet(NamedTuple):
    """One Modbus TCP frame."""

    transaction: int
    unit: int
    pdu: bytes


class PacketReader:
    """Cuts Modbus TCP frames out of bytes that arrive in pieces of any size."""

    __slots__ = ("buffer",)

    def __init__(self) -> None:
        self.buffer = bytearray()

    def feed(self, data: bytes) -> list[Packet]:
        """Take in `data`, return the frames it completes. Raises ValueError where no header stands.

        After that error the stream is out of step for good: the connection has to be closed.
        """
        buffer = self.buffer
        buffer += data
        packets: list[Packet] = []
        while len(buffer) >= HEADER.size:
            transaction, protocol, length, unit = HEADER.unpack_from(buffer)
            if protocol != 0 or not 2 <= length <= MOST_LENGTH:
                raise ValueError(f"not a Modbus TCP header: {buffer[:7].hex(' ')}")
            end = HEADER.size - 1 + length
            if len(buffer) < end:
                break
            packets.append(Packet(transaction, unit, bytes(buffer[HEADER.size : end])))
            del buffer[:end]
        return packets
