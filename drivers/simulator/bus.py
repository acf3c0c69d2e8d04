"""The devices that hang on one line, and what the line makes of their answers. No I/O, time comes in."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from drivers.simulator import faults

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable

    from drivers.simulator.dialect import Asked, Dialect
    from drivers.simulator.unit import Address, Unit

_TWIN_APART = 4  # characters by which the answers of two devices with one address may be apart
_MOST_FLIPS = 3


class Transmission(NamedTuple):
    """Bytes that a device sends, so long after it has heard the request."""

    address: Address  # whose
    wait: float  # seconds: turnaround and lateness
    data: bytes


class Bus:
    """The units of one line by address."""

    def __init__(self, units: Iterable[Unit], dialect: Dialect, chance: random.Random) -> None:
        self.units = {unit.address: unit for unit in units}
        self.dialect = dialect
        self.faults: dict[str, faults.Fault] = {}
        self.requests = 0
        self.damaged = 0
        self._chance = chance
        self._talkers = [unit for unit in self.units.values() if unit.speech is not None]

    def hear_frame(self, frame: bytes, t: float) -> list[Transmission]:
        """Return what comes back on the bytes between two silences."""
        asked = self.dialect.open(frame)
        if asked is None:
            self.damaged += 1
            return []
        return self.hear(asked, t)

    def hear(self, asked: Asked, t: float) -> list[Transmission]:
        """Return what comes back on one request; nothing: nobody says anything. `t` is persona time."""
        self.requests += 1
        meant, answer = self.dialect.meant(asked, self.units)
        if not meant:
            frame = self.dialect.nobody(asked)
            return [] if frame is None else [Transmission(asked.address, 0.0, frame)]
        said = []
        for unit in meant:
            reply = unit.hear(asked.request, t, self._chance)
            if reply is not None and answer:
                wait = unit.turnaround + unit.lateness(self._chance)
                frame = self.dialect.wrap(asked, unit, reply)
                said.append(Transmission(unit.address, wait, self._on_the_wire(unit, frame)))
        return said

    def next_word(self) -> float | None:
        """Return the monotonic time at which somebody speaks by itself; None: nobody will."""
        words = [at for unit in self._talkers if (at := unit.next_word()) is not None]
        return min(words, default=None)

    def speak(self, now: float, t: float) -> list[bytes]:
        """Return what units say by themselves now."""
        said = [(unit, unit.speak(now, t)) for unit in self._talkers]
        return [self._on_the_wire(unit, data) for unit, data in said if data]

    def answer(self, unit: Unit, data: bytes, t: float) -> bytes | None:
        """Return what comes back from a unit that has a connection of its own."""
        self.requests += 1
        reply = unit.hear(data, t, self._chance)
        return None if reply is None else self._on_the_wire(unit, reply)

    def say(self, unit: Unit, now: float, t: float) -> bytes:
        """Return what a unit says by itself, as it arrives; empty: nothing."""
        said = unit.speak(now, t)
        return self._on_the_wire(unit, said) if said else b""

    def rubbish(self, count: int) -> bytes:
        """Return what somebody babbles."""
        return self._chance.randbytes(count)

    def _on_the_wire(self, unit: Unit, frame: bytes) -> bytes:
        if not self.dialect.noise_reaches:
            return frame
        if "twin" in unit.faults:
            frame = self._collide(frame, self.dialect.twin(frame, self._chance))
        match unit.faults.get("noise"):
            case faults.Noise(probability) if self._chance.random() < probability:
                frame = self._flip(frame)
        return frame

    def _flip(self, frame: bytes) -> bytes:
        noisy = bytearray(frame)
        for bit in self._chance.sample(range(8 * len(frame)), self._chance.randint(1, _MOST_FLIPS)):
            noisy[bit // 8] ^= 1 << bit % 8
        return bytes(noisy)

    def _collide(self, first: bytes, second: bytes) -> bytes:
        """Lay two answers over each other, a few characters apart. A dominant 0 wins on the wire."""
        apart = self._chance.randint(0, _TWIN_APART)
        merged = bytearray(b"\xff" * (apart + max(len(first), len(second))))
        merged[: len(first)] = first
        for i, byte in enumerate(second, apart):
            merged[i] &= byte
        return bytes(merged)
