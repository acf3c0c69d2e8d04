"""What is wrong with a profile beyond its types: names, places, ranges, references. Pure.

Every check yields all it finds, each with the path of the key in the profile's file.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from drivers.codec.finish import INPUTS
from drivers.point_checks import Key, about_point, bilingual
from drivers.profile import KINDS, UNITS
from drivers.registers import PointType, parse_register

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from drivers.family import Family
    from drivers.profile import Derive, Point, Profile

POINT_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
RULE_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
RESERVED = frozenset({"q", "time", "device", "site", "gateway"})  # telemetry uses them


class Problem(NamedTuple):
    """One mistake: where it stands in the profile, and what would be right."""

    path: tuple[Key, ...]
    what: str


def check(profile: Profile, families: Mapping[str, Family]) -> list[Problem]:
    """Return all mistakes of a profile; none means it can be used. `families`: those that are spoken."""
    family = families.get(profile.protocol)
    if family is None:
        known = ", ".join(families)
        return [Problem(("protocol",), f"{profile.protocol!r} is none of {known}")]
    found = [*_about_profile(profile), *_names(profile)]
    for name, point in profile.points.items():
        about = about_point(point, profile, family)
        found += (Problem(("points", name, *path), what) for path, what in about)
    if family.has_registers:
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
    yield from (Problem(("name", *path), what) for path, what in bilingual(profile.name))
    if not 1 <= profile.limits.max_registers <= 125:
        yield Problem(("limits", "max_registers"), "1 to 125, which is all the protocol carries")
    if not 1 <= profile.limits.max_bits <= 2000:
        yield Problem(("limits", "max_bits"), "1 to 2000, which is all the protocol carries")
    for index, identity in enumerate(profile.identity):
        try:
            parse_register(identity.register)
        except ValueError as error:
            yield Problem(("identity", index, "register"), str(error))


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
    yield from ((("name", *path), what) for path, what in bilingual(derive.name))
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
