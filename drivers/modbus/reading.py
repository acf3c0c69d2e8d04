"""How a set of points is read: its requests and what decodes their answers, made once. Pure, no I/O."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from drivers.modbus import pdu
from drivers.modbus.plan import NOTHING, plan
from drivers.points import compile_block, compile_finish
from drivers.registers import Table

if TYPE_CHECKING:
    from drivers.modbus.pdu import Query
    from drivers.modbus.plan import Block, Cost, Known
    from drivers.points import BitDecoder, Decoder, Finish
    from drivers.profile import Profile

READ = {
    Table.COIL: pdu.READ_COILS,
    Table.DISCRETE: pdu.READ_DISCRETE,
    Table.HOLDING: pdu.READ_HOLDING,
    Table.INPUT: pdu.READ_INPUT,
}


class Part(NamedTuple):
    """One block, ready to be asked for."""

    block: Block
    query: Query
    decoder: Decoder | BitDecoder


class Reading(NamedTuple):
    """How one set of points is read."""

    wanted: frozenset[str]
    parts: tuple[Part, ...]
    absent: tuple[str, ...]  # points the device has refused for good
    finish: Finish | None
    exact: bool  # the blocks bring the wanted points and no others


MOST_SHARED = 256
_SHARED: dict[tuple[int, tuple[str, ...], Cost], tuple[Profile, Reading]] = {}
"""Readings made already, by the identity of their profile: devices of one model differ by address only."""


def prepare(profile: Profile, points: tuple[str, ...], address: int, cost: Cost, known: Known) -> Reading:
    """Return how `points` (computed ones too) of the device at `address` are read cheapest."""
    if known is not NOTHING:
        return _prepare(profile, points, address, cost, known)
    key = (id(profile), points, cost)
    if key not in _SHARED:
        if len(_SHARED) >= MOST_SHARED:
            _SHARED.clear()
        _SHARED[key] = profile, _prepare(profile, points, address, cost, known)
    reading = _SHARED[key][1]
    parts = tuple(part._replace(query=_query(part.block, address)) for part in reading.parts)
    return reading._replace(parts=parts)


def _prepare(profile: Profile, points: tuple[str, ...], address: int, cost: Cost, known: Known) -> Reading:
    needed = {name: profile.points[name] for name in profile.needs(points)}
    parts = tuple(make_part(profile, block, address) for block in plan(needed, cost, profile.limits, known))
    brought = {name for part in parts for name in part.block.points}
    wanted = frozenset(points)
    derive = {name: how for name, how in profile.derive.items() if name in wanted}
    finish = compile_finish(replace(profile, points=needed, derive=derive))
    absent = tuple(name for name in needed if name not in brought)
    return Reading(wanted, parts, absent, finish, exact=set(needed) == wanted)


def make_part(profile: Profile, block: Block, address: int) -> Part:
    """Return the request and the decoder of one block."""
    points = {name: profile.points[name] for name in block.points}
    return Part(block, _query(block, address), compile_block(points, block.start, block.count, block.table))


def _query(block: Block, address: int) -> Query:
    return pdu.read(address, READ[block.table], block.start, block.count)
