"""DNY (AP3000) frames: `DNY`, length, physical id, message id, command, data, sum of 16 bits. Pure.

Numbers have their low byte first.

Besides frames the modules send bare text: the digits of their SIM card, and `link` to stay connected; a
cutter counts them as noise.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from drivers.cutter import Cutter, FrameError, Framing, Step

MARK: Final = b"DNY"
HEADER: Final = struct.Struct("<3sHIHB")
MOST: Final = 512  # of a believable length field
_LEAST: Final = 9
KEEP_ALIVE: Final = b"link"


class DnyError(FrameError):
    """These bytes are not a DNY frame."""


class Command(IntEnum):
    """The commands a gateway meets."""

    HEARTBEAT_OLD = 0x01
    SWIPE_CARD = 0x02
    SETTLEMENT = 0x03
    PORT_POWER = 0x06
    MAIN_HEARTBEAT = 0x11
    SERVER_TIME = 0x12
    REGISTER = 0x20
    HEARTBEAT = 0x21
    DEVICE_TIME = 0x22
    ALARM = 0x42
    NETWORK_STATE = 0x81
    CHARGE = 0x82  # start and stop, 37 bytes
    PARAMETERS = 0x83
    LIMITS = 0x85  # longest time, overload power


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame."""

    physical: int
    message: int
    command: int
    data: bytes = b""


def encode_frame(frame: Frame) -> bytes:
    """Return the bytes on the wire. Raises DnyError when a field does not fit."""
    length = _LEAST + len(frame.data)
    if length > MOST:
        raise DnyError(Step.LENGTH, f"at most {MOST - _LEAST} bytes of data, these are {len(frame.data)}")
    try:
        head = HEADER.pack(MARK, length, frame.physical, frame.message, frame.command)
    except struct.error as error:
        raise DnyError(Step.SANITY, f"{frame} does not fit: {error}") from error
    body = head + frame.data
    return body + _sum16(body)


def decode_frame(data: bytes) -> Frame:
    """Return the one frame these bytes are. Raises DnyError."""
    if len(data) < HEADER.size + 2:
        raise DnyError(Step.LENGTH, f"a frame has at least {HEADER.size + 2} bytes, these are {len(data)}")
    size = _measure(data[:5])
    if len(data) != size:
        raise DnyError(Step.LENGTH, f"it says {size} bytes in all, these are {len(data)}")
    if (good := _sum16(data[:-2])) != data[-2:]:
        raise DnyError(Step.CHECKSUM, f"it is {data[-2:].hex(' ')}, {good.hex(' ')} would be right")
    _, _, physical, message, command = HEADER.unpack_from(data)
    return Frame(physical, message, command, data[HEADER.size : -2])


def _measure(head: bytes) -> int:
    if not head.startswith(MARK):
        raise DnyError(Step.MARK, f"it begins with {head[:3].hex(' ')}, not with {MARK.hex(' ')}")
    length = int.from_bytes(head[3:5], "little")
    if not _LEAST <= length <= MOST:
        raise DnyError(Step.LENGTH, f"a length of {length} is not within {_LEAST} to {MOST}")
    return 5 + length


def _sum16(data: bytes) -> bytes:
    return (sum(data) & 0xFFFF).to_bytes(2, "little")


FRAMING: Final = Framing(MARK, 5, _measure, decode_frame)


def cutter() -> Cutter[Frame]:
    """Return a cutter for one connection."""
    return Cutter(FRAMING)


def explain(data: bytes) -> dict[str, Any]:
    """Return the fields of one frame, for people. Raises DnyError."""
    frame = decode_frame(data)
    return {
        "physical": frame.physical,
        "message": frame.message,
        "command": f"{frame.command:02X}",
        "meaning": Command(frame.command).name.lower() if frame.command in set(Command) else "unknown",
        "data": frame.data.hex(" ").upper(),
    }
