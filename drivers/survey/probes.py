"""The questions of a survey, one tongue at a time, and what an answer to each tells. Pure.

All of them only look: `harmless` is the gate that every raw frame of a survey has to pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from drivers.dlt645 import frame as dlt645
from drivers.modbus import pdu
from drivers.survey.frames import cut
from drivers.survey.talk import Heard, Said, Setting, Shot, Tongue
from drivers.tilt import frame as tilt

SOON: Final = 0.04  # seconds: most devices begin to answer by then
LATE: Final = 0.25  # seconds: nearly all do
METER: Final = 0.5  # seconds a meter may take (DL/T 645-2007, 5.2.3: 20 to 500 ms)
WAKE: Final = 4  # bytes FE before a question to a meter
ENERGY_1997: Final = bytes.fromhex("1090")  # forward active energy: there is no "read address" in 1997
ENERGY_2007: Final = bytes.fromhex("00000100")
OLD_DIGITS: Final = 4  # of an identifier of the 1997 edition
_READ_ONLY: Final = {
    Tongue.DLT645: frozenset({dlt645.READ, dlt645.NEXT, dlt645.ADDRESS, dlt645.READ_1997, dlt645.NEXT_1997}),
    Tongue.TILT68: frozenset({tilt.READ, 0x07}),
    Tongue.TILT77: frozenset({tilt.READ, tilt.GRAVITY}),
}


class Sound(StrEnum):
    """What came back, in one word."""

    NOTHING = "nothing"
    ANSWER = "answer"
    OTHER = "other"  # a sound frame, but of somebody else: an answer that came late
    GARBAGE = "garbage"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one shot brought."""

    sound: Sound
    said: tuple[Said, ...] = ()  # answers only, never our own echo
    data: bytes = b""  # as heard, without our own echo
    echo: bool = False  # the adapter gives back what we send


def modbus(unit: int, setting: Setting, patience: float = SOON, linger: float = 0.0) -> Shot:
    """Ask a unit for its first holding register: an exception is an answer too."""
    query = pdu.read(unit, pdu.READ_HOLDING, 0, 1)
    return Shot(Tongue.MODBUS, query.rtu, setting.silence + patience, linger)


def meters(setting: Setting, edition: dlt645.Edition = dlt645.Edition.Y2007, digits: str = "") -> Shot:
    """Ask all meters whose address ends with these digits; the answer says the whole address."""
    address = digits.rjust(12, "A")
    if edition is dlt645.Edition.Y1997:
        frame = dlt645.Frame(address, dlt645.READ_1997, ENERGY_1997)
    elif digits:
        frame = dlt645.Frame(address, dlt645.READ, ENERGY_2007)
    else:
        frame = dlt645.Frame(address, dlt645.ADDRESS)
    patience = METER if not digits else 0.2
    return Shot(Tongue.DLT645, dlt645.encode_frame(frame, WAKE), setting.silence + patience, 0.2)


def inclinometer(tongue: Tongue, setting: Setting, address: int = 0) -> Shot:
    """Ask an inclinometer: 0 is the factory's address, and with many models everybody's."""
    kind = tilt.Family.RION if tongue is Tongue.TILT68 else tilt.Family.BW
    return Shot(tongue, tilt.encode_frame(tilt.Frame(kind, address, tilt.READ)), setting.silence + 0.1, 0.05)


def item(setting: Setting, who: str, name: str, patience: float) -> Shot:
    """Ask a meter for one item, by its identifier as a profile writes it: four or eight hex digits."""
    function = dlt645.READ_1997 if len(name) == OLD_DIGITS else dlt645.READ
    frame = dlt645.Frame(who, function, bytes.fromhex(name)[::-1])
    return Shot(Tongue.DLT645, dlt645.encode_frame(frame, WAKE), setting.silence + patience)


def judge(shot: Shot, heard: Heard) -> Verdict:
    """Say what came back on a shot."""
    data = heard.data
    echo = data.startswith(shot.frame)
    if echo:
        data = data[len(shot.frame) :]
    if not data:
        return Verdict(Sound.NOTHING, echo=echo)
    said = tuple(one for one in cut(shot.tongue, data).said if not one.asks)
    if not said:
        return Verdict(Sound.GARBAGE, data=data, echo=echo)
    asked = whom(shot)
    mine = [one for one in said if answers(asked, one.who)]
    return Verdict(Sound.ANSWER if mine else Sound.OTHER, said, data, echo)


def whom(shot: Shot) -> str:
    """Return the address that a shot asks, as `Said.who` writes it; "" for everybody."""
    match shot.tongue:
        case Tongue.MODBUS:
            return str(shot.frame[0])
        case Tongue.TILT68 | Tongue.TILT77:
            return str(shot.frame[2] or "")
        case Tongue.DLT645:
            address = shot.frame.lstrip(bytes([dlt645.PREAMBLE]))[1:7]
            return address[::-1].hex().upper()
        case _:
            return ""


def answers(asked: str, who: str) -> bool:
    """Whether an answer of `who` fits a question to `asked`, which may hold wildcard pairs."""
    return not asked or asked == who or ("A" in asked and dlt645.matches(dlt645.Frame(who, 0), asked))


def harmless(tongue: Tongue, frame: bytes) -> bool:
    """Whether a frame is one question, whole and sound, that only reads."""
    said, left = cut(tongue, frame)
    if len(said) != 1 or left or not said[0].asks:
        return False
    if tongue is Tongue.MODBUS:
        return frame[1] in pdu.READS and 1 <= frame[0] <= 247
    if tongue is Tongue.DLT645:
        return dlt645.decode_frame(frame).function in _READ_ONLY[tongue]
    return tongue in _READ_ONLY and frame[3] in _READ_ONLY[tongue]
