"""One pair of wires: devices of one rate, or of several as an installer may find them. No I/O.

Every party understands only what is sent at its own rate and parity; the others' talk is rubbish to it, and
theirs to whoever listens at another rate.
"""

from __future__ import annotations

from collections import ChainMap
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import MutableMapping, Sequence

    from drivers.line.settings import LineSettings
    from drivers.simulator.bus import Bus, Transmission
    from drivers.simulator.faults import Fault


class Party(NamedTuple):
    """Devices that are set alike."""

    bus: Bus
    baud: int
    parity: str

    @classmethod
    def of(cls, bus: Bus, settings: LineSettings) -> Party:
        """Return the devices of a line, set as the line is."""
        return cls(bus, settings.baud, settings.parity)


class Pair:
    """Several parties on one pair; to a played line it looks like one bus."""

    def __init__(self, parties: Sequence[Party], *, strict: bool = True) -> None:
        """`strict`: who is not set like the master does not understand it; else all are set as it is."""
        self._parties = list(parties)
        self._strict = strict
        self._rate: tuple[int, str] | None = None

    @property
    def faults(self) -> MutableMapping[str, Fault]:
        """What is wrong with the pair: what is wrong with any line of it."""
        return ChainMap(*(party.bus.faults for party in self._parties))

    def tune(self, baud: int, parity: str) -> None:
        """Learn how the master talks now."""
        self._rate = (baud, parity)

    def hear_frame(self, frame: bytes, t: float) -> list[Transmission]:
        """Return what comes back on the bytes between two silences, from those who understand them."""
        heard = [party.bus for party in self._parties if self._understands(party)]
        return [said for bus in heard for said in bus.hear_frame(frame, t)]

    def next_word(self) -> float | None:
        """Return the monotonic time at which somebody speaks by itself; None: nobody will."""
        words = [at for party in self._parties if (at := party.bus.next_word()) is not None]
        return min(words, default=None)

    def speak(self, now: float, t: float) -> list[bytes]:
        """Return what is heard of units that speak by themselves now: rubbish of those at another rate."""
        spoken = [(party, data) for party in self._parties for data in party.bus.speak(now, t)]
        return [data if self._understands(party) else self.rubbish(len(data)) for party, data in spoken]

    def rubbish(self, count: int) -> bytes:
        """Return what somebody babbles."""
        return self._parties[0].bus.rubbish(count)

    def _understands(self, party: Party) -> bool:
        return not self._strict or self._rate in {None, (party.baud, party.parity)}
