"""Modbus on a played line: RTU, and TCP with its header. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drivers.simulator import wire
from drivers.simulator.dialect import Asked
from drivers.simulator.wire import MbapStream, RtuStream

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping, Sequence

    from drivers.simulator.dialect import Stream
    from drivers.simulator.unit import Address, Unit

_BROADCAST = 0


class _Rtu:
    """Frames between silences, with a CRC."""

    noise_reaches = True

    def open(self, frame: bytes) -> Asked | None:
        opened = wire.open_rtu(frame)
        return None if opened is None else Asked(*opened)

    def stream(self) -> Stream:
        return RtuStream()

    def meant(self, asked: Asked, units: Mapping[Address, Unit]) -> tuple[Sequence[Unit], bool]:
        if asked.address == _BROADCAST:
            return tuple(units.values()), False
        unit = units.get(asked.address)
        return (() if unit is None else (unit,)), True

    def nobody(self, asked: Asked) -> bytes | None:  # noqa: ARG002 - others have something to say
        return None

    def wrap(self, asked: Asked, unit: Unit, reply: bytes) -> bytes:  # noqa: ARG002 - asked by its address
        return wire.rtu(int(asked.address), reply)

    def twin(self, frame: bytes, chance: random.Random) -> bytes:
        body = bytearray(frame[:-2])
        for i in range(3, len(body)):
            body[i] ^= chance.randrange(16)
        return bytes(body) + wire.crc(bytes(body))


class _Mbap:
    """Frames with a header and no check of their own, on TCP."""

    noise_reaches = False

    def open(self, frame: bytes) -> Asked | None:
        found = MbapStream().feed(frame)
        return found[0] if found else None

    def stream(self) -> Stream:
        return MbapStream()

    def meant(self, asked: Asked, units: Mapping[Address, Unit]) -> tuple[Sequence[Unit], bool]:
        unit = units.get(asked.address)
        return (() if unit is None else (unit,)), True

    def nobody(self, asked: Asked) -> bytes | None:
        refusal = wire.exception(asked.request[0], wire.NO_TARGET)
        return wire.mbap(asked.mark, int(asked.address), refusal)

    def wrap(self, asked: Asked, unit: Unit, reply: bytes) -> bytes:  # noqa: ARG002 - asked by its address
        return wire.mbap(asked.mark, int(asked.address), reply)

    def twin(self, frame: bytes, chance: random.Random) -> bytes:  # noqa: ARG002 - one endpoint, one unit
        return frame


RTU: Final = _Rtu()
MBAP: Final = _Mbap()
