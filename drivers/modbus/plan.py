"""Which requests read a set of points cheapest, and what a device teaches by refusing one. Pure, no I/O.

A hole between two points is read along when its bytes cost less time than another request would. When a
device answers "illegal address" to such a block, `Lessons` cuts it until the cause is found and the next plan
keeps clear of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from drivers.line.timing import character, silence
from drivers.profile import Limits

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from drivers.line.settings import LineSettings
    from drivers.profile import Point
    from drivers.registers import Table

MOST_REGISTERS = 125
MOST_BITS = 2000
TURNAROUND = 0.03
"""Seconds a device thinks before it answers, until it has been measured (domain: 30 ms is usual)."""
ROUND_TRIP = 0.002
"""Seconds of a TCP request and its answer on a local network, until it has been measured."""

Address = tuple["Table", int]


@dataclass(frozen=True, slots=True)
class Cost:
    """What reading costs on one line, in seconds."""

    byte: float  # one byte on the wire; 0 where that is not what counts
    silence: float  # before a request, and again before the answer
    turnaround: float  # of the device; on TCP the whole round trip
    frame: int = 13  # bytes of a request and its answer that carry no data

    @classmethod
    def of_line(cls, settings: LineSettings, turnaround: float | None = None) -> Cost:
        """Return the cost on a line; `turnaround` as measured, or None while it is not known."""
        if settings.serial:
            thinks = TURNAROUND if turnaround is None else turnaround
            return cls(character(settings), silence(settings), thinks)
        trip = ROUND_TRIP if turnaround is None else turnaround
        return cls(0.0, silence(settings), trip, frame=21)

    @property
    def request(self) -> float:
        """Seconds of a request that brings no data at all: what merging saves."""
        return self.frame * self.byte + 2 * self.silence + self.turnaround

    def seconds(self, data: int) -> float:
        """Return the seconds of a request whose answer carries `data` bytes."""
        return self.request + data * self.byte


@dataclass(frozen=True, slots=True)
class Block:
    """One request: `count` addresses from `start`, and the points that lie in them."""

    table: Table
    start: int
    count: int
    points: tuple[str, ...]

    @property
    def data(self) -> int:
        """Bytes of data in the answer."""
        return _bytes(self.table, self.count)


@dataclass(frozen=True, slots=True)
class Known:
    """What a device has taught about itself."""

    cuts: frozenset[Address] = frozenset()  # no block may reach across: it would be refused
    absent: frozenset[Address] = frozenset()  # addresses of points it does not have


NOTHING = Known()


@dataclass(slots=True)
class _Atom:
    """Points that overlap, so that they are read together or not at all."""

    start: int
    end: int
    names: list[str] = field(default_factory=list)


def plan(
    points: Mapping[str, Point],
    cost: Cost,
    limits: Limits = Limits(),  # noqa: B008  frozen
    known: Known = NOTHING,
    first: Collection[str] = (),
) -> list[Block]:
    """Return the cheapest blocks that read the readable `points`, those named in `first` apart and in front.

    No block spans tables, a known cut, or more than the device and the protocol take. Points that the device
    does not have (`refused`) are left out. Within a group blocks come by table and address.
    """
    wanted = {n: p for n, p in points.items() if p.readable and not _is_absent(p, known)}
    ahead = {n: p for n, p in wanted.items() if n in first}
    rest = {n: p for n, p in wanted.items() if n not in first}
    return [*_plan(ahead, cost, limits, known), *_plan(rest, cost, limits, known)]


def refused(points: Mapping[str, Point], known: Known) -> tuple[str, ...]:
    """Return the points that the device is known not to have."""
    return tuple(name for name, point in points.items() if _is_absent(point, known))


def _is_absent(point: Point, known: Known) -> bool:
    if not known.absent:
        return False
    return any((point.table, point.address + i) in known.absent for i in range(point.count))


def _plan(points: Mapping[str, Point], cost: Cost, limits: Limits, known: Known) -> list[Block]:
    tables = sorted({point.table for point in points.values()})
    blocks: list[Block] = []
    for table in tables:
        atoms = _atoms({n: p for n, p in points.items() if p.table is table}.items())
        borders = _borders(atoms, cost, limits, known, table)
        for low, high in borders:
            part = atoms[low:high]
            names = tuple(name for atom in part for name in atom.names)
            blocks.append(Block(table, part[0].start, part[-1].end - part[0].start, names))
    return blocks


def _atoms(points: Iterable[tuple[str, Point]]) -> list[_Atom]:
    atoms: list[_Atom] = []
    for name, point in sorted(points, key=lambda item: (item[1].address, item[1].count)):
        end = point.address + point.count
        if atoms and point.address < atoms[-1].end:
            atoms[-1].end = max(atoms[-1].end, end)
            atoms[-1].names.append(name)
        else:
            atoms.append(_Atom(point.address, end, [name]))
    return atoms


def _borders(
    atoms: list[_Atom], cost: Cost, limits: Limits, known: Known, table: Table
) -> list[tuple[int, int]]:
    """Cut the row of atoms into the pieces that cost least together (shortest path, from the left)."""
    most = min(limits.max_bits, MOST_BITS) if table.is_bits else min(limits.max_registers, MOST_REGISTERS)
    best: list[tuple[float, int]] = [(0.0, 0)]  # of the first n atoms: seconds, where the last piece begins
    for end in range(1, len(atoms) + 1):
        choices = []
        for begin in range(end - 1, -1, -1):
            span = atoms[end - 1].end - atoms[begin].start
            if begin < end - 1 and (
                span > most or not _joins(atoms[begin], atoms[begin + 1], limits, known, table)
            ):
                break
            seconds = cost.seconds(_bytes(table, span))
            choices.append((best[begin][0] + seconds, -begin))  # at the same price the longer piece
        price, begin = min(choices)
        best.append((price, -begin))
    pieces: list[tuple[int, int]] = []
    end = len(atoms)
    while end:
        begin = best[end][1]
        pieces.append((begin, end))
        end = begin
    return pieces[::-1]


def _joins(left: _Atom, right: _Atom, limits: Limits, known: Known, table: Table) -> bool:
    """Tell whether one block may hold both neighbours."""
    if not limits.bridge and right.start > left.end:
        return False
    gap = range(left.end, right.start + 1)
    return not any((table, address) in known.cuts for address in gap) and not any(
        (table, address) in known.absent for address in gap[:-1]
    )


def _bytes(table: Table, count: int) -> int:
    return (count + 7) // 8 if table.is_bits else 2 * count


@dataclass(slots=True)
class _Split:
    """A refused block that was cut in two, until both halves have been tried."""

    cut: Address
    waiting: set[Block]


class Lessons:
    """Learns from refusals what one device does not have. Pure: the caller asks the device.

    After "illegal address" or "illegal value" to a block, send what `refused` returns instead, and report
    each outcome with `refused` or `answered`; then plan anew with `known`. A cut is remembered only when both
    halves were answered, so the cause lay between them; a point alone that is refused is absent.
    """

    def __init__(self, points: Mapping[str, Point], known: Known = NOTHING) -> None:
        self._points = points
        self._known = known
        self._splits: dict[Block, _Split] = {}

    @property
    def known(self) -> Known:
        """What has been learnt so far; changes only by being replaced."""
        return self._known

    def refused(self, block: Block) -> tuple[Block, ...]:
        """Take note that `block` was refused; return what to ask instead: two blocks, or none."""
        self._settle(block)
        atoms = _atoms((name, self._points[name]) for name in block.points)
        if len(atoms) == 1:
            gone = {(block.table, address) for address in range(atoms[0].start, atoms[0].end)}
            self._known = Known(self._known.cuts, self._known.absent | gone)
            return ()
        at = max(
            range(1, len(atoms)), key=lambda i: (atoms[i].start - atoms[i - 1].end, min(i, len(atoms) - i))
        )
        halves = tuple(
            Block(
                block.table,
                part[0].start,
                part[-1].end - part[0].start,
                tuple(name for atom in part for name in atom.names),
            )
            for part in (atoms[:at], atoms[at:])
        )
        split = _Split((block.table, atoms[at].start), set(halves))
        self._splits |= dict.fromkeys(halves, split)
        return halves

    def answered(self, block: Block) -> None:
        """Take note that `block` was answered."""
        split = self._splits.pop(block, None)
        if split is None:
            return
        split.waiting.discard(block)
        if not split.waiting:
            self._known = Known(self._known.cuts | {split.cut}, self._known.absent)

    def again(self) -> None:
        """Forget which points are absent, so that they are asked for again: after a restart of the device."""
        self._known = Known(self._known.cuts)
        self._splits.clear()

    def _settle(self, block: Block) -> None:
        """Let a half that is refused itself explain its whole: what lies between the halves is innocent."""
        split = self._splits.pop(block, None)
        if split is not None:
            for half in split.waiting:
                self._splits.pop(half, None)
