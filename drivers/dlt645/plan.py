"""Which requests read a set of items cheapest, and what a meter teaches by refusing one. Pure, no I/O.

FF in one byte of an identifier asks for a block: all phases of a quantity, or an energy with its tariffs. It
is asked for when it takes less time than its wanted items one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from drivers.budget import Request
from drivers.dlt645.frame import Edition
from drivers.dlt645.framing import Dlt645
from drivers.dlt645.identifiers import block_of
from drivers.dlt645.items import Di, di_of
from drivers.dlt645.query import OVERHEAD, WAKE_UP, width
from drivers.line.timing import character

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from collections.abc import Set as AbstractSet

    from drivers.line.settings import LineSettings
    from drivers.profile import Profile

TURNAROUND: Final = 0.1
"""Seconds a meter usually thinks before it answers; 20 to 500 ms are allowed."""
RELEARN: Final = 3600.0
"""Seconds after which a meter is asked again for what it refused."""


class Cost(NamedTuple):
    """What asking costs on one line, in seconds."""

    byte: float
    silence: float
    turnaround: float = TURNAROUND

    @classmethod
    def of_line(cls, line: LineSettings, turnaround: float | None = None) -> Cost:
        """Return the cost on a line, `turnaround` as measured; behind a converter bytes take time as well."""
        thinks = TURNAROUND if turnaround is None else turnaround
        return cls(character(line), Dlt645.silence(line), thinks)

    def seconds(self, data: int, edition: Edition = Edition.Y2007) -> float:
        """Return the seconds of one request whose answer carries `data` bytes of values."""
        return self.silence + self.turnaround + self.byte * _bytes(data, edition)


class Read(NamedTuple):
    """One request: an item or a block, and at which place in the answer each wanted item stands."""

    di: Di
    members: tuple[tuple[Di, int], ...]
    data: int  # bytes of values that the answer is expected to carry

    @classmethod
    def single(cls, di: Di) -> Read:
        """Return the request for one item."""
        return cls(di, ((di, 0),), di.how.size if di.how else 0)

    @property
    def is_block(self) -> bool:
        """Whether a block is asked for."""
        return self.members[0][0] != self.di


def plan(
    wanted: Iterable[Di], cost: Cost, refused: AbstractSet[Di] = frozenset(), *, blocks: bool = True
) -> list[Read]:
    """Return the requests for the wanted items, each item once, none that was refused."""
    groups: dict[Di, list[tuple[Di, int]]] = {}
    sizes: dict[Di, tuple[int, int]] = {}  # bytes of an item, items of the block
    for di in dict.fromkeys(wanted):
        if di in refused:
            continue
        block = block_of(di.number) if blocks and di.edition is Edition.Y2007 else None
        home, index, items = (
            (di, 0, 1) if block is None else (Di(block.di, di.edition), block.at, block.items)
        )
        if home in refused:
            home, index, items = di, 0, 1
        groups.setdefault(home, []).append((di, index))
        sizes[home] = di.how.size if di.how else 0, items
    reads = []
    for home, members in groups.items():
        size, items = sizes[home]
        if cost.seconds(items * size) < len(members) * cost.seconds(size):
            reads.append(Read(home, tuple(members), items * size))
        else:
            reads += [Read.single(di) for di, _ in members]
    return reads


class Lessons:
    """What one meter has refused: items it does not have, blocks it does not give."""

    def __init__(self) -> None:
        self.refused: frozenset[Di] = frozenset()
        self._since = 0.0

    def learn(self, di: Di, now: float) -> None:
        """Remember a refusal."""
        if not self.refused:
            self._since = now
        self.refused |= {di}

    def forget(self, now: float, *, away: bool) -> None:
        """Ask again for everything after an hour, or when the meter was `away`: it may be another one."""
        if self.refused and (away or now - self._since > RELEARN):
            self.refused = frozenset()


def requests(profile: Profile, names: Sequence[str], line: LineSettings) -> tuple[Request, ...]:
    """Return what the requests for the device's own points `names` cost, blocks allowed."""
    cost = Cost.of_line(line)
    points: dict[Di, list[str]] = {}
    for name in names:
        if profile.points[name].readable:
            points.setdefault(di_of(profile.points[name].item), []).append(name)
    found = []
    for read in plan(points, cost, blocks=profile.limits.bridge):
        size = _bytes(read.data, read.di.edition)
        told = tuple(name for di, _ in read.members for name in points[di])
        found.append(Request(str(read.di), told, size, size * cost.byte, cost.silence, cost.turnaround))
    return tuple(found)


def _bytes(data: int, edition: Edition) -> int:
    """Return the bytes of a request and its answer, wake-up bytes included."""
    return 2 * (WAKE_UP + OVERHEAD + width(edition)) + data
