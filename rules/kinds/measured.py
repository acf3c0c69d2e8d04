"""What several rule types share: a number worked out of one point, held against a limit. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.model import Quality
from rules.kinds.limit import width
from rules.look import Stage, Verdict, unknown
from rules.rule import Rule
from rules.texts import delays

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.model import Sample
    from rules.look import Look


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured(Rule):
    """Something worked out of the readings of one point, at or beyond a limit. Base of several types."""

    point: str
    limit: float
    deadband: float | str = 0.0  # in units of what is measured, or "5%" of the limit
    on_delay: float = 0.0
    off_delay: float = 0.0
    min_samples: int = 1

    def measure(self, look: Look, value: float) -> float | None:
        """Return what is held against the limit; None while too little has been seen."""
        raise NotImplementedError

    def downward(self) -> bool:
        """Return whether below the limit is the alarm."""
        return False

    def what(self) -> dict[str, str]:
        """Return in words what is measured."""
        raise NotImplementedError

    def stages(self) -> tuple[Stage, ...]:
        """Return the one stage."""
        return (Stage(self.level, self.on_delay, self.off_delay, self.min_samples, self.limit),)

    def inputs(self) -> tuple[str, ...]:
        """Return the point."""
        return (self.point,)

    def mistakes(self) -> Iterable[str]:
        """Yield what is wrong with limit and deadband."""
        yield from measure_mistakes(self.limit, self.deadband)

    def judge(self, look: Look) -> Verdict | None:
        """Measure and compare; too little seen is unknown."""
        value = number_of(look.sample, self.point)
        if value is None or isinstance(value, Quality):
            return None if value is None else unknown(1, value)
        found = self.measure(look, value)
        if found is None:
            return unknown(1, Quality.WARMING_UP)
        slack = width(self.deadband, self.limit) if look.phases[0].live else 0.0
        low = self.downward()
        return Verdict((found <= self.limit + slack if low else found >= self.limit - slack,), found)

    def words(self) -> dict[str, str]:
        """Return it in words."""
        what, tail = self.what(), delays(self.on_delay, self.off_delay, self.min_samples)
        zh, en = ("≤", "<=") if self.downward() else ("≥", ">=")
        return {
            "zh": f"{what['zh']} {zh} {self.limit:g}{tail['zh']}",
            "en": f"{what['en']} {en} {self.limit:g}{tail['en']}",
        }

    def default_message(self, stage: Stage) -> dict[str, str]:
        """Return what was measured, beside its limit."""
        del stage
        what = {language: text.replace("{", "").replace("}", "") for language, text in self.what().items()}
        return {
            "zh": "{place} {device}：" + what["zh"] + " {value}，限值 {limit}",
            "en": "{place} {device}: " + what["en"] + " {value}, limit {limit}",
        }


def number_of(sample: Sample | None, point: str) -> float | Quality | None:
    """Return the number a sample has of a point; why there is none; None if the sample is not about it."""
    if sample is None:
        return None
    value = sample.values.get(point)
    if value is None:
        return sample.bad.get(point)
    if isinstance(value, str) or not math.isfinite(value):  # nan > limit is False: the masking bug
        return Quality.NOT_A_NUMBER
    return float(value)


def measure_mistakes(limit: float, deadband: float | str) -> Iterable[str]:
    """Yield what is wrong with a limit and its deadband."""
    if not math.isfinite(limit):
        yield f"limit {limit} is not a number to compare with"
    try:
        if width(deadband, limit) < 0:
            yield f"deadband {deadband} is negative"
    except ValueError:
        yield f'deadband {deadband!r} is neither a number nor a percentage like "5%"'
