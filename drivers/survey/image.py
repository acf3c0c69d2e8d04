"""What a Modbus unit was asked and said: registers it holds, those it refuses, and what to ask. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from drivers.modbus import pdu
from drivers.registers import Table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from drivers.profile import Profile

FUNCTIONS: Final = {Table.COIL: 1, Table.DISCRETE: 2, Table.HOLDING: 3, Table.INPUT: 4}
SILENT_ROW: Final = 2  # a unit that stays silent so often about a table is not asked about it any more
REGION: Final = 64  # addresses so near each other are one region: they say the same thing about a unit


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Addresses that are asked for together."""

    table: Table
    start: int
    count: int

    @property
    def end(self) -> int:
        """The first address behind it."""
        return self.start + self.count

    @property
    def region(self) -> tuple[Table, int]:
        """Where about it lies."""
        return self.table, self.start // REGION

    def query(self, unit: int) -> pdu.Query:
        """Return the request for it."""
        return pdu.read(unit, FUNCTIONS[self.table], self.start, self.count)


@dataclass(slots=True)
class Image:
    """The memory of one unit, as far as it has been looked at. Bits are words of 0 and 1 here."""

    words: dict[tuple[Table, int], int] = field(default_factory=dict)
    refused: set[Span] = field(default_factory=set)
    silent: set[Span] = field(default_factory=set)

    def take(self, span: Span, data: bytes) -> None:
        """Take in the data of a good answer: what follows the function code."""
        if span.table.is_bits:
            values: Iterable[int] = pdu.bits(data, span.count)
        else:
            values = pdu.registers(data)
        for address, value in enumerate(values, span.start):
            self.words[span.table, address] = int(value)

    def has(self, span: Span) -> bool:
        """Whether every address of it was answered."""
        return all((span.table, address) in self.words for address in range(span.start, span.end))

    def lacks(self, span: Span) -> bool:
        """Whether it was refused, or lies wholly in silence."""
        return span in self.refused or span in self.silent

    def data(self, span: Span) -> bytes:
        """Return registers as they came over the wire. Raises KeyError for what was not answered."""
        words = [self.words[span.table, address] for address in range(span.start, span.end)]
        return b"".join(word.to_bytes(2, "big") for word in words)

    def openness(self) -> float:
        """Return how readily the unit answers whatever it is asked: the share of regions, never 0 nor 1."""
        good = {(table, address // REGION) for table, address in self.words}
        bad = {span.region for span in (*self.refused, *self.silent)} - good
        return (len(good) + 1) / (len(good) + len(bad) + 2)

    def mute(self, table: Table) -> bool:
        """Whether the unit does not seem to know the function for this table at all."""
        asked = [span for span in self.silent if span.table is table]
        return len(asked) >= SILENT_ROW and not any(t is table for t, _ in self.words)


def spans(profile: Profile) -> tuple[Span, ...]:
    """Return what has to be read to see every point of a profile: runs without holes, as its limits allow."""
    found: list[Span] = []
    for table in Table:
        most = profile.limits.max_bits if table.is_bits else profile.limits.max_registers
        places = sorted(
            (p.address, p.address + p.count)
            for p in profile.points.values()
            if p.readable and p.table is table
        )
        run: tuple[int, int] | None = None
        for low, high in places:
            if run is not None and low <= run[1] and high - run[0] <= most:
                run = (run[0], max(run[1], high))
                continue
            if run is not None:
                found.append(Span(table, run[0], run[1] - run[0]))
            run = (low, high)
        if run is not None:
            found.append(Span(table, run[0], run[1] - run[0]))
    return tuple(found)
