"""WitMotion's native stream: `55 type d0..d7 sum`, eleven bytes, 0.2 to 200 times a second. Pure.

The checksum is one byte, so of random bytes that look like a frame every 256th passes: whoever reads a
noisy line should also ask whether a value is believable.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from drivers.cutter import Cutter, FrameError, Framing, Step, sum8
from drivers.stamp import Stamp

MARK: Final = 0x55
SIZE: Final = 11
_WORDS: Final = struct.Struct("<4h")
_COMMAND: Final = struct.Struct("<2sBH")
COMMAND_MARK: Final = b"\xff\xaa"


class WitmotionError(FrameError):
    """These bytes are not a WitMotion frame."""


class Kind(IntEnum):
    """What a frame is about."""

    TIME = 0x50
    ACCELERATION = 0x51
    GYRO = 0x52
    ANGLE = 0x53
    MAGNETIC = 0x54
    PORTS = 0x55
    PRESSURE = 0x56
    POSITION = 0x57
    SPEED = 0x58
    QUATERNION = 0x59
    ACCURACY = 0x5A


_KINDS: Final = {kind.value: kind for kind in Kind}
UNITS: Final = {
    Kind.ACCELERATION: ("g", 16 / 32768),
    Kind.GYRO: ("°/s", 2000 / 32768),
    Kind.ANGLE: ("°", 180 / 32768),
    Kind.MAGNETIC: ("", 1.0),
}


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame: its kind and eight bytes."""

    kind: Kind
    data: bytes

    @property
    def words(self) -> tuple[int, int, int, int]:
        """The data as four signed numbers."""
        first, second, third, fourth = _WORDS.unpack(self.data)
        return first, second, third, fourth

    @property
    def axes(self) -> tuple[float, float, float] | None:
        """Return x, y, z in the unit of the kind; None for kinds that have none."""
        if self.kind is Kind.QUATERNION:
            _, x, y, z = self.words
            return x / 32768, y / 32768, z / 32768
        if self.kind not in UNITS:
            return None
        scale = UNITS[self.kind][1]
        x, y, z, _ = self.words
        return x * scale, y * scale, z * scale

    @property
    def temperature(self) -> float | None:
        """Degrees Celsius, which come with the acceleration; older firmware sends them with the angle too."""
        return self.words[3] / 100 if self.kind is Kind.ACCELERATION else None


def encode_frame(frame: Frame) -> bytes:
    """Return the bytes on the wire. Raises WitmotionError."""
    if len(frame.data) != 8:
        raise WitmotionError(Step.LENGTH, f"a frame has 8 bytes of data, these are {len(frame.data)}")
    body = bytes([MARK, frame.kind]) + frame.data
    return body + bytes([sum8(body)])


def encode_axes(kind: Kind, x: float, y: float, z: float, fourth: int = 0) -> Frame:
    """Return the frame that says these values, in the unit of the kind. Raises WitmotionError."""
    words = [round(value / UNITS[kind][1]) for value in (x, y, z)]
    words = [min(word, 32767) if word == 32768 else word for word in words]  # +180 ° is as far as it goes
    try:
        return Frame(kind, _WORDS.pack(*words, fourth))
    except struct.error as error:
        raise WitmotionError(Step.SANITY, f"{x} {y} {z} is outside the range of {kind.name}") from error


def decode_frame(data: bytes) -> Frame:
    """Return the one frame these bytes are. Raises WitmotionError."""
    if len(data) != SIZE:
        raise WitmotionError(Step.LENGTH, f"a frame has {SIZE} bytes, these are {len(data)}")
    _measure(data[:2])
    if (good := sum8(data[:-1])) != data[-1]:
        raise WitmotionError(Step.CHECKSUM, f"it is {data[-1]:02X}, {good:02X} would be right")
    return Frame(_KINDS[data[1]], data[2:-1])


def _measure(head: bytes) -> int:
    if head[0] != MARK:
        raise WitmotionError(Step.MARK, f"it begins with {head[0]:02X}, not with {MARK:02X}")
    if head[1] not in _KINDS:
        raise WitmotionError(Step.SANITY, f"{head[1]:02X} is no kind of frame")
    return SIZE


FRAMING: Final = Framing(bytes([MARK]), 2, _measure, decode_frame)


def cutter() -> Cutter[Frame]:
    """Return a cutter for one line."""
    return Cutter(FRAMING)


class Register(IntEnum):
    """What a command writes to."""

    SAVE = 0x00
    RATE = 0x03
    BAUD = 0x04
    UNLOCK = 0x69


UNLOCK_KEY: Final = 0xB588
RATES: Final = {1: 0.2, 2: 0.5, 3: 1.0, 4: 2.0, 5: 5.0, 6: 10.0, 7: 20.0, 8: 50.0, 9: 100.0, 0x0B: 200.0}
"""Frames per second by the code of Register.RATE; 0x0C sends one frame and stops. 2-5 and 7-9 from memory."""


@dataclass(frozen=True, slots=True)
class Command:
    """Write a value into a register; UNLOCK must come less than 10 s before any other."""

    register: int
    value: int


UNLOCK: Final = Command(Register.UNLOCK, UNLOCK_KEY)


def encode_command(command: Command) -> bytes:
    """Return `FF AA register low high`. Raises WitmotionError."""
    try:
        return _COMMAND.pack(COMMAND_MARK, command.register, command.value)
    except struct.error as error:
        raise WitmotionError(Step.SANITY, f"{command} does not fit: {error}") from error


def decode_command(data: bytes) -> Command:
    """Return the command these five bytes are; they carry no checksum. Raises WitmotionError."""
    if len(data) != _COMMAND.size:
        raise WitmotionError(Step.LENGTH, f"a command has {_COMMAND.size} bytes, these are {len(data)}")
    mark, register, value = _COMMAND.unpack(data)
    if mark != COMMAND_MARK:
        raise WitmotionError(Step.MARK, f"it begins with {data[:2].hex(' ')}, not with ff aa")
    return Command(register, value)


def time_of(frame: Frame) -> tuple[Stamp, int] | None:
    """Return the time and the milliseconds of a TIME frame; years count from 2000."""
    if frame.kind is not Kind.TIME:
        return None
    year, month, day, hour, minute, second = frame.data[:6]
    return Stamp(year, month, day, hour, minute, second), int.from_bytes(frame.data[6:], "little")


def explain(data: bytes) -> dict[str, Any]:
    """Return the fields of one frame or command, for people. Raises WitmotionError."""
    if data.startswith(COMMAND_MARK):
        command = decode_command(data)
        known = command.register in set(Register)
        name = Register(command.register).name.lower() if known else None
        return {"kind": "command", "register": command.register, "name": name, "value": command.value}
    frame = decode_frame(data)
    fields: dict[str, Any] = {"kind": frame.kind.name.lower()}
    if when := time_of(frame):
        return {**fields, "time": when[0].iso(), "milliseconds": when[1]}
    if frame.axes is None:
        return {**fields, "data": frame.data.hex(" ").upper()}
    if frame.kind is Kind.QUATERNION:
        fields["w"] = frame.words[0] / 32768
    fields |= dict(zip("xyz", (round(value, 6) for value in frame.axes), strict=True))
    fields["unit"] = UNITS[frame.kind][0] if frame.kind in UNITS else ""
    if frame.temperature is not None:
        fields["temperature"] = frame.temperature
    if frame.kind is Kind.ANGLE:
        fields["version"] = frame.words[3] & 0xFFFF
    return fields
