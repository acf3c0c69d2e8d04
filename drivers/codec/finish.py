"""What can only be known when all blocks of a device are in. Pure, no I/O."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from drivers.profile import Formula
from gateway.model import Quality, Value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from drivers.profile import Derive, Point, Profile, QualityFrom

Good = dict[str, Value]
Bad = dict[str, Quality]
Finish = Callable[[Good, Bad], None]
"""Changes values and reasons in place: decimals first, then the device's own word, then what is computed."""


def compile_finish(profile: Profile) -> Finish | None:
    """Return what to do once all wanted blocks are in (see `Profile.needs`); None: nothing."""
    steps: list[Finish] = [
        _decimals(name, point) for name, point in profile.points.items() if point.scale_from is not None
    ]
    steps += [
        _verdict(name, point.quality_from)
        for name, point in profile.points.items()
        if point.quality_from is not None
    ]
    steps += [_derived(name, derive) for name, derive in profile.derive.items()]
    internal = tuple(name for name, point in profile.points.items() if point.internal)
    if not steps and not internal:
        return None

    def finish(values: Good, bad: Bad) -> None:
        for step in steps:
            step(values, bad)
        for name in internal:
            values.pop(name, None)
            bad.pop(name, None)

    return finish


def _decimals(name: str, point: Point) -> Finish:
    source = point.scale_from or ""
    low, high = point.range or (-math.inf, math.inf)

    def step(values: Good, bad: Bad) -> None:
        if name not in values:
            return
        decimals = values.get(source)
        if not isinstance(decimals, int):
            del values[name]
            bad[name] = bad.get(source, Quality.NO_ANSWER)
            return
        value = float(values[name]) / 10**decimals
        if low <= value <= high:
            values[name] = value
        else:
            del values[name]
            bad[name] = Quality.OVER_RANGE if value > high else Quality.UNDER_RANGE

    return step


def _verdict(name: str, source: QualityFrom) -> Finish:
    """Let the device's own word beat what the number looks like; a word that is itself bad decides nothing.

    An alarm must not hide behind a status that cannot be read: the value stands, and the status raises its
    own fault.
    """
    status, when = source.point, source.when

    def step(values: Good, bad: Bad) -> None:
        verdict = when.get(spell(values[status])) if status in values else None
        if verdict is not None and (name in values or name in bad):
            values.pop(name, None)
            bad[name] = verdict

    return step


def spell(value: Value) -> str:
    """Write a value as `quality_from.when` names it: a word, `true`, `false`, or a number."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _derived(name: str, derive: Derive) -> Finish:
    formula, inputs = FORMULAS[derive.how], derive.of
    low, high = derive.range or (-math.inf, math.inf)

    def step(values: Good, bad: Bad) -> None:
        try:
            value = formula([float(values[point]) for point in inputs])
        except KeyError:
            reasons = [bad[point] for point in inputs if point in bad]
            if reasons:  # none: the inputs were not read this time, so neither is this
                bad[name] = reasons[0]
            return
        if low <= value <= high:
            values[name] = value
        else:
            bad[name] = _outside(value, high)

    return step


def _outside(value: float, high: float) -> Quality:
    if math.isnan(value):
        return Quality.NOT_A_NUMBER
    return Quality.OVER_RANGE if value > high else Quality.UNDER_RANGE


def tilt_from_angles(angles: Sequence[float]) -> float:
    """Return degrees from the level, 0 to 180, of a body turned by two angles about level axes.

    For roll and pitch this is exact: the third component of gravity is cos(roll) * cos(pitch).
    """
    a, b = (math.radians(angle) for angle in angles)
    across = math.hypot(math.sin(b), math.cos(b) * math.sin(a))
    return math.degrees(math.atan2(across, math.cos(a) * math.cos(b)))


def tilt_from_gravity(vector: Sequence[float]) -> float:
    """Return degrees from the measured gravity (x, y, z) to the z axis, 0 to 180; NaN of a zero vector."""
    x, y, z = vector
    if x == y == z == 0:
        return math.nan
    return math.degrees(math.atan2(math.hypot(x, y), z))


FORMULAS: Mapping[Formula, Callable[[Sequence[float]], float]] = {
    Formula.TILT_FROM_ANGLES: tilt_from_angles,
    Formula.TILT_FROM_GRAVITY: tilt_from_gravity,
    Formula.SUM: math.fsum,
    Formula.DIFFERENCE: lambda parts: parts[0] - math.fsum(parts[1:]),
}
INPUTS = {Formula.TILT_FROM_ANGLES: 2, Formula.TILT_FROM_GRAVITY: 3}
"""How many points a formula takes; the others take two or more."""
