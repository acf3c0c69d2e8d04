"""The dialect of lines on which devices speak by themselves: what we send, whoever is there hears. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drivers.simulator.dialect import Asked

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping, Sequence

    from drivers.simulator.dialect import Stream
    from drivers.simulator.unit import Address, Unit


class _Raw:
    """Passes bytes on as they come; devices cut them themselves."""

    def feed(self, data: bytes) -> list[Asked]:
        return [Asked(0, data)]


class _Listening:
    """No frames, no addresses: a device at the end of its own wire or connection."""

    noise_reaches = True

    def open(self, frame: bytes) -> Asked | None:
        return Asked(0, frame)

    def stream(self) -> Stream:
        return _Raw()

    def meant(self, asked: Asked, units: Mapping[Address, Unit]) -> tuple[Sequence[Unit], bool]:  # noqa: ARG002
        return tuple(units.values()), True

    def nobody(self, asked: Asked) -> bytes | None:  # noqa: ARG002 - others have something to say
        return None

    def wrap(self, asked: Asked, unit: Unit, reply: bytes) -> bytes:  # noqa: ARG002 - frames are whole already
        return reply

    def twin(self, frame: bytes, chance: random.Random) -> bytes:
        return chance.randbytes(len(frame))


LISTENING: Final = _Listening()
