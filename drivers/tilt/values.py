"""The numbers of inclinometers: packed decimal digits, the first half byte is the sign (1 is minus). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from drivers.bcd import from_bcd, to_bcd
from drivers.cutter import Step
from drivers.tilt.frame import ANGLES, GRAVITY, Family, Frame, TiltError, decode_frame


class Digits(NamedTuple):
    """How one number is written."""

    size: int  # bytes
    decimals: int


SHORT: Final = Digits(3, 2)  # S XXX.YY
LONG: Final = Digits(4, 4)  # S XXX.YYYY
FINE: Final = Digits(4, 6)  # S X.YYYYYY


@dataclass(frozen=True, slots=True)
class Tilt:
    """What an answer says: degrees for angles, g for gravity."""

    x: float
    y: float
    z: float | None = None
    temperature: float | None = None  # ACA826T sends it in the place of the third axis


_SHAPES: Final = {6: SHORT, 9: SHORT, 8: LONG, 12: LONG}
"""By the bytes of an angle answer: two or three numbers, short or long."""


def decode_number(data: bytes, how: Digits) -> float:
    """Return the number. Raises TiltError when its sign is not 0 or 1 or a digit is not decimal."""
    number = from_bcd(data)
    scale: int = 10 ** (2 * how.size - 1)
    if len(data) != how.size or number is None or number >= 2 * scale:
        raise TiltError(Step.SANITY, f"{data.hex(' ')} is no number of {how.size} bytes")
    value: float = number % scale / 10**how.decimals
    return -value if number >= scale and value else value


def encode_number(value: float, how: Digits) -> bytes:
    """Return the bytes of a number. Raises TiltError when it does not fit."""
    number = round(abs(value) * 10**how.decimals)
    scale: int = 10 ** (2 * how.size - 1)
    if number >= scale:
        raise TiltError(Step.SANITY, f"{value} does not fit into {how.size} bytes")
    return to_bcd(number + (scale if value < 0 and number else 0), how.size)


def decode_tilt(frame: Frame) -> Tilt | None:
    """Return what an answer says; None for frames that carry no reading. Raises TiltError."""
    size = len(frame.data)
    if frame.command == GRAVITY and size == 12:
        how = FINE
    elif frame.command == ANGLES and size in _SHAPES:
        how = _SHAPES[size]
    elif frame.command == ANGLES:
        raise TiltError(Step.LENGTH, f"{size} bytes are no two or three angles")
    else:
        return None
    pieces = [frame.data[i : i + how.size] for i in range(0, len(frame.data), how.size)]
    x, y, *third = (decode_number(piece, how) for piece in pieces)
    if third and frame.family is Family.RION and how is LONG:
        return Tilt(x, y, None, third[0])
    return Tilt(x, y, *third)


def encode_tilt(family: Family, address: int, tilt: Tilt, how: Digits) -> Frame:
    """Return the answer of a device, for simulators. Raises TiltError."""
    third = [value for value in (tilt.z, tilt.temperature) if value is not None][:1]
    data = b"".join(encode_number(value, how) for value in (tilt.x, tilt.y, *third))
    return Frame(family, address, GRAVITY if how is FINE else ANGLES, data)


def explain(data: bytes, family: Family) -> dict[str, Any]:
    """Return the fields of one frame, for people. Raises TiltError."""
    frame = decode_frame(data, family)
    fields: dict[str, Any] = {"address": frame.address, "command": frame.command}
    tilt = decode_tilt(frame)
    if tilt is None:
        return {**fields, "x": None, "y": None, "z": None, "data": frame.data.hex(" ").upper()}
    fields |= {"x": tilt.x, "y": tilt.y, "z": tilt.z, "unit": "g" if frame.command == GRAVITY else "°"}
    return fields if tilt.temperature is None else {**fields, "temperature": tilt.temperature}


def explain_68(data: bytes) -> dict[str, Any]:
    """Return the fields of one frame that begins with 68, for people. Raises TiltError."""
    return explain(data, Family.RION)


def explain_77(data: bytes) -> dict[str, Any]:
    """Return the fields of one frame that begins with 77, for people. Raises TiltError."""
    return explain(data, Family.BW)
