"""What a played line must know of the protocol spoken on it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping, Sequence

    from drivers.simulator.unit import Address, Unit


class Asked(NamedTuple):
    """One request without its frame: whom it asks, what, and what the answer has to repeat."""

    address: Address
    request: bytes
    mark: int = 0


class Stream(Protocol):
    """Cuts requests out of bytes that arrive in pieces of any size."""

    def feed(self, data: bytes) -> list[Asked]:
        """Take in `data`; return the requests it completes. Raises ValueError when a device would hang up."""
        ...


class Dialect(Protocol):
    """How requests and answers of one protocol are framed, and who is meant by them."""

    @property
    def noise_reaches(self) -> bool:
        """False where damage is mended below the protocol (Modbus TCP), so noise is no fault of the line."""
        ...

    def open(self, frame: bytes) -> Asked | None:
        """Return what the bytes between two silences ask; None when they are damaged or another protocol."""
        ...

    def stream(self) -> Stream:
        """Return what cuts requests out of a stream without silences."""
        ...

    def meant(self, asked: Asked, units: Mapping[Address, Unit]) -> tuple[Sequence[Unit], bool]:
        """Return who hears the request, and whether they answer (nobody answers a broadcast)."""
        ...

    def nobody(self, asked: Asked) -> bytes | None:
        """Return the frame that comes back when nobody is meant; None: silence."""
        ...

    def wrap(self, asked: Asked, unit: Unit, reply: bytes) -> bytes:
        """Return the frame of a reply."""
        ...

    def twin(self, frame: bytes, chance: random.Random) -> bytes:
        """Return the sound frame that a second device with the same address would send: other values."""
        ...
