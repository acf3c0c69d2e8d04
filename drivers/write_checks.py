"""What is wrong with what a profile says about writing. Pure; a part of `drivers.point_checks`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.registers import PointType, Table, parse_register

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drivers.profile import Point, Write

READ_ONLY = frozenset({Table.DISCRETE, Table.INPUT})
Found = tuple[tuple[str | int, ...], str]
"""The path of a key under its point, and what would be right."""


def about_write(point: Point, table: Table | None) -> Iterator[Found]:
    """Yield what is wrong with the `write` of a point; `table`: None where the protocol has no registers."""
    write = point.write
    if write is None:
        if not point.readable:
            yield ("readable",), "a point that is neither read nor written is none"
        return
    if write.register is not None:
        yield from _about_register(table, write.register)
    elif table in READ_ONLY:
        yield ("write",), f"the {table} table cannot be written; give write.register where it is written"
    yield from _about_bounds(point, write)
    yield from _about_words(point, write)


def _about_register(table: Table | None, register: str) -> Iterator[Found]:
    """Yield what is wrong with a place of writing that is not the place of reading."""
    if table is None:
        yield ("write", "register"), "this protocol has no registers"
        return
    try:
        written = parse_register(register).table
    except ValueError as error:
        yield ("write", "register"), str(error)
        return
    if written in READ_ONLY:
        yield ("write", "register"), f"the {written} table cannot be written"
    elif written.is_bits is not table.is_bits:
        yield ("write", "register"), "a bit is written as a coil, a register as a holding register"


def _about_bounds(point: Point, write: Write) -> Iterator[Found]:
    if write.min is not None and write.max is not None and write.min > write.max:
        yield ("write", "min"), "is above max"
    for key, end in (("min", write.min), ("max", write.max)):
        if end is not None and point.range is not None and not point.range[0] <= end <= point.range[1]:
            low, high = point.range
            yield ("write", key), f"{end:g} is outside the point's range {low:g} to {high:g}"
    numeric = point.enum is None and point.type is not PointType.BOOL and point.type is not PointType.STRING
    if numeric and (write.min is None or write.max is None):
        yield ("write",), "a number that may be written needs min and max"


def _about_words(point: Point, write: Write) -> Iterator[Found]:
    for key, words in (("words", write.words), ("automatic", write.automatic or ())):
        for index, word in enumerate(words):
            if point.enum is None or word not in point.enum.values():
                yield ("write", key, index), f"{word!r} is no word of this point's enum"
    if write.automatic is not None and point.enum is None:
        yield ("write", "automatic"), "only words can be kept from interlocks: give the point an enum"
