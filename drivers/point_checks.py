"""What is wrong with one point of a profile beyond its types. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.profile import UNITS
from drivers.registers import PointType, Table, parse_register
from drivers.write_checks import about_write

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from drivers.family import Family
    from drivers.profile import Point, Profile

LANGUAGES = ("zh", "en")
ITEM_TYPES = frozenset({PointType.NUMBER, PointType.BOOL, PointType.STRING})
_CONFIRMABLE = frozenset(
    {"register", "item", "type", "unit", "order", "scale", "offset", "range", "sentinel"}
)

Key = str | int
Finding = tuple[tuple[Key, ...], str]
"""A key, or a path of keys, within what was looked at; and what would be right."""


def bilingual(name: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what a text that people see lacks."""
    for language in LANGUAGES:
        if not name.get(language, "").strip():
            yield (language,), "names are given in Chinese (zh) and English (en)"
    for language in name:
        if language not in LANGUAGES:
            yield (language,), "names are given in zh and en"


def about_point(point: Point, profile: Profile, family: Family) -> Iterator[Finding]:
    """Yield what is wrong with one point: the key within it, and what would be right."""
    misplaced = list(_about_place(point, family))
    yield from misplaced
    if misplaced and family.has_registers:
        return
    table = point.table if family.has_registers else None
    if not point.internal:
        yield from ((("name", *path), what) for path, what in bilingual(point.name))
    if point.unit not in UNITS and point.unit:
        yield ("unit",), f"{point.unit!r} is not a unit we know: {' '.join(sorted(UNITS))}"
    if table is not None:
        yield from _about_type(point, table)
    yield from _about_words(point)
    yield from _about_bits(point)
    yield from _about_numbers(point)
    yield from about_write(point, table)
    yield from _about_order(point, family)
    yield from _about_others(point, profile)
    for index, field in enumerate(point.confirm):
        if field not in _CONFIRMABLE:
            yield ("confirm", index), f"{field!r} is none of {', '.join(sorted(_CONFIRMABLE))}"


def _about_place(point: Point, family: Family) -> Iterator[Finding]:
    """Yield what is wrong with where the point is: a register, or an item of a message."""
    if family.check_item is None:
        if point.item:
            yield ("item",), f"{family.name} has registers: write register: table:address"
            return
        try:
            parse_register(point.register)
        except ValueError as error:
            yield ("register",), str(error)
        return
    if point.register:
        yield ("register",), f"{family.name} has no registers: write item: NAME"
    elif wrong := family.check_item(point.item):
        yield ("item",), wrong
    if point.type not in ITEM_TYPES:
        yield ("type",), f"an item of a message is number, bool or string, not {point.type}"


def _about_others(point: Point, profile: Profile) -> Iterator[Finding]:
    if point.scale_from is not None:
        yield from _refers(("scale_from",), point.scale_from, profile.points)
    if point.quality_from is not None:
        yield from _refers(("quality_from", "point"), point.quality_from.point, profile.points)
        yield from _about_verdicts(point, profile)


def _refers(path: tuple[Key, ...], name: str, known: Iterable[str]) -> Iterator[Finding]:
    if name not in known:
        yield path, f"there is no point {name!r}"


def _about_type(point: Point, table: Table) -> Iterator[Finding]:
    if point.type is PointType.NUMBER:
        yield ("type",), "say how the bits of the register are meant: uint16, int32, float32 ..."
    if table.is_bits and point.type is not PointType.BOOL:
        yield ("type",), f"a {table} is one bit: its type is bool"
    if point.type is PointType.BOOL and not table.is_bits and point.bit is None:
        yield ("bit",), "a bool in a register needs its bit, 0 (lowest) to 15"
    if (point.type is PointType.STRING) != (point.length > 0):
        yield ("length",), "a string, and only a string, has a length in registers"
    if not table.is_bits and point.address + point.count > 0x10000:
        yield ("register",), "it reaches beyond address 65535"


def _about_words(point: Point) -> Iterator[Finding]:
    whole = point.type.is_integer or point.type in {PointType.BOOL, PointType.NUMBER}
    if point.enum is not None and not whole:
        yield ("enum",), f"words stand for whole numbers, not for {point.type}"
    if point.enum is not None and (point.scale != 1 or point.offset or point.unit):
        yield ("enum",), "a word has no scale, offset or unit"
    if point.enum is not None and len(set(point.enum.values())) < len(point.enum):
        yield ("enum",), "two codes have the same word"


def _about_bits(point: Point) -> Iterator[Finding]:
    width = 8 if point.type in {PointType.INT8, PointType.UINT8} else 16 * max(1, point.count)
    if point.item:
        width = 64
    highest = (width if point.item else 16) - 1
    if point.bit is not None and (point.type is not PointType.BOOL or not 0 <= point.bit <= highest):
        yield ("bit",), f"one bit, 0 to {highest}, of a bool in a register or a status word"
    if point.bits is not None and point.mask is not None:
        yield ("mask",), "give bits (shifted down) or mask (kept in place), not both"
    cut_from = point.type.value.startswith("uint") or point.type is PointType.NUMBER
    if (point.bits is not None or point.mask is not None) and not cut_from:
        yield ("type",), "bits and masks are cut from uint8, uint16, uint32 or uint64"
    if point.bits is not None and not width > point.bits[0] >= point.bits[1] >= 0:
        yield ("bits",), f"highest and lowest bit, both included, within {width - 1} and 0: [15, 12]"
    if point.mask is not None and not 0 < point.mask < 1 << width:
        yield ("mask",), f"1 to {(1 << width) - 1:#x}"
    for index, code in enumerate(point.sentinel):
        if not 0 <= code < 1 << width:
            yield ("sentinel", index), f"{code:#x} does not fit in the {width} bits of {point.type}"


def _about_numbers(point: Point) -> Iterator[Finding]:
    if point.scale == 0:
        yield ("scale",), "0 would make every value the offset"
    if point.range is not None and not point.range[0] < point.range[1]:
        yield ("range",), "the lowest believable value first, then the highest"
    if point.range is not None and (point.is_text or point.type is PointType.BOOL):
        yield ("range",), "words, texts and bits have no range"
    if point.scale_from is not None and not (point.type.is_integer and point.scale == 1 and not point.offset):
        yield ("scale_from",), "goes with a whole number without scale and offset"


def _about_order(point: Point, family: Family) -> Iterator[Finding]:
    """Yield why the protocol has no order that would write the item."""
    if point.item and point.write is not None and family.check_write is not None:
        why = family.check_write(point.item)
        if why:
            yield ("write",), why


def _about_verdicts(point: Point, profile: Profile) -> Iterator[Finding]:
    assert point.quality_from is not None
    status = profile.points.get(point.quality_from.point)
    if status is None or status.enum is None:
        return
    for word in point.quality_from.when:
        if word not in status.enum.values():
            yield ("quality_from", "when", word), f"{point.quality_from.point} has no such word"
