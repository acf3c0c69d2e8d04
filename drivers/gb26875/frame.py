"""GB/T 26875.3-2011 frames: `@@`, header of 25 bytes, application data, checksum, `##`. Pure.

The end mark is never searched for: both marks may stand inside the data, the length says where a frame ends.
No version is refused: the field sends others than 1.x.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from drivers.cutter import Cutter, FrameError, Framing, Step, sum8
from drivers.stamp import Stamp

START: Final = b"@@"
END: Final = b"##"
MOST_DATA: Final = 1024
HEADER: Final = struct.Struct("<2sHBB6s6s6sHB")
OVERHEAD: Final = HEADER.size + 3
MOST_ADDRESS: Final = 2**48 - 1


class Gb26875Error(FrameError):
    """These bytes are not a GB/T 26875.3 frame, or not what the frame says it is."""


class Command(IntEnum):
    """Table 2."""

    CONTROL = 1
    SEND = 2
    CONFIRM = 3
    REQUEST = 4
    RESPONSE = 5
    DENY = 6


HEARTBEAT: Final = {"A": b"", "B": b"\x16"}
"""The standard has no heartbeat; the field sends command 2 with this data (practice A, practice B)."""
HEARTBEAT_ANSWER: Final = {"A": b"", "B": b"\x17"}


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame. Addresses are numbers of 48 bits; `data` is the application data unit."""

    sequence: int
    time: Stamp
    source: int
    destination: int
    command: int  # 7-127 are reserved, 128-255 the user's: kept as they come
    data: bytes = b""
    version: tuple[int, int] = (1, 1)  # major (the standard: 1), user's

    @property
    def heartbeat(self) -> str | None:
        """By which practice this is a heartbeat; None when it is none."""
        return next(
            (k for k, v in HEARTBEAT.items() if self.command == Command.SEND and self.data == v), None
        )


def encode_frame(frame: Frame) -> bytes:
    """Return the bytes on the wire. Raises Gb26875Error when a field does not fit."""
    if len(frame.data) > MOST_DATA:
        raise Gb26875Error(Step.LENGTH, f"at most {MOST_DATA} bytes of data, these are {len(frame.data)}")
    if not (0 <= frame.source <= MOST_ADDRESS and 0 <= frame.destination <= MOST_ADDRESS):
        raise Gb26875Error(Step.SANITY, f"{frame.source} or {frame.destination} is no address of 48 bits")
    try:
        head = HEADER.pack(
            START,
            frame.sequence,
            *frame.version,
            encode_time(frame.time),
            frame.source.to_bytes(6, "little"),
            frame.destination.to_bytes(6, "little"),
            len(frame.data),
            frame.command,
        )
    except struct.error as error:
        raise Gb26875Error(Step.SANITY, f"{error} in {frame}") from error
    body = head + frame.data
    return body + bytes([sum8(body[2:])]) + END


def decode_frame(data: bytes) -> Frame:
    """Return the one frame these bytes are. Raises Gb26875Error."""
    if len(data) < OVERHEAD:
        raise Gb26875Error(Step.LENGTH, f"a frame has at least {OVERHEAD} bytes, these are {len(data)}")
    size = _measure(data[: HEADER.size])
    if len(data) != size:
        raise Gb26875Error(Step.LENGTH, f"it says {size} bytes in all, these are {len(data)}")
    if data[-2:] != END:
        raise Gb26875Error(Step.MARK, f"it ends with {data[-2:].hex(' ')}, not with {END.hex(' ')}")
    if (good := sum8(data[2:-3])) != data[-3]:
        raise Gb26875Error(Step.CHECKSUM, f"it is {data[-3]:02X}, {good:02X} would be right")
    _, sequence, major, user, time, source, destination, _, command = HEADER.unpack_from(data)
    return Frame(
        sequence,
        decode_time(time),
        int.from_bytes(source, "little"),
        int.from_bytes(destination, "little"),
        command,
        data[HEADER.size : -3],
        (major, user),
    )


def answer(frame: Frame, command: Command, time: Stamp, data: bytes = b"") -> Frame:
    """Return the answer to a frame: its sequence and version, the addresses turned round."""
    return Frame(frame.sequence, time, frame.destination, frame.source, command, data, frame.version)


def confirm(frame: Frame, time: Stamp) -> Frame:
    """Return the confirmation of a frame; that of a heartbeat in the practice it came in."""
    data = b"" if frame.heartbeat is None else HEARTBEAT_ANSWER[frame.heartbeat]
    return answer(frame, Command.CONFIRM, time, data)


def deny(refused: bytes, time: Stamp) -> Frame | None:
    """Return the denial of bytes that were refused (6.5.3); None when they are not even a header."""
    if len(refused) < HEADER.size or not refused.startswith(START):
        return None
    _, sequence, major, user, _, source, destination, _, command = HEADER.unpack_from(refused)
    back, forth = int.from_bytes(source, "little"), int.from_bytes(destination, "little")
    return answer(Frame(sequence, time, back, forth, command, b"", (major, user)), Command.DENY, time)


def encode_time(time: Stamp) -> bytes:
    """Return ss mm hh DD MM YY, each a plain number."""
    try:
        return bytes(reversed(time))
    except ValueError as error:
        raise Gb26875Error(Step.SANITY, f"no time: {time}") from error


def decode_time(data: bytes) -> Stamp:
    """Return what six bytes say, be it a time or not: a clock that was never set must not cost an alarm."""
    second, minute, hour, day, month, year = data
    return Stamp(year, month, day, hour, minute, second)


def _measure(head: bytes) -> int:
    if not head.startswith(START):
        raise Gb26875Error(Step.MARK, f"it begins with {head[:2].hex(' ')}, not with {START.hex(' ')}")
    length = int.from_bytes(head[24:26], "little")
    if length > MOST_DATA:
        raise Gb26875Error(Step.LENGTH, f"{length} bytes of data, at most {MOST_DATA} are allowed")
    return OVERHEAD + length


FRAMING: Final = Framing(START, HEADER.size, _measure, decode_frame)


def cutter() -> Cutter[Frame]:
    """Return a cutter for one connection."""
    return Cutter(FRAMING)
