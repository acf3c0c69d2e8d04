"""The two inclinometer protocols on a wire. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.line.marked import take
from drivers.line.timing import silence
from drivers.tilt import frame as wire
from drivers.tilt.frame import GRAVITY, MOST_LENGTH, READ, Family
from drivers.tilt.query import READ_X, READ_Y, ZERO_MODE, ask

if TYPE_CHECKING:
    from drivers.line.dialect import UnitId
    from drivers.line.settings import LineSettings
    from drivers.tilt.query import Query

FENCES = {Family.RION: (READ_X, READ_Y, ZERO_MODE), Family.BW: (READ_X, READ_Y, GRAVITY, READ)}


class Tilt:
    """The framing of one line of either family."""

    overhead = 4  # mark, length, address, sum
    grace = 0.06  # USB adapters hold bytes back for 16 ms

    def __init__(self, family: Family) -> None:
        self.family = family
        self._framing = wire.framing(family)

    @staticmethod
    def silence(settings: LineSettings) -> float:
        """Return the seconds of silence before a request: as on a Modbus line, no source says otherwise."""
        return silence(settings)

    @staticmethod
    def request(query: Query) -> bytes:
        """Return the bytes to be sent."""
        return query.frame

    def fence(self, query: Query, attempt: int) -> list[Query]:
        """Return readings that are answered with another command, best first for this attempt."""
        forms = [ask(self.family, query.unit, c) for c in FENCES[self.family] if c != query.command]
        turn = attempt % len(forms)
        return [*forms[turn:], *forms[:turn]]

    @staticmethod
    def length(query: Query) -> int:
        """Return how many bytes a good answer has at least; longer ones say so in their head."""
        return query.size

    @staticmethod
    def answer(buffer: bytearray, query: Query) -> bytes | None:  # noqa: ARG004  a framing's interface
        """Return None: `cut` is quick enough for every answer."""
        return None

    def missing(self, buffer: bytearray, query: Query) -> int:
        """Return how many bytes must come at least before looking is worth while."""
        if len(buffer) > 1 and buffer[0] == self.family and buffer[1] <= MOST_LENGTH:
            return 1 + buffer[1] - len(buffer)
        return query.size - len(buffer)

    def cut(
        self,
        buffer: bytearray,
        unit: UnitId | None,  # noqa: ARG002  a framing's interface
        *,
        final: bool,
    ) -> tuple[list[tuple[UnitId, bytes]], bytes]:
        """Take whole frames (address, command and data) and the garbage between them out of the bytes."""
        frames, garbage = take(self._framing, buffer, final=final)
        return [(frame.address, bytes((frame.command,)) + frame.data) for frame in frames], garbage

    @staticmethod
    def explain(pdu: bytes) -> str:
        """Return words for what cannot come: these sensors do not refuse."""
        return f"refused: {pdu.hex(' ')}"
