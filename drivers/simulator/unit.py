"""One played device: its memory kept up from its persona, and what faults do to its answers. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from drivers.simulator import faults
from drivers.simulator.persona import PersonaError

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

    from drivers.profile import Point
    from drivers.simulator.memory import Memory, Speech
    from drivers.simulator.player import Player
    from gateway.model import Value

Address = int | str

REFRESH = 0.1
"""Seconds: values are looked at no more often than this."""


@dataclass(slots=True)
class Counts:
    """What a device heard and said."""

    requests: int = 0
    answers: int = 0
    exceptions: int = 0
    writes: int = 0


class Unit:
    """One device on a line. One owner: the line it hangs on."""

    def __init__(
        self,
        name: str,
        address: Address,
        player: Player,
        points: Mapping[str, Point],
        memory: Memory,
        turnaround: float = 0.005,
    ) -> None:
        """Make a unit. Raises PersonaError when the persona plays points that are not there."""
        if unknown := player.points - points.keys():
            raise PersonaError(f"{name}: the persona plays {', '.join(sorted(unknown))}: no such points")
        self.name = name
        self.address = address
        self.player = player
        self.turnaround = turnaround  # seconds from the end of the request's silence to the answer
        self.faults: dict[str, faults.Fault] = {}
        self.counts = Counts()
        self.points = points
        self.speech: Speech | None = None  # what it says by itself
        self._memory = memory
        self._fresh_until = -1.0
        self._switches = tuple(name for name in player.switches if points[name].write is not None)

    def has(self, point: str) -> bool:
        """Tell whether the device has such a point."""
        return point in self.points

    def set(self, point: str, value: Value) -> None:
        """Hold a point at a value, over persona and writes."""
        self._memory.forget(point)
        self.player.set(point, value)
        self._fresh_until = -1.0

    def release(self, point: str) -> None:
        """Let a point play on."""
        self._memory.forget(point)
        self.player.release(point)
        self._fresh_until = -1.0

    def refresh(self, t: float) -> None:
        """Bring the memory up to time `t`, if they are not fresh and not frozen."""
        if t >= self._fresh_until and "frozen" not in self.faults:
            self._fresh_until = t + REFRESH
            self._memory.update(self.player.values(t))

    def stale(self) -> None:
        """Look at the persona again at the next request."""
        self._fresh_until = -1.0

    def hear(self, request: bytes, t: float, chance: random.Random) -> bytes | None:
        """Return the answer to a request (both without frame), or None for silence. `t` is persona time."""
        self.counts.requests += 1
        if "silent" in self.faults:
            return None
        reply = self._refused(request, chance) if self.faults else None
        if reply is None:
            self.refresh(t)
            reply = self._memory.answer(request)
        if reply is None:
            return None
        if self._switches and self._memory.is_write(request) and not self._memory.is_refusal(reply):
            self._switch()
        self.counts.answers += 1
        self.counts.writes += self._memory.is_write(request)
        self.counts.exceptions += self._memory.is_refusal(reply)
        return reply

    def ask(self, request: bytes) -> bytes | None:
        """Return what its own sensor answers: a device that reports reads itself."""
        return self._memory.answer(request)

    def next_word(self) -> float | None:
        """Return the monotonic time at which it speaks by itself; None: it does not."""
        return None if self.speech is None else self.speech.next_word()

    def speak(self, now: float, t: float) -> bytes:
        """Return what it says by itself now; empty: nothing."""
        if self.speech is None:
            return b""
        self.refresh(t)
        said = self.speech.speak(now, t)
        if "silent" in self.faults:
            return b""
        self.counts.answers += bool(said)
        return said

    def _switch(self) -> None:
        """Let what was written to an output act on what hangs on it."""
        for name in self._switches:
            if (held := self._memory.holds(name)) is not None:
                self.player.set(name, held)
        self._fresh_until = -1.0

    def lateness(self, chance: random.Random) -> float:
        """Return by how many seconds the next answer is late."""
        match self.faults.get("late"):
            case faults.Late(low, high, probability) if chance.random() < probability:
                return chance.uniform(low, high)
            case _:
                return 0.0

    def _refused(self, request: bytes, chance: random.Random) -> bytes | None:
        match self.faults.get("exception"):
            case faults.Refuse(code, probability) if chance.random() < probability:
                return self._memory.refuse(request, code)
        match self.faults.get("refuse_writes"):
            case faults.NoWrites(code) if self._memory.is_write(request):
                return self._memory.refuse(request, code)
        return None
