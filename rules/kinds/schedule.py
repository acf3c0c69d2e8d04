"""`schedule`: a limit that depends on the time of day, as at night, when charging must be gentler. Pure."""

from __future__ import annotations

import datetime as dt
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from gateway.model import Quality
from rules.kinds.limit import width
from rules.kinds.measured import measure_mistakes, number_of
from rules.look import Stage, Verdict, unknown
from rules.rule import STRICT, Rule
from rules.state import NANO
from rules.texts import BESIDE_ITS_LIMIT, delays

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gateway.model import Sample
    from rules.look import Calm, Look

TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """One window of local time with its own limit. `begin` after `end` goes over midnight."""

    begin: str  # "23:00"
    end: str
    limit: float
    level: int | None = None  # None: as the rule says
    days: tuple[Day, ...] = DAYS  # on which it begins
    dates: tuple[str, ...] = ()  # "2026-10-01": on these days only, whatever weekday they are

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT

    def covers(self, local: dt.datetime) -> bool:
        """Return whether it is now."""
        begin, end = minutes(self.begin), minutes(self.end)
        now, day = local.hour * 60 + local.minute, local.date()
        if begin < end:
            return begin <= now < end and self._on(day)
        return (now >= begin and self._on(day)) or (now < end and self._on(day - dt.timedelta(days=1)))

    def _on(self, day: dt.date) -> bool:
        return day.isoformat() in self.dates if self.dates else DAYS[day.weekday()] in self.days


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule(Rule):
    """A point beyond the limit of the hour: of the first of `hours` that covers the time, else `limit`.

    At a boundary the new limit goes through the delays like a changed reading. While nobody vouches for
    the clock, the strictest of all limits holds.
    """

    type: Literal["schedule"] = "schedule"
    point: str
    limit: float
    hours: tuple[Hours, ...]
    when: Literal["above", "below"] = "above"
    deadband: float | str = 0.0
    on_delay: float = 0.0
    off_delay: float = 0.0
    min_samples: int = 1

    looks_back: ClassVar[bool] = True

    def stages(self) -> tuple[Stage, ...]:
        """Return one stage per limit; exactly one of them is in force."""
        rest = self.on_delay, self.off_delay, self.min_samples
        hours = (Stage(self.level if h.level is None else h.level, *rest, h.limit) for h in self.hours)
        return (Stage(self.level, *rest, self.limit), *hours)

    def inputs(self) -> tuple[str, ...]:
        """Return the point."""
        return (self.point,)

    def mistakes(self) -> Iterable[str]:
        """Yield what is wrong with limits and times."""
        if not self.hours:
            yield "hours is empty; without them it is a limit"
        for limit in (self.limit, *(h.limit for h in self.hours)):
            yield from measure_mistakes(limit, self.deadband)
        for h in self.hours:
            if wrong := [text for text in (h.begin, h.end) if not TIME.fullmatch(text)]:
                yield f'time {wrong[0]!r} must be like "23:00"'
            elif h.begin == h.end:
                yield f"begin and end are both {h.begin}"
            if wrong := [text for text in h.dates if not is_date(text)]:
                yield f'date {wrong[0]!r} must be like "2026-10-01"'

    def judge(self, look: Look) -> Verdict | None:
        """Compare with the limit of the hour."""
        value = number_of(look.sample, self.point)
        stages = self.stages()
        if value is None or isinstance(value, Quality):
            return None if value is None else unknown(len(stages), value)
        chosen = self.in_force(look)
        stage, held = stages[chosen], look.phases[chosen].live
        truth = self._beyond(value, stage.limit or 0.0, held=held)
        return Verdict(tuple(truth and i == chosen for i in range(len(stages))), value)

    def in_force(self, look: Look) -> int:
        """Return which limit holds now, as an index of `stages`."""
        if not look.synced:
            limits = [self.limit, *(h.limit for h in self.hours)]
            return limits.index(min(limits) if self.when == "above" else max(limits))
        local = dt.datetime.fromtimestamp(look.wall / NANO, tz=look.zone or dt.UTC)
        return next((i for i, h in enumerate(self.hours, 1) if h.covers(local)), 0)

    def _beyond(self, value: float, limit: float, *, held: bool) -> bool:
        slack = width(self.deadband, limit) if held else 0.0
        return value >= limit - slack if self.when == "above" else value <= limit + slack

    def calm(self, baseline: Mapping[str, float]) -> Calm | None:
        """Return a test for "well inside every limit"."""
        del baseline
        limits, point = [self.limit, *(h.limit for h in self.hours)], self.point
        low, high = (-math.inf, min(limits)) if self.when == "above" else (max(limits), math.inf)

        def calm(sample: Sample, memory: dict[str, Any]) -> bool:
            del memory
            value = sample.values.get(point)
            kind = type(value)
            return (kind is float or kind is int) and low < value < high  # type: ignore[operator]  # a number

        return calm

    def default_message(self, stage: Stage) -> dict[str, str]:
        """Return the value beside its limit."""
        del stage
        return BESIDE_ITS_LIMIT

    def words(self) -> dict[str, str]:
        """Return it in words."""
        tail = delays(self.on_delay, self.off_delay, self.min_samples)
        above = self.when == "above"
        hours = "，".join(f"{h.begin} 至 {h.end} {h.limit:g}" for h in self.hours)
        times = ", ".join(f"{h.begin} to {h.end} {h.limit:g}" for h in self.hours)
        return {
            "zh": f"{self.point} {'≥' if above else '≤'} {self.limit:g}（{hours}）{tail['zh']}",
            "en": f"{self.point} {'>=' if above else '<='} {self.limit:g} ({times}){tail['en']}",
        }


def minutes(text: str) -> int:
    """Return the minutes since midnight of "23:00"."""
    return int(text[:2]) * 60 + int(text[3:])


def is_date(text: str) -> bool:
    """Return whether it is a day like "2026-10-01"."""
    try:
        return dt.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
