"""Runs the script: begins and ends dramas and faults on the units and lines. Pure: time comes in."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from drivers.simulator.faults import DEVICE_FAULTS, LINE_FAULTS, FaultError, Noise, parse_fault
from drivers.simulator.script import Cue

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Mapping

    from drivers.simulator.bus import Bus
    from drivers.simulator.faults import Fault
    from drivers.simulator.script import Choice, Happens
    from drivers.simulator.unit import Unit
    from gateway.model import Value

_BY_CHANCE = ("silent", "late", "exception", "frozen")  # faults that fit every line


@dataclass(frozen=True, slots=True)
class Happening:
    """Something began or ended, and when: the truth that tests and the demo compare with."""

    t: float
    event: Literal["start", "end"]
    device: str | None = None
    line: str | None = None
    drama: str | None = None
    fault: str | None = None
    point: str | None = None  # set by hand, to `value`
    value: Value | None = None


class _Due(NamedTuple):
    """What is to be done at `t`. Ends of faults name the very fault, so that a renewed one lives on."""

    t: float
    number: int  # keeps the order of entries with the same time
    entry: Happens | None = None
    fault: tuple[str | None, str | None, str, Fault] | None = None  # device or line, name, which
    point: tuple[str, str] | None = None


class Stage:
    """All units and lines by name, and what happens to them."""

    def __init__(
        self,
        units: Mapping[str, Unit],
        buses: Mapping[str, Bus],
        script: Iterable[Happens],
        chance: random.Random,
    ) -> None:
        """Set the stage. Raises FaultError when the script names what is not there."""
        self.units = units
        self.buses = buses
        self._chance = chance
        self._number = 0
        self._due: list[_Due] = []
        for entry in script:
            self._expect(entry)
            heapq.heappush(self._due, _Due(_first(entry), self._tick_number(), entry=entry))

    def next_deadline(self) -> float | None:
        """Return when `tick` is to be called next."""
        dramas = [unit.player.next_end for unit in self.units.values()]
        ends = [end for end in dramas if end is not None]
        return min([*ends, *([self._due[0].t] if self._due else [])], default=None)

    def tick(self, t: float) -> list[Happening]:
        """Do what is due at `t` and return what began and ended."""
        happened = self._ended_dramas(t)
        while self._due and self._due[0].t <= t:
            happened += self._do(heapq.heappop(self._due))
        return happened

    def drama(self, device: str, name: str, t: float) -> list[Happening]:
        """Begin a drama. Raises FaultError, PersonaError."""
        unit = self._unit(device)
        unit.player.start(name, t)
        unit.stale()
        return [Happening(t, "start", device=device, drama=name)]

    def fault(
        self,
        target: str,
        name: str,
        t: float,
        lasts: float | None = None,
        options: Mapping[str, float] | None = None,
    ) -> list[Happening]:
        """Begin a fault of a device or a line. Raises FaultError."""
        on_line = target in self.buses and target not in self.units
        device, line = (None, target) if on_line else (target, None)
        cue = Cue(t, device, line, fault=name, options=parse_fault(name, options or {}), lasts=lasts)
        return self._cue(cue, t)

    def heal(self, target: str, name: str, t: float) -> list[Happening]:
        """End a fault now, if it is on."""
        happened: list[Happening] = []
        if target in self.units and self.units[target].faults.pop(name, None) is not None:
            happened.append(Happening(t, "end", device=target, fault=name))
        if target in self.buses and self.buses[target].faults.pop(name, None) is not None:
            happened.append(Happening(t, "end", line=target, fault=name))
        return happened

    def set(self, device: str, point: str, value: Value, t: float) -> list[Happening]:
        """Hold a point at a value. Raises FaultError."""
        unit = self._unit(device)
        if not unit.has(point):
            raise FaultError(f"device {device} has no point {point!r}")
        unit.set(point, value)
        return [Happening(t, "start", device=device, point=point, value=value)]

    def release(self, device: str, point: str, t: float) -> list[Happening]:
        """Let a point play on. Raises FaultError."""
        self._unit(device).release(point)
        return [Happening(t, "end", device=device, point=point)]

    def _unit(self, device: str) -> Unit:
        if device not in self.units:
            raise FaultError(f"no device {device!r} in this site")
        return self.units[device]

    def _tick_number(self) -> int:
        self._number += 1
        return self._number

    def _expect(self, entry: Happens) -> None:
        """Refuse an entry that could not be played when its time comes."""
        if not isinstance(entry, Cue):
            return
        if entry.device is not None:
            unit = self._unit(entry.device)
            if entry.drama is not None and entry.drama not in unit.player.dramas:
                known = ", ".join(unit.player.dramas) or "none"
                raise FaultError(f"device {entry.device} has no drama {entry.drama!r}; it has: {known}")
            for point in entry.values:
                if not unit.has(point):
                    raise FaultError(f"device {entry.device} has no point {point!r}")
        if entry.fault is not None:
            self._targets(entry)

    def _targets(self, cue: Cue) -> list[Unit]:
        """Return the devices that a fault befalls; none when it befalls the line itself."""
        if cue.line is not None and cue.line not in self.buses:
            raise FaultError(f"no line {cue.line!r} in this site")
        if cue.fault in LINE_FAULTS:
            if cue.line is None:
                raise FaultError(f"fault {cue.fault} is one of a line, not of a device")
            return []
        if cue.line is not None:
            buses, units = [self.buses[cue.line]], list(self.buses[cue.line].units.values())
        else:
            units = [self._unit(cue.device or "")]
            buses = [bus for bus in self.buses.values() if units[0] in bus.units.values()]
        if isinstance(cue.options, Noise) and not all(bus.dialect.noise_reaches for bus in buses):
            raise FaultError(
                "fault noise: Modbus TCP has no frames that noise could damage; use late or silent"
            )
        return units

    def _ended_dramas(self, t: float) -> list[Happening]:
        happened = []
        for name, unit in self.units.items():
            if unit.player.playing:
                over = unit.player.ended(t)
                happened += [Happening(t, "end", device=name, drama=drama) for drama in over]
                unit.stale()
        return happened

    def _do(self, due: _Due) -> list[Happening]:
        if due.fault is not None:
            return self._end_fault(due.t, *due.fault)
        if due.point is not None:
            return self.release(*due.point, due.t)
        if isinstance(due.entry, Cue):
            return self._cue(due.entry, due.t)
        if due.entry is not None:
            again = _Due(due.t + due.entry.every, self._tick_number(), entry=due.entry)
            heapq.heappush(self._due, again)
            return self._choose(due.entry, due.t)
        return []

    def _cue(self, cue: Cue, t: float) -> list[Happening]:
        if cue.drama is not None:
            return self.drama(cue.device or "", cue.drama, t)
        if cue.fault is not None and cue.options is not None:
            return self._begin_fault(cue, cue.fault, cue.options, t)
        happened = []
        for point, value in cue.values.items():
            happened += self.set(cue.device or "", point, value, t)
            if cue.lasts is not None:
                end = _Due(t + cue.lasts, self._tick_number(), point=(cue.device or "", point))
                heapq.heappush(self._due, end)
        return happened

    def _begin_fault(self, cue: Cue, name: str, fault: Fault, t: float) -> list[Happening]:
        happened = []
        for unit in self._targets(cue):
            unit.faults[name] = fault
            happened.append(Happening(t, "start", device=unit.name, fault=name))
        if name in LINE_FAULTS and cue.line is not None:
            self.buses[cue.line].faults[name] = fault
            happened.append(Happening(t, "start", line=cue.line, fault=name))
        if cue.lasts is not None:
            for begun in happened:
                ends = (begun.device, begun.line, name, fault)
                heapq.heappush(self._due, _Due(t + cue.lasts, self._tick_number(), fault=ends))
        return happened

    def _end_fault(
        self, t: float, device: str | None, line: str | None, name: str, fault: Fault
    ) -> list[Happening]:
        active = self.buses[line].faults if line is not None else self._unit(device or "").faults
        if active.get(name) is not fault:
            return []
        del active[name]
        return [Happening(t, "end", device=device, line=line, fault=name)]

    def _choose(self, choice: Choice, t: float) -> list[Happening]:
        if choice.choose == "dramas":
            able = [(u, d) for u in self.units.values() if not u.player.playing for d in u.player.dramas]
            if not able:
                return []
            unit, drama = self._chance.choice(able)
            return self.drama(unit.name, drama, t)
        device = self._chance.choice(sorted(self.units))
        name = self._chance.choice([n for n in _BY_CHANCE if n in DEVICE_FAULTS])
        return self.fault(device, name, t, choice.lasts)


def _first(entry: Happens) -> float:
    if isinstance(entry, Cue):
        return entry.at
    return entry.every if entry.first is None else entry.first
