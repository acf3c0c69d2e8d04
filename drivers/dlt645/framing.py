"""DL/T 645 on a wire: wake-up bytes, silence, whole frames, whose answer one is. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drivers.dlt645 import query
from drivers.dlt645.frame import ERRORS, FRAMING, MARK, MOST_DATA, PREAMBLE, Edition, Frame, matches
from drivers.line.marked import take

if TYPE_CHECKING:
    from drivers.dlt645.query import Query
    from drivers.line.dialect import UnitId
    from drivers.line.settings import LineSettings

SILENCE: Final = 0.02
"""Seconds between an answer and the next request: a meter itself waits at least so long before it answers."""
PAUSE: Final = 0.5
"""Seconds that bytes of one frame may lie apart."""
FENCES: Final = {
    Edition.Y2007: (0x00010000, 0x02010100, 0x04000401),
    Edition.Y1997: (0x9010, 0xB611, 0xC032),
}
"""Items that nearly every meter has; a meter without them refuses, and that is an answer too."""
WORDS: Final = {
    "no_such_data": "there is no such data",
    "password": "wrong password, or not allowed (State Grid meters take it encrypted only)",
    "speed_fixed": "the speed cannot be changed",
}


class Dlt645:
    """The framing of one line. It remembers the wildcards it asked: their answers name another address."""

    name = "dlt645"
    overhead = 14  # a PDU has two bytes that the data has not; four wake-up bytes are usual
    grace = PAUSE

    def __init__(self) -> None:
        self._wildcards: dict[str, None] = {}

    @staticmethod
    def silence(settings: LineSettings) -> float:
        """Return the seconds of silence before a request; a converter behind TCP keeps its own."""
        return (SILENCE if settings.serial else 0.0) + (settings.gap or 0.0)

    def request(self, asked: Query) -> bytes:
        """Return the bytes to be sent."""
        if "A" in asked.unit:
            self._wildcards[asked.unit] = None
        return asked.frame

    @staticmethod
    def fence(asked: Query, attempt: int) -> list[Query]:
        """Return reads of other items than the query's, best first for this attempt."""
        edition = Edition.Y1997 if asked.shape[0] & 0x1F <= 0x10 else Edition.Y2007
        forms = [query.read(asked.unit, di, edition) for di in FENCES[edition]]
        forms = [form for form in forms if form.shape != asked.shape]
        turn = attempt % len(forms)
        return [*forms[turn:], *forms[:turn]]

    @staticmethod
    def length(asked: Query) -> int:
        """Return how many bytes a good answer has at least; longer ones say so in their head."""
        return asked.size

    @staticmethod
    def answer(buffer: bytearray, asked: Query) -> bytes | None:  # noqa: ARG004  a framing's interface
        """Return None: at these speeds `cut` is quick enough for every answer."""
        return None

    @staticmethod
    def missing(buffer: bytearray, asked: Query) -> int:
        """Return how many bytes must come at least before looking is worth while."""
        start = len(buffer) - len(buffer.lstrip(bytes((PREAMBLE,))))
        have = len(buffer) - start
        if have >= 10 and buffer[start] == buffer[start + 7] == MARK and buffer[start + 9] <= MOST_DATA:
            return query.OVERHEAD + buffer[start + 9] - have
        return asked.size - have

    def cut(
        self,
        buffer: bytearray,
        unit: UnitId | None,  # noqa: ARG002  a framing's interface
        *,
        final: bool,
    ) -> tuple[list[tuple[UnitId, bytes]], bytes]:
        """Take whole frames (meter, PDU) and the garbage between them out of the bytes."""
        frames, garbage = take(FRAMING, buffer, final=final)
        return [(self._sender(frame), query.pdu_of(frame)) for frame in frames], garbage

    @staticmethod
    def explain(pdu: bytes) -> str:
        """Return the words of an error byte."""
        byte = pdu[1]
        if pdu[0] & 0x1F <= 0x10:  # the 1997 edition, whose bits mean something else
            return f"refused, error byte {byte:02X}"
        said = [WORDS.get(name, name.replace("_", " ")) for bit, name in enumerate(ERRORS) if byte >> bit & 1]
        return f"refused: {', '.join(said) or 'no reason given'} (error byte {byte:02X})"

    def _sender(self, frame: Frame) -> str:
        """Return under which address we know the meter that sent a frame."""
        for wildcard in self._wildcards:
            if matches(frame, wildcard):
                return wildcard
        return frame.address
