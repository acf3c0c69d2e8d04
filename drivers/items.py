"""Points that messages carry: from what a protocol's codec gave to values, or the reasons for none. Pure.

The codec turns bytes into numbers, texts and bits by name; here scale, range, words and the device's own
verdict are applied as for registers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from drivers.codec.finish import compile_finish
from drivers.codec.single import make_reader
from drivers.registers import PointType
from gateway.model import Quality, Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drivers.codec.finish import Finish
    from drivers.codec.single import Reader
    from drivers.profile import Point, Profile

Carried = Mapping[str, Value | Quality | None]
"""What a codec took out of messages, by item; None where the device says that it has no value, a quality
where it is known why there is none."""


@dataclass(frozen=True, slots=True)
class Items:
    """How a set of points is made of the items of messages. Make it with `compile_items`."""

    wanted: tuple[str, ...]  # items that must be known, each once, in the order of the profile
    points: frozenset[str]  # what comes out
    _readers: tuple[tuple[str, str, Reader], ...]  # point, item
    _finish: Finish | None

    def values(
        self, carried: Carried, missing: Quality = Quality.NO_ANSWER
    ) -> tuple[dict[str, Value], dict[str, Quality]]:
        """Return the good values, and why the others are bad; what was not carried is `missing`."""
        values: dict[str, Value] = {}
        bad: dict[str, Quality] = {}
        for name, item, read in self._readers:
            raw = carried.get(item)
            if raw is None:
                value: Value | Quality = Quality.SENTINEL if item in carried else missing
            else:
                value = raw if isinstance(raw, Quality) else read(raw)  # type: ignore[arg-type]  # texts pass too
            if isinstance(value, Quality):
                bad[name] = value
            else:
                values[name] = value
        if self._finish is not None:
            self._finish(values, bad)
        return (
            {name: value for name, value in values.items() if name in self.points},
            {name: why for name, why in bad.items() if name in self.points},
        )


def compile_items(profile: Profile, names: Sequence[str]) -> Items:
    """Return how the points `names` (computed ones too) of a profile come out of messages."""
    needed = {name: profile.points[name] for name in profile.needs(tuple(names))}
    derive = {name: how for name, how in profile.derive.items() if name in names}
    readers = tuple((name, point.item, _reader(point)) for name, point in needed.items())
    wanted = tuple(dict.fromkeys(item for _, item, _ in readers))
    finish = compile_finish(replace(profile, points=needed, derive=derive))
    return Items(wanted, frozenset(names), readers, finish)


def _reader(point: Point) -> Reader:
    if point.type is PointType.STRING:
        return str  # the codec has decoded it already
    return make_reader(point)
