"""The words of a survey: settings of a line, shots and what is heard after them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, Protocol

from drivers.line.timing import FAST, FAST_SILENCE, SILENT_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drivers.line.settings import Parity


class Tongue(StrEnum):
    """A protocol as it sounds on a serial line; the words are those of `tocsin decode`."""

    MODBUS = "modbus-rtu"
    DLT645 = "dlt645"
    TILT68 = "tilt68"
    TILT77 = "tilt77"
    WITMOTION = "witmotion"
    DC589 = "dc589"
    DNY = "dny"
    GST9000 = "gst9000"


@dataclass(frozen=True, slots=True, order=True)
class Setting:
    """How fast a line talks."""

    baud: int = 9600
    parity: Parity = "none"
    stop: Literal[1, 2] = 1

    @property
    def character(self) -> float:
        """Seconds of one character."""
        return (9 + (self.parity != "none") + self.stop) / self.baud

    @property
    def silence(self) -> float:
        """Seconds of silence that end a frame (Modbus over serial line V1.02, 2.5.1.1)."""
        return FAST_SILENCE if self.baud > FAST else SILENT_CHARACTERS * self.character

    def __str__(self) -> str:
        return f"{self.baud} 8{self.parity[0].upper()}{self.stop}"


@dataclass(frozen=True, slots=True)
class Shot:
    """One frame to be sent, and how long its answer may take to begin, in seconds."""

    tongue: Tongue
    frame: bytes
    patience: float
    linger: float = 0.0  # seconds to go on hearing after a whole answer: does a second one follow?


@dataclass(frozen=True, slots=True)
class Heard:
    """What came back on one shot. `wait`: seconds from the end of the shot to the first byte."""

    data: bytes = b""
    wait: float | None = None


class Bench(Protocol):
    """A line that has been lent: raw bytes out, and whatever comes in."""

    async def ask(self, setting: Setting, shots: Sequence[Shot]) -> list[Heard]:
        """Send the shots one after the other, with the silence before each; return what was heard on each."""
        ...

    async def listen(self, setting: Setting, seconds: float) -> bytes:
        """Say nothing for so long; return what was heard."""
        ...


@dataclass(frozen=True, slots=True)
class Said:
    """One sound frame of any tongue."""

    tongue: Tongue
    who: str  # the address as people write it; "" where the protocol has none
    asks: bool  # a question that wants an answer; False: a device speaks
    frame: bytes
    room: int | None = None  # of a question: the bytes of a good answer, None where it does not say
