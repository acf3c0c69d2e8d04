"""What a line with one request at a time must know of the protocol spoken on it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drivers.line.settings import LineSettings

UnitId = int | str
"""What tells the units of a line apart: Modbus and tilt sensors have numbers, DL/T 645 meters 12 digits."""


class TurnQuery(Protocol):
    """A request, as far as a wire and its line need to know it."""

    @property
    def unit(self) -> UnitId:
        """Whom it asks."""
        ...

    @property
    def shape(self) -> bytes:
        """How a good answer begins: its first byte, and what else the request foretells of it."""
        ...

    @property
    def answer(self) -> int | None:
        """Bytes of a good answer without frame, None when unknown."""
        ...

    @property
    def refusal(self) -> bytes | None:
        """The first byte of a refusal, which has two bytes in all; None where the protocol has none."""
        ...


Q = TypeVar("Q", bound=TurnQuery)


class Framing(Protocol[Q]):
    """What a serial protocol tells the wire; `drivers.modbus.framing.Rtu` is the model.

    An answer without its frame is called a PDU. It begins with what tells it from others (`shape`); a framing
    may put its fields in another order than the wire has them so that it does. Its first byte is never data.
    """

    @property
    def overhead(self) -> int:
        """Bytes of a frame around its PDU."""
        ...

    @property
    def grace(self) -> float:
        """Seconds: within one answer bytes never pause so long."""
        ...

    def silence(self, settings: LineSettings) -> float:
        """Return the seconds the wire must be silent before a request."""
        ...

    def request(self, query: Q) -> bytes:
        """Return the bytes to be sent."""
        ...

    def fence(self, query: Q, attempt: int) -> list[Q]:
        """Return harmless requests whose answers differ in shape from the query's, best first."""
        ...

    def length(self, query: Q) -> int:
        """Return how many bytes a good answer has, or the least where that is unknown."""
        ...

    def answer(self, buffer: bytearray, query: Q) -> bytes | None:
        """Return the PDU when the bytes are exactly one good answer."""
        ...

    def missing(self, buffer: bytearray, query: Q) -> int:
        """Return how many bytes must come at least before looking is worth while."""
        ...

    def cut(
        self, buffer: bytearray, unit: UnitId | None, *, final: bool
    ) -> tuple[Sequence[tuple[UnitId, bytes]], bytes]:
        """Take whole frames (unit, PDU) and the garbage between them out of the bytes."""
        ...

    def explain(self, pdu: bytes) -> str:
        """Return the words of a refusal."""
        ...
