"""DC589 frames (charging boards, V5.8.9): `EE LEN CMD SESSION(6) DATA SUM`, SUM by exclusive or. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import xor
from typing import Final

from drivers.cutter import Cutter, FrameError, Framing, Step

MARK: Final = 0xEE
_LEAST: Final = 8  # of the length byte: command, session, sum
NO_SESSION: Final = bytes(6)
"""What a board sends of its own accord; an answer repeats the session of the request."""


class Dc589Error(FrameError):
    """These bytes are not a DC589 frame, or not what its command needs."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame."""

    command: int
    data: bytes = b""
    session: bytes = NO_SESSION


def encode_frame(frame: Frame) -> bytes:
    """Return the bytes on the wire. Raises Dc589Error."""
    length = len(frame.data) + _LEAST
    if length > 0xFF:
        raise Dc589Error(Step.LENGTH, f"at most {0xFF - _LEAST} bytes of data, these are {len(frame.data)}")
    if len(frame.session) != 6 or not 0 <= frame.command <= 0xFF:
        raise Dc589Error(Step.SANITY, f"{frame} has no command of 1 or no session of 6 bytes")
    body = bytes([length, frame.command]) + frame.session + frame.data
    return bytes([MARK]) + body + bytes([reduce(xor, body)])


def decode_frame(data: bytes) -> Frame:
    """Return the one frame these bytes are. Raises Dc589Error."""
    if len(data) < _LEAST + 2:
        raise Dc589Error(Step.LENGTH, f"a frame has at least {_LEAST + 2} bytes, these are {len(data)}")
    size = _measure(data[:3])
    if len(data) != size:
        raise Dc589Error(Step.LENGTH, f"it says {size} bytes in all, these are {len(data)}")
    if (good := reduce(xor, data[1:-1])) != data[-1]:
        raise Dc589Error(Step.CHECKSUM, f"it is {data[-1]:02X}, {good:02X} would be right")
    return Frame(data[2], data[9:-1], data[3:9])


def _measure(head: bytes) -> int:
    if head[0] != MARK:
        raise Dc589Error(Step.MARK, f"it begins with {head[0]:02X}, not with {MARK:02X}")
    if head[1] < _LEAST:
        raise Dc589Error(Step.LENGTH, f"a length of {head[1]} is less than {_LEAST}")
    if head[2] < 0xA0:
        raise Dc589Error(Step.SANITY, f"{head[2]:02X} is no command; they begin at A0")
    return head[1] + 2


FRAMING: Final = Framing(bytes([MARK]), 3, _measure, decode_frame)


def cutter() -> Cutter[Frame]:
    """Return a cutter for one line or connection."""
    return Cutter(FRAMING)
