"""A TCP line on which devices speak by themselves: boards dialling in, each over its own connection."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from drivers.simulator import faults

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from drivers.line.settings import LineSettings
    from drivers.simulator.bus import Bus
    from drivers.simulator.unit import Unit

REDIAL = 1.0  # seconds between attempts to dial in
IDLE = 0.5  # seconds between two looks when nobody has anything to say
_BABBLE_EVERY = 0.05


class Dialler(Protocol):
    """The voice of a device that dials in."""

    def connected(self) -> None:
        """Begin anew: a new connection is registered first."""
        ...


class TalkLine:
    """One TCP line. `persona_time` turns monotonic seconds into those that personas are played by."""

    def __init__(self, settings: LineSettings, bus: Bus, persona_time: Callable[[float], float]) -> None:
        where = settings.listen or settings.tcp
        if where is None:
            raise ValueError(f"line {settings.name} has no TCP endpoint")
        host, _, port = where.rpartition(":")
        self.name = settings.name
        self.where = where
        self.bus = bus
        self.collisions = 0  # there are none on TCP; counted so that all lines report alike
        self._persona_time = persona_time
        self._dials = settings.listen is not None
        self._host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host.strip("[]"), host.strip("[]"))  # noqa: S104
        self._port = int(port)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Listen, or begin to dial. Raises OSError when the port is taken."""
        if not self._dials:
            units = tuple(self.bus.units.values())
            self._server = await asyncio.start_server(
                lambda reader, writer: self._talk(units, reader, writer), self._host, self._port
            )
            return
        for unit in self.bus.units.values():
            task = asyncio.create_task(self._dial(unit), name=f"dial {unit.name}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Hang up and do not listen."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._server is not None:
            self._server.close()
            self._server = None

    def nudge(self) -> None:
        """Faults are looked at with every word."""

    async def _dial(self, unit: Unit) -> None:
        while True:
            try:
                reader, writer = await asyncio.open_connection(self._host, self._port)
            except OSError:
                await asyncio.sleep(REDIAL)
                continue
            if unit.speech is not None and hasattr(unit.speech, "connected"):
                unit.speech.connected()
            await self._talk((unit,), reader, writer)
            await asyncio.sleep(REDIAL)

    async def _talk(
        self, units: Sequence[Unit], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Speak and hear until either end hangs up."""
        speaking = asyncio.create_task(self._speak(units, writer), name=f"speak {self.name}")
        self._tasks.add(speaking)
        speaking.add_done_callback(self._tasks.discard)
        try:
            while data := await reader.read(4096):
                for unit in units:
                    if (reply := self.bus.answer(unit, data, self._now())) is not None:
                        writer.write(reply)
        except OSError:
            pass  # hung up
        finally:
            speaking.cancel()
            writer.close()

    async def _speak(self, units: Sequence[Unit], writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        while not writer.is_closing():
            now = loop.time()
            words = [word for unit in units if (word := unit.next_word()) is not None]
            wait = min([IDLE, *(word - now for word in words)])
            if isinstance(fault := self.bus.faults.get("babble"), faults.Babble):
                writer.write(self.bus.rubbish(max(1, int(_BABBLE_EVERY * fault.rate))))
                wait = min(wait, _BABBLE_EVERY)
            await asyncio.sleep(max(wait, 0.001))
            for unit in units:
                word = unit.next_word()
                if (
                    word is not None
                    and word <= loop.time()
                    and (said := self.bus.say(unit, loop.time(), self._now()))
                ):
                    writer.write(said)

    def _now(self) -> float:
        return self._persona_time(asyncio.get_running_loop().time())
