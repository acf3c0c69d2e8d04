"""What a line with one request at a time must know of the protocol spoken on it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence


class TurnQuery(Protocol):
    """A request, as far as a wire and its line need to know it."""

    @property
    def unit(self) -> int:
        """Whom it asks."""
        ...

    @property
    def function(self) -> int:
        """What an exception to it names."""
        ...

    @property
    def shape(self) -> bytes:
        """How a good answer begins."""
        ...

    @property
    def answer(self) -> int | None:
        """Bytes of a good answer without frame, None when unknown."""
        ...


Q = TypeVar("Q", bound=TurnQuery)


class Framing(Protocol[Q]):
    """What a serial protocol tells the wire; `drivers.modbus.framing.Rtu` is the model."""

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

    def cut(self, buffer: bytearray, unit: int, *, final: bool) -> tuple[Sequence[tuple[int, bytes]], bytes]:
        """Take whole frames (unit, PDU) and the garbage between them out of the bytes."""
        ...
