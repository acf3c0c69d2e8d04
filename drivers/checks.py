"""What is wrong with a profile beyond its types: names, places, ranges, references. Pure.

Every check yields all it finds, each with the path of the key in the profile's file.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from drivers.codec.finish import INPUTS
from drivers.profile import KINDS, UNITS
from drivers.registers import PointType, Table, parse_register

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from drivers.profile import Derive, Point, Profile

POINT_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
RULE_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
LANGUAGES = ("zh", "en")
RESERVED = frozenset({"q", "time", "device", "site", "gateway"})  # telemetry uses them
_CONFIRMABLE = frozenset({"register", "type", "unit", "order", "scale", "offset", "range", "sentinel"})

Key = str | int


class Problem(NamedTuple):
    """One mistake: where it stands in the profile, and what would be right."""

    path: tuple[Key, ...]
    what: str


def check(profile: Profile) -> list[Problem]:
    """Return all mistakes of a profile; none means it can be used."""
    found = [*_about_profile(profile), *_names(profile)]
    for name, point in profile.points.items():
        found += (Problem(("points", name, *path), what) for path, what in _about_point(point, profile))
    found += _overlaps(profile.points)
    for name, derive in profile.derive.items():
        found += (Problem(("derive", name, *path), what) for path, what in _about_derive(derive, profile))
    found += _references(profile)
    return found


def unconfirmed(point: Point, settings: Mapping[str, object]) -> tuple[str, ...]:
    """Return the fields that the source leaves open and the site's `map` does not set either."""
    return tuple(field for field in point.confirm if field not in settings)


def _about_profile(profile: Profile) -> Iterator[Problem]:
    if profile.kind not in KINDS:
        yield Problem(("kind",), f"{profile.kind!r} is none of {', '.join(KINDS)}")
    if not profile.points:
        yield Problem(("points",), "there are none")
    if not profile.source.strip():
        yield Problem(("source",), "say where the map comes from: manual and page, or how it was found")
    yield from (Problem(("name", *path), what) for path, what in _bilingual(profile.name))
    if not 1 <= profile.limits.max_registers <= 125:
        yield Problem(("limits", "max_registers"), "1 to 125, which is all the protocol carries")
    if not 1 <= profile.limits.max_bits <= 2000:
        yield Problem(("limits", "max_bits"), "1 to 2000, which is all the protocol carries")
    for index, identity in enumerate(profile.identity):
        try:
            parse_register(identity.register)
        except ValueError as error:
            yield Problem(("identity", index, "register"), str(error))


def _bilingual(name: Mapping[str, str]) -> Iterator[tuple[tuple[Key, ...], str]]:
    for language in LANGUAGES:
        if not name.get(language, "").strip():
            yield (language,), "names are given in Chinese (zh) and English (en)"
    for language in name:
        if language not in LANGUAGES:
            yield (language,), "names are given in zh and en"


def _names(profile: Profile) -> Iterator[Problem]:
    for group in ("points", "derive"):
        for name in getattr(profile, group):
            if not POINT_NAME.fullmatch(name):
                yield Problem((group, name), "a point's name is snake_case: residual_current")
            if name in RESERVED:
                yield Problem((group, name), "telemetry uses this name itself")
    for name in profile.derive:
        if name in profile.points:
            yield Problem(("derive", name), "there is a point of this name already")
    for group in ("rules", "dramas"):
        for name in getattr(profile, group):
            if not RULE_NAME.fullmatch(name):
                yield Problem((group, name), f"a name in {group} is kebab-case: lel-high")


def _about_point(point: Point, profile: Profile) -> Iterator[tuple[tuple[Key, ...], str]]:
    try:
        table = parse_register(point.register).table
    except ValueError as error:
        yield ("register",), str(error)
        return
    if not point.internal:
        yield from ((("name", *path), what) for path, what in _bilingual(point.name))
    if point.unit not in UNITS and point.unit:
        yield ("unit",), f"{point.unit!r} is not a unit we know: {' '.join(sorted(UNITS))}"
    yield from _about_type(point, table)
    yield from _about_bits(point)
    yield from _about_numbers(point)
    yield from _about_write(point, table)
    if point.scale_from is not None:
        yield from _refers(("scale_from",), point.scale_from, profile.points)
    if point.quality_from is not None:
        yield from _refers(("quality_from", "point"), point.quality_from.point, profile.points)
        yield from _about_verdicts(point, profile)
    for index, field in enumerate(point.confirm):
        if field not in _CONFIRMABLE:
            yield ("confirm", index), f"{field!r} is none of {', '.join(sorted(_CONFIRMABLE))}"


def _refers(path: tuple[Key, ...], name: str, known: Iterable[str]) -> Iterator[tuple[tuple[Key, ...], str]]:
    if name not in known:
        yield path, f"there is no point {name!r}"


def _about_type(point: Point, table: Table) -> Iterator[tuple[tuple[Key, ...], str]]:
    if table.is_bits and point.type is not PointType.BOOL:
        yield ("type",), f"a {table} is one bit: its type is bool"
    if point.type is PointType.BOOL and not table.is_bits and point.bit is None:
        yield ("bit",), "a bool in a register needs its bit, 0 (lowest) to 15"
    if (point.type is PointType.STRING) != (point.length > 0):
        yield ("length",), "a string, and only a string, has a length in registers"
    if not table.is_bits and point.address + point.count > 0x10000:
        yield ("register",), "it reaches beyond address 65535"
    if point.enum is not None and not (point.type.is_integer or point.type is PointType.BOOL):
        yield ("enum",), f"words stand for whole numbers, not for {point.type}"
    if point.enum is not None and (point.scale != 1 or point.offset or point.unit):
        yield ("enum",), "a word has no scale, offset or unit"
    if point.enum is not None and len(set(point.enum.values())) < len(point.enum):
        yield ("enum",), "two codes have the same word"


def _about_bits(point: Point) -> Iterator[tuple[tuple[Key, ...], str]]:
    width = 8 if point.type in {PointType.INT8, PointType.UINT8} else 16 * max(1, point.count)
    if point.bit is not None and (point.type is not PointType.BOOL or not 0 <= point.bit < 16):
        yield ("bit",), "one bit, 0 to 15, of a bool in a register"
    if point.bits is not None and point.mask is not None:
        yield ("mask",), "give bits (shifted down) or mask (kept in place), not both"
    if (point.bits is not None or point.mask is not None) and not point.type.value.startswith("uint"):
        yield ("type",), "bits and masks are cut from uint8, uint16, uint32 or uint64"
    if point.bits is not None and not width > point.bits[0] >= point.bits[1] >= 0:
        yield ("bits",), f"highest and lowest bit, both included, within {width - 1} and 0: [15, 12]"
    if point.mask is not None and not 0 < point.mask < 1 << width:
        yield ("mask",), f"1 to {(1 << width) - 1:#x}"
    for index, code in enumerate(point.sentinel):
        if not 0 <= code < 1 << width:
            yield ("sentinel", index), f"{code:#x} does not fit in the {width} bits of {point.type}"


def _about_numbers(point: Point) -> Iterator[tuple[tuple[Key, ...], str]]:
    if point.scale == 0:
        yield ("scale",), "0 would make every value the offset"
    if point.range is not None and not point.range[0] < point.range[1]:
        yield ("range",), "the lowest believable value first, then the highest"
    if point.range is not None and (point.is_text or point.type is PointType.BOOL):
        yield ("range",), "words, texts and bits have no range"
    if point.scale_from is not None and not (point.type.is_integer and point.scale == 1 and not point.offset):
        yield ("scale_from",), "goes with a whole number without scale and offset"


def _about_write(point: Point, table: Table) -> Iterator[tuple[tuple[Key, ...], str]]:
    write = point.write
    if write is None:
        if not point.readable:
            yield ("readable",), "a point that is neither read nor written is none"
        return
    if table in {Table.DISCRETE, Table.INPUT}:
        yield ("write",), f"the {table} table cannot be written"
    if write.min is not None and write.max is not None and write.min > write.max:
        yield ("write", "min"), "is above max"
    for key, end in (("min", write.min), ("max", write.max)):
        if end is not None and point.range is not None and not point.range[0] <= end <= point.range[1]:
            yield (
                ("write", key),
                f"{end:g} is outside the point's range {point.range[0]:g} to {point.range[1]:g}",
            )
    numeric = point.enum is None and point.type is not PointType.BOOL and point.type is not PointType.STRING
    if numeric and (write.min is None or write.max is None):
        yield ("write",), "a number that may be written needs min and max"
    for index, word in enumerate(write.words):
        if point.enum is None or word not in point.enum.values():
            yield ("write", "words", index), f"{word!r} is no word of this point's enum"


def _about_verdicts(point: Point, profile: Profile) -> Iterator[tuple[tuple[Key, ...], str]]:
    assert point.quality_from is not None
    status = profile.points.get(point.quality_from.point)
    if status is None or status.enum is None:
        return
    for word in point.quality_from.when:
        if word not in status.enum.values():
            yield ("quality_from", "when", word), f"{point.quality_from.point} has no such word"


def _overlaps(points: Mapping[str, Point]) -> Iterator[Problem]:
    """Two points may share a register only when both say which part of it is theirs."""
    placed = []
    for name, point in points.items():
        try:
            placed.append((point.table, point.address, point.address + point.count, name, point))
        except ValueError:
            continue  # reported with the point
    placed.sort(key=lambda item: item[:3])  # stable: of two at one place, the later in the file is at fault
    for index, (table, start, end, name, point) in enumerate(placed):
        for other_table, other_start, other_end, other_name, other in placed[index + 1 :]:
            if other_table is not table or other_start >= end:
                break
            whole = (start, end) == (other_start, other_end)
            if not whole or _bits_of(point) & _bits_of(other):
                yield Problem(("points", other_name, "register"), f"overlaps {name} at {point.register}")


def _bits_of(point: Point) -> int:
    """Return the bits that a point claims of its registers; text and whole numbers claim all."""
    everything = (1 << 16 * max(1, point.count)) - 1
    if point.type is PointType.BOOL:
        return everything if point.table.is_bits or point.bit is None else 1 << point.bit
    if point.bits is not None:
        top, low = point.bits
        return (1 << (top + 1)) - (1 << low)
    if point.type in {PointType.INT8, PointType.UINT8}:
        return (point.mask or 0xFF) << (8 if point.half == "high" else 0)
    return everything if point.mask is None else point.mask


def _about_derive(derive: Derive, profile: Profile) -> Iterator[tuple[tuple[Key, ...], str]]:
    yield from ((("name", *path), what) for path, what in _bilingual(derive.name))
    if derive.unit not in UNITS and derive.unit:
        yield ("unit",), f"{derive.unit!r} is not a unit we know"
    wanted = INPUTS.get(derive.how)
    if wanted is not None and len(derive.of) != wanted:
        yield ("of",), f"{derive.how} takes {wanted} points"
    if wanted is None and len(derive.of) < 2:
        yield ("of",), f"{derive.how} takes two points or more"
    own = next(name for name, other in profile.derive.items() if other is derive)
    earlier = list(profile.derive)[: list(profile.derive).index(own)]
    for index, name in enumerate(derive.of):
        point = profile.points.get(name)
        if name not in profile.points and name not in earlier:
            yield ("of", index), f"there is no point {name!r}, nor one computed before this"
        elif point is not None and (point.is_text or point.type is PointType.BOOL or not point.readable):
            yield ("of", index), f"{name} is not a number that can be read"


def _references(profile: Profile) -> Iterator[Problem]:
    reported = set(profile.reported)
    for name, rule in profile.rules.items():
        for key, points in (("point", [rule.get("point", "")]), ("points", rule.get("points", ()))):
            for point in points:
                if point and point not in reported:
                    yield Problem(("rules", name, key), f"there is no point {point!r}")
    yield from _about_play(profile)


def _about_play(profile: Profile) -> Iterator[Problem]:
    """Yield what a persona leaves out: it plays every point that can be read, or there is none."""
    for name in profile.persona:
        if name not in profile.points:
            yield Problem(("persona", name), "there is no such point; computed ones follow by themselves")
    for name, point in profile.points.items():
        if profile.persona and point.readable and name not in profile.persona:
            yield Problem(("persona",), f"does not play {name}")
    for drama, points in profile.dramas.items():
        for name in points:
            if name not in profile.persona:
                yield Problem(("dramas", drama, name), "is not in the persona")
