"""Inclinometer frames: `68` or `77`, length, address, command, data, sum. Pure.

The length counts all bytes but the mark; the sum covers all but the mark. Both families differ only in the
mark and in what their numbers mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from drivers.cutter import Cutter, FrameError, Framing, Step, sum8

OVERHEAD: Final = 5
_LEAST: Final = 4  # of the length byte


class TiltError(FrameError):
    """These bytes are not an inclinometer's frame, or its digits are no digits."""


class Family(IntEnum):
    """Who speaks: the first byte of every frame."""

    RION = 0x68
    BW = 0x77


READ: Final = 0x04  # all axes
ANGLES: Final = 0x84
GRAVITY: Final = 0x54  # request and answer
AUTO: Final = 0x0C
SAVE: Final = 0x0A


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of either family."""

    family: Family
    address: int
    command: int
    data: bytes = b""


def encode_frame(frame: Frame) -> bytes:
    """Return the bytes on the wire. Raises TiltError."""
    if len(frame.data) > 0xFF - _LEAST:
        raise TiltError(Step.LENGTH, f"at most {0xFF - _LEAST} bytes of data, these are {len(frame.data)}")
    body = bytes([len(frame.data) + _LEAST, frame.address, frame.command]) + frame.data
    return bytes([frame.family]) + body + bytes([sum8(body)])


def decode_frame(data: bytes, family: Family) -> Frame:
    """Return the one frame these bytes are. Raises TiltError."""
    if len(data) < OVERHEAD:
        raise TiltError(Step.LENGTH, f"a frame has at least {OVERHEAD} bytes, these are {len(data)}")
    if data[0] != family:
        raise TiltError(Step.MARK, f"it begins with {data[0]:02X}, not with {family:02X}")
    size = _measure(data[:2])
    if len(data) != size:
        raise TiltError(Step.LENGTH, f"it says {size} bytes in all, these are {len(data)}")
    if (good := sum8(data[1:-1])) != data[-1]:
        raise TiltError(Step.CHECKSUM, f"it is {data[-1]:02X}, {good:02X} would be right")
    return Frame(family, data[2], data[3], data[4:-1])


MOST_LENGTH: Final = 64
"""Of a believable length byte: no device sends more, and waiting for it would hide other frames."""


def _measure(head: bytes) -> int:
    if not _LEAST <= head[1] <= MOST_LENGTH:
        raise TiltError(Step.LENGTH, f"a length of {head[1]} is not within {_LEAST} to {MOST_LENGTH}")
    return head[1] + 1


def framing(family: Family) -> Framing[Frame]:
    """Return how frames of a family are found."""
    return Framing(bytes([family]), 2, _measure, lambda data: decode_frame(data, family))


def cutter(family: Family) -> Cutter[Frame]:
    """Return a cutter for one line."""
    return Cutter(framing(family))
