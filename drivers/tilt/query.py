"""Requests to inclinometers, ready to be sent. An answer tells its address and its command, no more. Pure.

Commands 01, 02 and 0D stand in public manuals of BWSensing (LIS344, WF-WM410) and in public drivers for RION.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from drivers.tilt import frame as wire
from drivers.tilt.frame import OVERHEAD, Family, Frame, encode_frame

READ_X: Final = 0x01
READ_Y: Final = 0x02
ZERO_MODE: Final = 0x0D
_DATA: Final = {wire.READ: 6, wire.GRAVITY: 12, READ_X: 3, READ_Y: 3, ZERO_MODE: 1}
"""Bytes of data that the answer to a command has at least."""
_WORDS: Final = {
    wire.READ: "angles",
    wire.GRAVITY: "gravity",
    READ_X: "x",
    READ_Y: "y",
    ZERO_MODE: "zero mode",
}


@dataclass(frozen=True, slots=True)
class Query:
    """One request to one sensor."""

    unit: int
    command: int
    frame: bytes
    shape: bytes  # the command byte of a good answer
    size: int  # bytes of a good answer's frame, at least
    answer: int | None = None  # sensors differ in how many digits they send
    refusal: bytes | None = None  # they never refuse; what they do not know they do not answer

    def __str__(self) -> str:
        return f"sensor {self.unit} {_WORDS[self.command]}"


def ask(family: Family, address: int, command: int) -> Query:
    """Return the request of one of the reading commands."""
    frame = encode_frame(Frame(family, address, command))
    answer = command if command == wire.GRAVITY else command | 0x80
    return Query(address, command, frame, bytes((answer,)), OVERHEAD + _DATA[command])
