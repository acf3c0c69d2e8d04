"""The devices that hang on one line, and what the line makes of their answers. No I/O, time comes in."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from drivers.simulator import faults, wire
from drivers.simulator.wire import Framing

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable

    from drivers.simulator.unit import Unit

_BROADCAST = 0
_TWIN_APART = 4  # characters by which the answers of two devices with one address may be apart
_MOST_FLIPS = 3


class Transmission(NamedTuple):
    """Bytes that a device sends, so long after it has heard the request."""

    wait: float  # seconds: turnaround and lateness
    data: bytes


class Bus:
    """The units of one line by address."""

    def __init__(self, units: Iterable[Unit], framing: Framing, chance: random.Random) -> None:
        self.units = {unit.address: unit for unit in units}
        self.framing = framing
        self.faults: dict[str, faults.Fault] = {}
        self.requests = 0
        self.damaged = 0
        self._chance = chance

    def hear_frame(self, frame: bytes, t: float) -> Transmission | None:
        """Return what comes back on an RTU frame cut out by silence; None: nobody says anything."""
        opened = wire.open_rtu(frame)
        if opened is None:
            self.damaged += 1
            return None
        return self.hear(0, *opened, t)

    def hear(self, transaction: int, address: int, pdu: bytes, t: float) -> Transmission | None:
        """Return what comes back on one request; None: nobody says anything. `t` is persona time."""
        self.requests += 1
        if address == _BROADCAST and self.framing is Framing.RTU:
            for each in self.units.values():
                each.hear(pdu, t, self._chance)
            return None
        unit = self.units.get(address)
        if unit is None:
            if self.framing is Framing.RTU:
                return None
            return Transmission(0.0, wire.mbap(transaction, address, wire.exception(pdu[0], wire.NO_TARGET)))
        reply = unit.hear(pdu, t, self._chance)
        if reply is None:
            return None
        wait = unit.turnaround + unit.lateness(self._chance)
        if self.framing is Framing.MBAP:
            return Transmission(wait, wire.mbap(transaction, address, reply))
        return Transmission(wait, self._on_the_wire(unit, wire.rtu(address, reply)))

    def rubbish(self, count: int) -> bytes:
        """Return what somebody babbles."""
        return self._chance.randbytes(count)

    def _on_the_wire(self, unit: Unit, frame: bytes) -> bytes:
        if "twin" in unit.faults:
            frame = self._collide(frame, self._other(frame))
        match unit.faults.get("noise"):
            case faults.Noise(probability) if self._chance.random() < probability:
                frame = self._flip(frame)
        return frame

    def _flip(self, frame: bytes) -> bytes:
        noisy = bytearray(frame)
        for bit in self._chance.sample(range(8 * len(frame)), self._chance.randint(1, _MOST_FLIPS)):
            noisy[bit // 8] ^= 1 << bit % 8
        return bytes(noisy)

    def _other(self, frame: bytes) -> bytes:
        """Return the answer of a device of the same model at another place: other values, sound frame."""
        body = bytearray(frame[:-2])
        for i in range(3, len(body)):
            body[i] ^= self._chance.randrange(16)
        return bytes(body) + wire.crc(bytes(body))

    def _collide(self, first: bytes, second: bytes) -> bytes:
        """Lay two answers over each other, a few characters apart. A dominant 0 wins on the wire."""
        apart = self._chance.randint(0, _TWIN_APART)
        merged = bytearray(b"\xff" * (apart + max(len(first), len(second))))
        merged[: len(first)] = first
        for i, byte in enumerate(second, apart):
            merged[i] &= byte
        return bytes(merged)
