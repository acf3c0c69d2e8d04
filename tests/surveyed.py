"""A bench without wires: played units, each at its own setting, and a clock that only the bench moves."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from drivers.modbus.pdu import crc
from drivers.survey.plan import TIDY
from drivers.survey.talk import Heard, Setting, Shot, Tongue

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from drivers.simulator.unit import Unit


class Bench:
    """Plays Modbus units; `other` may answer anything else first. Time passes as on a wire."""

    def __init__(
        self,
        units: Sequence[tuple[Setting, Unit]],
        other: Callable[[Setting, Shot], Heard | None] = lambda _setting, _shot: None,
        talk: Mapping[Setting, bytes] | None = None,
    ) -> None:
        self.now = 0.0
        self.shots: list[tuple[Setting, Shot]] = []
        self._units = {(setting, int(unit.address)): unit for setting, unit in units}
        self._other = other
        self._talk = talk or {}
        self._chance = random.Random(1)

    def clock(self) -> float:
        return self.now

    async def ask(self, setting: Setting, shots: Sequence[Shot]) -> list[Heard]:
        return [self._one(setting, shot) for shot in shots]

    async def listen(self, setting: Setting, seconds: float) -> bytes:
        self.now += seconds
        return self._talk.get(setting, b"")

    def _one(self, setting: Setting, shot: Shot) -> Heard:
        self.shots.append((setting, shot))
        self.now += setting.silence + len(shot.frame) * setting.character + TIDY
        heard = self._other(setting, shot) or self._unit(setting, shot)
        self.now += (
            shot.patience if not heard.data else (heard.wait or 0.0) + len(heard.data) * setting.character
        )
        self.now += (shot.linger or 0.0) if heard.data else 0.0
        return heard

    def _unit(self, setting: Setting, shot: Shot) -> Heard:
        unit = self._units.get((setting, shot.frame[0])) if shot.tongue is Tongue.MODBUS else None
        if unit is None:
            return Heard()
        wait = setting.silence + unit.turnaround
        reply = unit.hear(shot.frame[1:-2], self.now, self._chance)
        if reply is None or wait > shot.patience:
            return Heard()
        body = shot.frame[:1] + reply
        return Heard(body + crc(body), wait)
