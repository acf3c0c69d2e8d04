"""`limit`: a number beyond a limit, one level or several in one alarm (HH, H, L, LL). Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from gateway.model import Quality
from rules.look import Stage, Verdict, unknown
from rules.rule import STRICT, OverRange, Rule
from rules.texts import BESIDE_ITS_LIMIT, delays

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gateway.model import Sample
    from rules.look import Calm, Look


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One line of `levels` of a limit: its own limit, deadband and timers."""

    limit: float
    level: int
    deadband: float | str = 0.0
    on_delay: float = 0.0
    off_delay: float = 0.0
    min_samples: int = 1
    when: Literal["above", "below"] | None = None  # None: as the rule says
    message: dict[str, str] | None = None

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit(Rule):
    """A number beyond a limit: one level (`limit`), or several in one alarm (`levels`: HH, H, L, LL)."""

    type: Literal["limit"] = "limit"
    point: str
    when: Literal["above", "below"] = "above"
    limit: float | None = None
    deadband: float | str = 0.0  # in units of the point, or "5%" of the limit
    on_delay: float = 0.0
    off_delay: float = 0.0
    min_samples: int = 1
    levels: tuple[Level, ...] = ()

    looks_back: ClassVar[bool] = True

    def lines(self) -> tuple[Level, ...]:
        """Return the levels, also of the short form."""
        if self.levels or self.limit is None:
            return self.levels
        return (
            Level(
                limit=self.limit,
                level=self.level,
                deadband=self.deadband,
                on_delay=self.on_delay,
                off_delay=self.off_delay,
                min_samples=self.min_samples,
                when=self.when,
            ),
        )

    def stages(self) -> tuple[Stage, ...]:
        """Return one stage per limit."""
        return tuple(
            Stage(x.level, x.on_delay, x.off_delay, x.min_samples, x.limit, x.message) for x in self.lines()
        )

    def inputs(self) -> tuple[str, ...]:
        """Return the point."""
        return (self.point,)

    def mistakes(self) -> Iterable[str]:
        """Yield what is wrong with the limits."""
        if (self.limit is None) == (not self.levels):
            yield "give either limit or levels"
        for x in self.lines():
            if not math.isfinite(x.limit):
                yield f"limit {x.limit} is not a number to compare with"
            try:
                if width(x.deadband, x.limit) < 0:
                    yield f"deadband {x.deadband} is negative"
            except ValueError:
                yield f'deadband {x.deadband!r} is neither a number nor a percentage like "5%"'
        if len({x.level for x in self.levels}) < len(self.levels) and not self._two_sided():
            yield "two of the levels are the same"

    def judge(self, look: Look) -> Verdict | None:
        """Compare; a level that stands clears only beyond its deadband."""
        sample, point = look.sample, self.point
        if sample is None:
            return None
        value = sample.values.get(point)
        if value is None:
            reason = sample.bad.get(point)
            return None if reason is None else self._bad(reason, self.lines())
        if isinstance(value, str) or not math.isfinite(value):  # nan > limit is False: the masking bug
            return unknown(len(look.phases), Quality.NOT_A_NUMBER)
        if not self.levels:
            return Verdict((beyond(value, self, self.when, held=look.phases[0].live),), value)
        truths = tuple(
            beyond(value, x, self.when, held=phase.live)
            for x, phase in zip(self.levels, look.phases, strict=True)
        )
        return Verdict(truths, value)

    def _bad(self, reason: Quality, lines: tuple[Level, ...]) -> Verdict:
        """Judge a reading that has no value; beyond the range on the side of the limit may be an alarm."""
        if self.over_range is OverRange.ALARM:
            side = {Quality.OVER_RANGE: "above", Quality.UNDER_RANGE: "below"}.get(reason)
            truths = tuple((x.when or self.when) == side for x in lines)
            if any(truths):
                return Verdict(truths, None, reason)
        return unknown(len(lines), reason)

    def calm(self, baseline: Mapping[str, float]) -> Calm | None:
        """Return a test for "well inside all limits"."""
        del baseline
        point, (low, high) = self.point, self._inside()

        def calm(sample: Sample, memory: dict[str, Any]) -> bool:
            del memory
            value = sample.values.get(point)
            kind = type(value)
            return (kind is float or kind is int) and low < value < high  # type: ignore[operator]  # a number

        return calm

    def _two_sided(self) -> bool:
        return len({x.when or self.when for x in self.levels}) > 1

    def _inside(self) -> tuple[float, float]:
        above = [x.limit for x in self.lines() if (x.when or self.when) == "above"]
        below = [x.limit for x in self.lines() if (x.when or self.when) == "below"]
        return max(below, default=-math.inf), min(above, default=math.inf)

    def default_message(self, stage: Stage) -> dict[str, str]:
        """Return the value beside its limit."""
        del stage
        return BESIDE_ITS_LIMIT

    def words(self) -> dict[str, str]:
        """Return the limits in words."""
        zh, en = [], []
        for x in self.lines():
            above = (x.when or self.when) == "above"
            tail = delays(x.on_delay, x.off_delay, x.min_samples)
            zh.append(f"{self.point} {'≥' if above else '≤'} {x.limit:g}{tail['zh']}")
            en.append(f"{self.point} {'>=' if above else '<='} {x.limit:g}{tail['en']}")
        return {"zh": "；".join(zh), "en": "; ".join(en)}


def width(deadband: float | str, limit: float) -> float:
    """Return the deadband in units of the point; raise ValueError if it is none."""
    if isinstance(deadband, str):
        if not deadband.endswith("%"):
            raise ValueError(deadband)
        return abs(limit) * float(deadband[:-1]) / 100
    return deadband


def beyond(value: float, line: Level | Limit, when: str, *, held: bool) -> bool:
    """Return whether the value is at or beyond the limit; one that stood is held within the deadband."""
    if line.limit is None:
        return False
    slack = width(line.deadband, line.limit) if held else 0.0
    if (line.when or when) == "above":
        return value >= line.limit - slack
    return value <= line.limit + slack
