"""A bench for lines that cannot lend their port: Modbus TCP, where every question is an exchange."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drivers.errors import BadAnswer, NoAnswer, Refused
from drivers.modbus import pdu
from drivers.survey.talk import Heard, Setting, Shot, Tongue

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from drivers.line import AnyLine

ANY: Final = Setting(115200)
"""What a network end is taken for: it has no rate."""


class Exchanged:
    """Asks a line by its own exchanges, and gives back the answers as RTU frames."""

    def __init__(self, line: AnyLine, clock: Callable[[], float]) -> None:
        self._line = line
        self._clock = clock

    async def ask(self, setting: Setting, shots: Sequence[Shot]) -> list[Heard]:  # noqa: ARG002  has none
        """Ask one shot after the other. Raises LineDown; ValueError for what is not Modbus."""
        return [await self._one(shot) for shot in shots]

    async def listen(self, setting: Setting, seconds: float) -> bytes:  # noqa: ARG002
        """Hear nothing: on a network nobody talks by himself."""
        return b""

    async def _one(self, shot: Shot) -> Heard:
        if shot.tongue is not Tongue.MODBUS:
            raise ValueError(f"{shot.tongue} is not spoken over Modbus TCP")
        unit, request = shot.frame[0], shot.frame[1:-2]
        began = self._clock()
        try:
            reply = request[:1] + await self._line.exchange(pdu.raw(unit, request))
        except Refused as refusal:
            if refusal.code in pdu.NO_TARGET:
                return Heard()  # the gateway speaks for somebody who is not there
            reply = bytes((request[0] | 0x80, refusal.code))
        except (NoAnswer, BadAnswer):
            return Heard()
        body = bytes((unit,)) + reply
        return Heard(body + pdu.crc(body), round(self._clock() - began, 4))
