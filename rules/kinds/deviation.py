"""`deviation`: how far a device has turned from the position it was installed in. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from gateway.model import Quality
from rules.kinds.limit import width
from rules.look import Stage, Verdict, unknown
from rules.rule import Rule
from rules.texts import BESIDE_ITS_LIMIT, delays

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gateway.model import Sample
    from rules.look import Calm, Look

ONLY_ANGLE, TWO_ANGLES, VECTOR = 1, 2, 3
VOID = "void"  # in the memory: the baseline of a sensor that has been replaced


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation(Rule):
    """Degrees from the installed baseline at or beyond a limit.

    One point: a plain difference. Two: inclination angles, the hypotenuse of both differences. Three: a
    gravity vector, the angle between it and the installed one. The baseline is signed at installation
    and never adapts itself; without one, and nothing said by `assume_zero`, the rule is unknown (held).
    """

    type: Literal["deviation"] = "deviation"
    points: tuple[str, ...]
    limit: float  # degrees
    deadband: float | str = 0.0
    on_delay: float = 0.0
    off_delay: float = 0.0
    min_samples: int = 1
    assume_zero: bool = False  # angles only: no baseline means the sensor was zeroed in place

    looks_back: ClassVar[bool] = True

    def stages(self) -> tuple[Stage, ...]:
        """Return the one stage."""
        return (Stage(self.level, self.on_delay, self.off_delay, self.min_samples, self.limit),)

    def inputs(self) -> tuple[str, ...]:
        """Return the points."""
        return self.points

    def mistakes(self) -> Iterable[str]:
        """Yield what is wrong with points and limit."""
        if len(self.points) not in {ONLY_ANGLE, TWO_ANGLES, VECTOR} or len(set(self.points)) < len(
            self.points
        ):
            yield "points: one or two angles, or the three parts of a gravity vector, all different"
        if not 0 < self.limit <= 180:
            yield f"limit {self.limit} must be above 0 and at most 180 degrees"
        if self.assume_zero and len(self.points) == VECTOR:
            yield "assume_zero goes with angles; a gravity vector needs its baseline"
        try:
            if width(self.deadband, self.limit) < 0:
                yield f"deadband {self.deadband} is negative"
        except ValueError:
            yield f'deadband {self.deadband!r} is neither a number nor a percentage like "5%"'

    def judge(self, look: Look) -> Verdict | None:
        """Measure the angle from the baseline."""
        sample = look.sample
        if sample is None:
            return None
        parts: list[float] = []
        for point in self.points:
            value = sample.values.get(point)
            if value is None:
                # Half a vector is no vector: one bad part spoils it, a part not asked for is not news.
                reasons = [sample.bad[p] for p in self.points if p in sample.bad]
                return unknown(1, reasons[0]) if reasons else None
            if isinstance(value, str) or not math.isfinite(value):
                return unknown(1, Quality.NOT_A_NUMBER)
            parts.append(value)
        angle = self._angle(parts, look.baseline)
        if angle is None or look.memory.get(VOID) == dict(look.baseline):
            return unknown(1, Quality.DEVICE_FAULT)
        slack = width(self.deadband, self.limit) if look.phases[0].live else 0.0
        return Verdict((angle >= self.limit - slack,), angle)

    def _angle(self, parts: list[float], baseline: Mapping[str, float]) -> float | None:
        """Return degrees from the baseline; None when there is none or the vector has no length."""
        rest = [baseline.get(point, 0.0 if self.assume_zero else None) for point in self.points]
        if any(part is None for part in rest):
            return None
        known = [part for part in rest if part is not None]
        if len(parts) < VECTOR:
            return math.hypot(*(turn(a, b) for a, b in zip(parts, known, strict=True)))
        lengths = math.hypot(*parts) * math.hypot(*known)
        if not lengths:
            return None
        cosine = dot(parts, known) / lengths
        return math.degrees(math.acos(max(-1.0, min(1.0, cosine))))  # rounding may leave [-1, 1]

    def calm(self, baseline: Mapping[str, float]) -> Calm | None:
        """Return a test for "all parts are there, and near the baseline"."""
        points, limit, angle = self.points, self.limit, self._angle

        def calm(sample: Sample, memory: dict[str, Any]) -> bool:
            if VOID in memory:
                return False
            parts: list[float] = []
            for point in points:
                value = sample.values.get(point)
                if type(value) is not float and type(value) is not int:
                    return False
                parts.append(value)
            found = angle(parts, baseline)
            return found is not None and found < limit

        return calm

    def keep(self, memory: dict[str, Any], now: float) -> dict[str, Any]:
        """Keep that the baseline is not of this sensor."""
        del now
        return {VOID: memory[VOID]} if VOID in memory else {}

    def adopt(self, kept: dict[str, Any]) -> dict[str, Any]:
        """Keep it too when the limit is edited."""
        return dict(kept)

    def default_message(self, stage: Stage) -> dict[str, str]:
        """Return the value beside its limit."""
        del stage
        return BESIDE_ITS_LIMIT

    def words(self) -> dict[str, str]:
        """Return it in words."""
        what, tail = ", ".join(self.points), delays(self.on_delay, self.off_delay, self.min_samples)
        zh, en = f"{what} 偏离安装基准 ≥ {self.limit:g}°", f"{what} >= {self.limit:g}° from the baseline"
        return {"zh": zh + tail["zh"], "en": en + tail["en"]}


def turn(a: float, b: float) -> float:
    """Return the difference of two angles in degrees, the short way round."""
    return (a - b + 180.0) % 360.0 - 180.0


def dot(a: list[float], b: list[float]) -> float:
    """Return the scalar product."""
    return sum(x * y for x, y in zip(a, b, strict=True))
