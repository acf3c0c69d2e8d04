"""DL/T 645 frames, editions 1997 and 2007: `[FE ...] 68 A0..A5 68 C L DATA CS 16`. Pure.

Every data byte travels with 33H added; here it is always without.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from drivers.cutter import Cutter, FrameError, Framing, Step, sum8

MARK: Final = 0x68
END: Final = 0x16
PREAMBLE: Final = 0xFE
OFFSET: Final = 0x33
MOST_DATA: Final = 200  # 2007, 5.2.5
WILDCARD: Final = "AA" * 6
BROADCAST: Final = "99" * 6
_ADDRESS = re.compile(r"(?:AA|[0-9]{2}){6}")
_ANSWER, _REFUSED, _MORE = 0x80, 0x40, 0x20


class Dlt645Error(FrameError):
    """These bytes are not a DL/T 645 frame, or not what the frame says it is."""


class Edition(StrEnum):
    """Which edition a function code belongs to; they share none but the broadcast time 08."""

    Y1997 = "1997"
    Y2007 = "2007"


READ_1997: Final = 0x01
NEXT_1997: Final = 0x02
WRITE_1997: Final = 0x04
ADDRESS_1997: Final = 0x0A
TIME: Final = 0x08
READ: Final = 0x11
NEXT: Final = 0x12
ADDRESS: Final = 0x13
WRITE: Final = 0x14
RELAY: Final = 0x1C
FUNCTIONS: Final = {
    READ_1997: "read",
    NEXT_1997: "read_next",
    0x03: "read_again",
    WRITE_1997: "write",
    TIME: "broadcast_time",
    ADDRESS_1997: "write_address",
    0x0C: "change_speed",
    0x0F: "change_password",
    0x10: "clear_demand",
    READ: "read",
    NEXT: "read_next",
    ADDRESS: "read_address",
    WRITE: "write",
    0x15: "write_address",
    0x16: "freeze",
    0x17: "change_speed",
    0x18: "change_password",
    0x19: "clear_demand",
    0x1A: "clear_meter",
    0x1B: "clear_events",
    RELAY: "relay",
}
ERRORS: Final = (
    "other",
    "no_such_data",
    "password",
    "speed_fixed",
    "too_many_year_zones",
    "too_many_day_slots",
    "too_many_tariffs",
)
"""What the bits of an error byte mean, 2007 edition."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame: 12 decimal digits of address (`AA` pairs are wildcards), control byte, data without 33H."""

    address: str
    control: int
    data: bytes = b""

    @property
    def reply(self) -> bool:
        """Whether the meter speaks."""
        return bool(self.control & _ANSWER)

    @property
    def refused(self) -> bool:
        """Whether the meter says that it did not do it."""
        return bool(self.control & _ANSWER and self.control & _REFUSED)

    @property
    def more(self) -> bool:
        """Whether the answer goes on in a further frame."""
        return bool(self.control & _MORE)

    @property
    def function(self) -> int:
        """What it is about, for request and answer alike."""
        return self.control & 0x1F

    @property
    def edition(self) -> Edition:
        """By which edition the function is to be read."""
        return Edition.Y1997 if self.function <= 0x10 and self.function != TIME else Edition.Y2007

    @property
    def error(self) -> int | None:
        """The error byte of a refusal."""
        return self.data[0] if self.refused and self.data else None


def encode_frame(frame: Frame, preamble: int = 0) -> bytes:
    """Return the bytes on the wire, after `preamble` wake-up bytes FE. Raises Dlt645Error."""
    if not _ADDRESS.fullmatch(frame.address):
        raise Dlt645Error(Step.SANITY, f"an address has 12 decimal digits or AA pairs, not {frame.address!r}")
    if len(frame.data) > MOST_DATA:
        raise Dlt645Error(Step.LENGTH, f"at most {MOST_DATA} bytes of data, these are {len(frame.data)}")
    body = bytes([MARK]) + bytes.fromhex(frame.address)[::-1]
    body += bytes([MARK, frame.control, len(frame.data)]) + bytes((b + OFFSET) & 0xFF for b in frame.data)
    return bytes([PREAMBLE]) * preamble + body + bytes([sum8(body), END])


def decode_frame(data: bytes) -> Frame:
    """Return the one frame these bytes are, wake-up bytes before it allowed. Raises Dlt645Error."""
    data = data.lstrip(bytes([PREAMBLE]))
    if len(data) < 12:
        raise Dlt645Error(Step.LENGTH, f"a frame has at least 12 bytes, these are {len(data)}")
    size = _measure(data[:10])
    if len(data) != size:
        raise Dlt645Error(Step.LENGTH, f"it says {size} bytes in all, these are {len(data)}")
    if data[-1] != END:
        raise Dlt645Error(Step.MARK, f"it ends with {data[-1]:02X}, not with {END:02X}")
    if (good := sum8(data[:-2])) != data[-2]:
        raise Dlt645Error(Step.CHECKSUM, f"it is {data[-2]:02X}, {good:02X} would be right")
    address = data[6:0:-1].hex().upper()
    if not _ADDRESS.fullmatch(address):
        raise Dlt645Error(Step.SANITY, f"the address {address} is not decimal")
    return Frame(address, data[8], bytes((b - OFFSET) & 0xFF for b in data[10:-2]))


def _measure(head: bytes) -> int:
    if head[0] != MARK or head[7] != MARK:
        raise Dlt645Error(Step.MARK, f"68 must stand at 0 and 7, there are {head[0]:02X} {head[7]:02X}")
    if head[9] > MOST_DATA:
        raise Dlt645Error(Step.LENGTH, f"{head[9]} bytes of data, at most {MOST_DATA} are allowed")
    return 12 + head[9]


FRAMING: Final = Framing(bytes([MARK]), 10, _measure, decode_frame, bytes([PREAMBLE]))


def cutter() -> Cutter[Frame]:
    """Return a cutter for one line."""
    return Cutter(FRAMING)


def matches(frame: Frame, address: str) -> bool:
    """Whether an answer comes from the meter that was asked; the question may hold wildcard pairs."""
    pairs = zip(_pairs(frame.address), _pairs(address), strict=True)
    return all(asked in {"AA", answered} for answered, asked in pairs)


def _pairs(address: str) -> list[str]:
    return [address[i : i + 2] for i in range(0, 12, 2)]
