"""Finds the sound frames of every tongue in bytes as they were heard, with who speaks to whom. Pure."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from drivers.dc589 import frame as dc589
from drivers.dlt645 import frame as dlt645
from drivers.dny import frame as dny
from drivers.gst9000 import record as gst9000
from drivers.modbus.framing import RTU
from drivers.modbus.pdu import BIT_READS, READS, crc
from drivers.survey.talk import Said, Tongue
from drivers.tilt import frame as tilt
from drivers.witmotion import frame as witmotion

if TYPE_CHECKING:
    from collections.abc import Callable

BOARD_SPEAKS: Final = frozenset({0xA0, 0xA4, 0xBB, 0xC0, 0xD0})
"""DC589 commands that only a board sends; an answer of it carries an odd number."""


SECRET: Final = frozenset({dlt645.WRITE, 0x18, dlt645.RELAY})
"""DL/T 645 orders that carry a password: write data, change password, relay."""


class Cut(NamedTuple):
    """Frames, and the bytes that belong to none."""

    said: list[Said]
    left: bytes


def cut(tongue: Tongue, data: bytes) -> Cut:
    """Return the sound frames of a tongue in the bytes of one burst, and what is left of them."""
    if tongue is Tongue.MODBUS:
        return _cut_modbus(data)
    if tongue is Tongue.GST9000:
        return _cut_gst9000(data)
    make, read = _CUTTERS[tongue]
    cutter = make()
    said = [read(frame) for frame in [*cutter.feed(data), *cutter.flush()]]
    left = data
    for one in said:
        left = left.replace(one.frame, b"", 1)
    return Cut(said, left.strip(b"\xfe") if tongue is Tongue.DLT645 else left)


def shown(said: Said) -> str:
    """Return the bytes of a frame for people. What follows the head of a DL/T 645 order is its password."""
    digits = [f"{byte:02X}" for byte in said.frame]
    if said.tongue is Tongue.DLT645:
        start = said.frame.index(dlt645.MARK)
        control, length = said.frame[start + 8 : start + 10]
        if control in SECRET:
            digits[start + 10 : start + 10 + length] = ["**"] * length
    return " ".join(digits)


def whole(tongue: Tongue, data: bytes) -> bool:
    """Tell whether the bytes are one whole answer and nothing else."""
    short = len(data) < 3 or len(data) != (5 + data[2] if data[1] in READS else 5)
    if tongue is Tongue.MODBUS and short:  # cheap, asked for every few bytes
        return False
    said, left = cut(tongue, data)
    return bool(said) and not left


def _cut_modbus(data: bytes) -> Cut:
    found = RTU.cut(bytearray(data), -1, final=True)
    return Cut([_modbus(unit, pdu) for unit, pdu in found.frames], found.garbage)


def _modbus(unit: int, pdu: bytes) -> Said:
    body = bytes((unit,)) + pdu
    function = pdu[0]
    # A read has five bytes; so has an answer with three of data, but then its length says 3.
    asks = function in READS and len(pdu) == 5 and pdu[1] != 3
    room = None
    if asks:
        count = int.from_bytes(pdu[3:5], "big")
        room = 5 + ((count + 7) // 8 if function in BIT_READS else 2 * count)
    return Said(Tongue.MODBUS, str(unit), asks, body + crc(body), room)


def _dlt645(frame: dlt645.Frame) -> Said:
    return Said(Tongue.DLT645, frame.address, not frame.reply, dlt645.encode_frame(frame))


def _tilt(tongue: Tongue, frame: tilt.Frame) -> Said:
    asks = not frame.data and frame.command < 0x80
    return Said(tongue, str(frame.address), asks, tilt.encode_frame(frame))


def _witmotion(frame: witmotion.Frame) -> Said:
    return Said(Tongue.WITMOTION, "", asks=False, frame=witmotion.encode_frame(frame))


def _dc589(frame: dc589.Frame) -> Said:
    speaks = frame.command in BOARD_SPEAKS or frame.command % 2 == 1
    board = frame.data[:8].hex() if frame.command in {0xA0, 0xA4} and len(frame.data) >= 8 else ""
    return Said(Tongue.DC589, board, not speaks, dc589.encode_frame(frame))


def _dny(frame: dny.Frame) -> Said:
    return Said(Tongue.DNY, f"{frame.physical:08X}", asks=False, frame=dny.encode_frame(frame))


def _cut_gst9000(data: bytes) -> Cut:
    """Find records. They have no length, so they are not taken out of the bytes: all is left, or none."""
    cutter = gst9000.Cutter()
    records = cutter.feed(data)
    said = [Said(Tongue.GST9000, "", asks=False, frame=gst9000.encode_record(record)) for record in records]
    return Cut(said, b"" if records and not cutter.noise else data)


_CUTTERS: Final[dict[Tongue, tuple[Callable[[], Any], Callable[[Any], Said]]]] = {
    Tongue.DLT645: (dlt645.cutter, _dlt645),
    Tongue.TILT68: (partial(tilt.cutter, tilt.Family.RION), partial(_tilt, Tongue.TILT68)),
    Tongue.TILT77: (partial(tilt.cutter, tilt.Family.BW), partial(_tilt, Tongue.TILT77)),
    Tongue.WITMOTION: (witmotion.cutter, _witmotion),
    Tongue.DC589: (dc589.cutter, _dc589),
    Tongue.DNY: (dny.cutter, _dny),
}


def hear(data: bytes, least: int = 1) -> dict[Tongue, list[Said]]:
    """Return what each tongue makes of bytes that somebody sent of his own accord; only those it fits.

    One byte of checksum lets every 256th piece of noise pass, so such a tongue needs two frames, or one that
    accounts for nearly all the bytes.
    """
    found: dict[Tongue, list[Said]] = {}
    for tongue in Tongue:
        said, left = cut(tongue, data)
        mostly = len(left) * 10 <= len(data)
        enough = len(said) >= max(least, 2) or (mostly and len(said) >= least)
        if said and enough:
            found[tongue] = said
    return found
