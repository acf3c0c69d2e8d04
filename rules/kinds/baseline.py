"""`baseline`: above what the point itself usually is at this time of day. Learns for a week first. Pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from statistics import median
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from gateway.model import Quality
from rules.kinds.limit import Limit, width
from rules.kinds.measured import number_of
from rules.look import Phase, Stage, Verdict, unknown
from rules.rule import Rule
from rules.site import Missing, Unbound
from rules.state import NANO
from rules.texts import delays

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gateway.model import Sample
    from rules.look import Calm, Look
    from rules.site import Inventory

BINS = 96  # a quarter of an hour each
QUARTER = 900  # seconds
MOST = 180  # readings of one quarter that are looked at
LEAST = 3
MESSAGE = {
    "zh": "{place} {device}：{value} {unit}，高于自身同时段水平",
    "en": "{place} {device}: {value} {unit}, above what it usually is at this time",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline(Rule):
    """Above the own envelope: per quarter of an hour the median of `days` days, plus a margin.

    The margin is `mads` times the median absolute deviation, at least `margin`. Until a quarter of an hour
    has been seen on `learn` days the rule is unknown. Readings while it is pending or stands, in a drill or
    out of service are not learned, nor what reaches `cap`: a limit, or the name of a limit rule of the device
    whose limit less its deadband the envelope never exceeds. A precursor: level 3 or 4, never alone.
    """

    type: Literal["baseline"] = "baseline"
    level: int = 4
    point: str
    margin: float
    mads: float = 4.0
    learn: int = 7
    days: int = 14
    cap: float | str | None = None
    deadband: float | str = 0.0
    on_delay: float = 0.0
    off_delay: float = 0.0
    ceiling: float | None = field(default=None, metadata={"yaml": False})  # `cap` as a number

    keep_every: ClassVar[float] = 900.0

    def stages(self) -> tuple[Stage, ...]:
        """Return the one stage."""
        return (Stage(self.level, self.on_delay, self.off_delay),)

    def inputs(self) -> tuple[str, ...]:
        """Return the point."""
        return (self.point,)

    def mistakes(self) -> Iterable[str]:
        """Yield what is wrong with level and margins."""
        if self.level not in {3, 4}:
            yield f"level {self.level}: a baseline is a precursor, level 3 or 4"
        if self.margin <= 0 or self.mads < 0:
            yield "margin must be above 0, mads not negative"
        if not 1 <= self.learn <= self.days <= 31:
            yield "wanted 1 <= learn <= days <= 31"
        try:
            width(self.deadband, self.margin)
        except ValueError:
            yield f'deadband {self.deadband!r} is neither a number nor a percentage like "5%" of the margin'

    def bind(self, home: str, site: Inventory) -> Rule:
        """Look the cap up: the limit of another rule of the device, less its deadband."""
        if not isinstance(self.cap, str):
            return replace(self, ceiling=self.cap)
        member = site.get(home)
        rules = {} if member is None or member.rules is None else member.rules
        other = rules.get(self.cap)
        if isinstance(other, Limit) and other.point == self.point:
            tops = [x.limit - width(x.deadband, x.limit) for x in other.lines()]
            return replace(self, ceiling=min(tops))
        if other is None and member is not None and self.cap in member.off:
            return self  # that one is switched off, for a reason
        what = f"cap must be a number or a limit on {self.point} of {home}"
        raise Unbound([Missing("cap", what, self.cap, tuple(sorted(rules)))])

    def judge(self, look: Look) -> Verdict | None:
        """Compare with the envelope of the quarter of an hour, and learn."""
        value, memory = number_of(look.sample, self.point), look.memory
        if value is None or isinstance(value, Quality):
            return None if value is None else unknown(1, value)
        memory["of"] = self.point
        memory["until"] = 0
        if not look.synced:
            return unknown(1, Quality.WARMING_UP, value)  # what is usual now, nobody can say
        local = dt.datetime.fromtimestamp(look.wall / NANO, tz=look.zone or dt.UTC)
        quarter = (local.hour * 60 + local.minute) // (24 * 60 // BINS)
        if memory.get("quarter") != quarter:
            self._turn(memory, quarter)
        if look.real:
            rest = QUARTER - (local.minute * 60 + local.second) % QUARTER
            memory["until"] = look.wall + (rest - 1) * NANO
        if look.real and look.phases[0] is Phase.NORMAL and not self._capped(value):
            memory["seen"].append(value)
            if len(memory["seen"]) > MOST:
                del memory["seen"][::2]
        if memory["top"] is None:
            return unknown(1, Quality.WARMING_UP, value)
        slack = width(self.deadband, self.margin) if look.phases[0].live else 0.0
        return Verdict((value >= memory["top"] - slack,), value)

    def calm(self, baseline: Mapping[str, float]) -> Calm | None:
        """Return a note-taker for usual readings of the same quarter of an hour."""
        del baseline
        point = self.point

        def calm(sample: Sample, memory: dict[str, Any]) -> bool:
            value, top = sample.values.get(point), memory.get("top")
            if top is None or type(value) is not float or not value < top:
                return False
            seen = memory["seen"]
            if sample.at >= memory["until"] or len(seen) >= MOST:
                return False
            seen.append(value)
            return True

        return calm

    def _capped(self, value: float) -> bool:
        return self.ceiling is not None and value >= self.ceiling

    def _turn(self, memory: dict[str, Any], quarter: int) -> None:
        """Put away the quarter that has ended; find the envelope of the new one."""
        bins, seen = memory.setdefault("bins", {}), memory.get("seen") or []
        if len(seen) >= LEAST:
            key = str(memory["quarter"])
            bins[key] = [*bins.get(key, ()), round(median(seen), 4)][-self.days :]
        memory.update(quarter=quarter, seen=[], top=self.envelope(bins, quarter))

    def envelope(self, bins: dict[str, list[float]], quarter: int) -> float | None:
        """Return the highest value that is usual; None while too few days have been seen."""
        if len(bins.get(str(quarter), ())) < self.learn:
            return None
        near = [v for step in (-1, 0, 1) for v in bins.get(str((quarter + step) % BINS), ())]
        centre = median(near)
        scatter = median(abs(value - centre) for value in near)
        top = centre + max(self.mads * scatter, self.margin)
        return top if self.ceiling is None else min(top, self.ceiling)

    def keep(self, memory: dict[str, Any], now: float) -> dict[str, Any]:
        """Keep what was learned."""
        del now
        return {"of": self.point, "bins": memory["bins"]} if memory.get("bins") else {}

    def adopt(self, kept: dict[str, Any]) -> dict[str, Any]:
        """Go on with what was learned when the margin is edited."""
        return dict(kept) if kept.get("of") == self.point else {}

    def default_message(self, stage: Stage) -> dict[str, str]:
        """Return the value."""
        del stage
        return MESSAGE

    def words(self) -> dict[str, str]:
        """Return it in words."""
        tail = delays(self.on_delay, self.off_delay)
        zh = f"{self.point} 高于自身同时段水平 {self.margin:g} 以上（学习 {self.learn} 天）"
        en = (
            f"{self.point} {self.margin:g} above what it is at this time of day, learned in {self.learn} days"
        )
        return {"zh": zh + tail["zh"], "en": en + tail["en"]}
