"""A whole site played: opens its lines, keeps time, runs the script, and can be driven live."""

from __future__ import annotations

import asyncio
import contextlib
import random
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from drivers.simulator.bus import Bus
from drivers.simulator.faults import FaultError
from drivers.simulator.pair import Pair, Party
from drivers.simulator.played import DIALECTS
from drivers.simulator.ptys import PtyLine
from drivers.simulator.script import Join
from drivers.simulator.sockets import TcpLine
from drivers.simulator.stage import Stage
from drivers.simulator.talking import TalkLine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from drivers.line.settings import LineSettings
    from drivers.simulator.script import Entry
    from drivers.simulator.stage import Happening
    from drivers.simulator.unit import Unit
    from gateway.model import Value


def speaks(bus: Bus) -> bool:
    """Tell whether the devices of a line speak by themselves."""
    return any(unit.speech is not None for unit in bus.units.values())


class Simulation:
    """All lines of a site. Time 0 is when it was made; personas and script run at `speed`."""

    def __init__(
        self,
        lines: Mapping[str, tuple[LineSettings, Iterable[Unit]]],
        script: Iterable[Entry] = (),
        tell: Callable[[Happening], None] = lambda _happening: None,
        seed: int = 1,
        speed: float = 1.0,
    ) -> None:
        """Make a simulation; `tell` hears of every drama and fault. Needs a running event loop.

        Raises FaultError when the script names what is not there, ValueError for a protocol it cannot play.
        """
        self._loop = asyncio.get_running_loop()
        self._started = self._loop.time()
        self._speed = speed
        self._tell = tell
        self._wake = asyncio.Event()
        buses: dict[str, Bus] = {}
        self.lines: dict[str, PtyLine | TcpLine | TalkLine] = {}
        for name, (settings, units) in lines.items():
            if settings.protocol not in DIALECTS:
                raise ValueError(
                    f"line {name}: {settings.protocol} cannot be played; {', '.join(DIALECTS)} can"
                )
            buses[name] = Bus(units, DIALECTS[settings.protocol], random.Random(f"{seed} {name}"))  # noqa: S311 - plays
        entries = list(script)
        joins = [entry for entry in entries if isinstance(entry, Join)]
        for join in joins:
            self._join(join, {name: settings for name, (settings, _) in lines.items()}, buses)
        for name, (settings, _) in lines.items():
            if name not in self.lines:
                self.lines[name] = self._line(settings, buses[name])
        every = {unit.name: unit for bus in buses.values() for unit in bus.units.values()}
        happenings = [entry for entry in entries if not isinstance(entry, Join)]
        self.stage = Stage(every, buses, happenings, random.Random(seed))  # noqa: S311 - it plays

    async def open(self) -> None:
        """Open all lines. Raises LinkTaken, OSError; then none is open."""
        async with contextlib.AsyncExitStack() as undo:
            undo.push_async_callback(self.close)
            for line in dict.fromkeys(self.lines.values()):
                await line.open()
            undo.pop_all()

    async def close(self) -> None:
        """Close all lines."""
        for line in dict.fromkeys(self.lines.values()):
            await line.close()

    async def run(self) -> None:
        """Run the script until cancelled."""
        while True:
            await self._follow(self.stage.tick(self.now()))
            due = self.stage.next_deadline()
            self._wake.clear()
            pause = None if due is None else max(0.0, (due - self.now()) / self._speed)
            try:
                await asyncio.wait_for(self._wake.wait(), pause)
            except TimeoutError:
                continue

    def now(self) -> float:
        """Return the seconds of persona and script time since the start."""
        return self._persona_time(self._loop.time())

    async def drama(self, device: str, name: str) -> None:
        """Begin a drama now. Raises FaultError, PersonaError."""
        await self._follow(self.stage.drama(device, name, self.now()))

    async def fault(self, target: str, name: str, lasts: float | None = None, **options: float) -> None:
        """Begin a fault of a device or a line now. Raises FaultError."""
        await self._follow(self.stage.fault(target, name, self.now(), lasts, options))

    async def heal(self, target: str, name: str) -> None:
        """End a fault now."""
        await self._follow(self.stage.heal(target, name, self.now()))

    async def set(self, device: str, point: str, value: Value) -> None:
        """Hold a point at a value from now on. Raises FaultError."""
        await self._follow(self.stage.set(device, point, value, self.now()))

    async def release(self, device: str, point: str) -> None:
        """Let a point play on. Raises FaultError."""
        await self._follow(self.stage.release(device, point, self.now()))

    def report(self) -> dict[str, Any]:
        """Return what every device and line heard and said, ready for JSON."""
        buses = self.stage.buses
        return {
            "devices": {name: asdict(unit.counts) for name, unit in self.stage.units.items()},
            "lines": {
                name: {
                    "requests": bus.requests,
                    "damaged": bus.damaged,
                    "collisions": self.lines[name].collisions,
                }
                for name, bus in buses.items()
            },
        }

    def _line(self, settings: LineSettings, bus: Bus) -> PtyLine | TcpLine | TalkLine:
        if settings.serial is None:
            kind = TalkLine if speaks(bus) else TcpLine
            return kind(settings, bus, self._persona_time)
        return PtyLine(settings, Pair([Party.of(bus, settings)], strict=False), self._persona_time)

    def _join(self, join: Join, lines: Mapping[str, LineSettings], buses: Mapping[str, Bus]) -> None:
        """Put the devices of several lines on one pair of wires. Raises FaultError."""
        for name in join.lines:
            if name not in lines or lines[name].serial is None:
                raise FaultError(f"join: {name!r} is no serial line of this site")
            if name in self.lines:
                raise FaultError(f"join: {name!r} is joined twice")
        parties = [Party.of(buses[name], lines[name]) for name in join.lines]
        first = lines[join.lines[0]]
        settings = replace(first, serial=join.serial or first.serial, parity="none")
        pair = PtyLine(settings, Pair(parties), self._persona_time)
        self.lines |= dict.fromkeys(join.lines, pair)

    def _persona_time(self, mono: float) -> float:
        return (mono - self._started) * self._speed

    async def _follow(self, happened: list[Happening]) -> None:
        """Do to the lines what has happened on the stage, tell it, and reckon the next deadline anew."""
        for happening in happened:
            line = self.lines.get(happening.line or "")
            if line is not None and happening.fault == "unplug":
                await (line.close() if happening.event == "start" else line.open())
            elif line is not None:
                line.nudge()
            self._tell(happening)
        if happened:
            self._wake.set()
