"""`window`: mean, extremes, scatter, percentile, count or step of a point over the last minutes. Pure."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from rules.kinds.measured import Measured
from rules.past import Past
from rules.texts import span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from gateway.model import Sample
    from rules.look import Calm, Look

STATS = ("mean", "min", "max", "sd", "count_above", "step")
PERCENTILE = re.compile(r"p(\d{1,2})")
RECENT = 3  # readings that a step is judged by: a single wild one is none
WORDS = {
    "mean": ("均值", "mean"),
    "min": ("最小值", "least"),
    "max": ("最大值", "greatest"),
    "sd": ("标准差", "standard deviation"),
    "count_above": ("超过阈值的次数", "readings above the threshold"),
    "step": ("阶跃 %", "step in %"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Window(Measured):
    """A statistic of the last `window` beyond a limit; less than `coverage` of it seen is unknown.

    All are weighted by time. `count_above` counts readings at or above `threshold`. `step` is by how many
    percent the last three readings are above what was steady before them (its scatter at most `steady`,
    its height at least `threshold`): a jump, but not the ramp of something that is being switched on.
    """

    type: Literal["window"] = "window"
    stat: str = "mean"  # mean, min, max, sd, count_above, step, or a percentile such as p95
    window: float = 600.0
    coverage: float = 0.7
    when: Literal["above", "below"] = "above"
    threshold: float | None = None
    steady: float = 0.05  # of the height before the step

    def downward(self) -> bool:
        """Return whether below is the alarm."""
        return self.when == "below"

    def mistakes(self) -> Iterable[str]:
        """Yield what is wrong with statistic and window."""
        yield from Measured.mistakes(self)
        if self.stat not in STATS and not PERCENTILE.fullmatch(self.stat):
            yield f"stat {self.stat!r} is none of {', '.join(STATS)}, nor a percentile such as p95"
        if self.stat == "count_above" and self.threshold is None:
            yield "count_above needs a threshold"
        if self.window <= 0 or not 0 < self.coverage <= 1 or self.steady <= 0:
            yield "window and steady must be above 0, coverage above 0 and at most 1"

    def measure(self, look: Look, value: float) -> float | None:
        """Return the statistic."""
        past = look.memory.get("past")
        if not isinstance(past, Past) or past.span != self.window:
            threshold = math.inf if self.threshold is None else self.threshold
            past = Past(self.window, look.interval, max(3 * look.interval, self.window / 10), threshold)
            look.memory["past"] = past
        past.see(look.now, value)
        if past.coverage < self.coverage:
            return None
        return self._statistic(past)

    def _statistic(self, past: Past) -> float | None:
        simple: dict[str, Callable[[], float | None]] = {
            "mean": past.mean,
            "min": lambda: min(slot.low for slot in past.slots),
            "max": lambda: max(slot.high for slot in past.slots),
            "sd": past.deviation,
            "count_above": lambda: float(sum(slot.above for slot in past.slots)),
            "step": lambda: self._step(past),
        }
        found = simple.get(self.stat)
        return found() if found is not None else past.percentile(int(self.stat[1:]) / 100)

    def _step(self, past: Past) -> float | None:
        """Return the step in percent; 0 when there was nothing steady to step up from."""
        if len(past.slots) < 2 * RECENT:
            return None
        now, before, scatter = past.step(RECENT)
        if before <= max(self.threshold or 0.0, 0.0) or scatter > self.steady * before:
            return 0.0
        return (now / before - 1) * 100

    def calm(self, baseline: Mapping[str, float]) -> Calm | None:
        """Return a note-taker for a step of something that is switched off; none for the others."""
        del baseline
        if self.stat != "step" or self.when == "below" or self.limit <= 0 or not self.threshold:
            return None
        point, threshold = self.point, self.threshold

        def calm(sample: Sample, memory: dict[str, Any]) -> bool:
            value, past = sample.values.get(point), memory.get("past")
            if past is None or type(value) is not float or not value <= threshold:
                return False
            if (
                past.coverage < self.coverage
                or len(past.slots) < 2 * RECENT
                or past.slots[-1].high > threshold
            ):
                return False
            past.see(sample.mono, value)
            return bool(len(past.slots) > 1)

        return calm

    def what(self) -> dict[str, str]:
        """Return it in words."""
        zh, en = WORDS.get(self.stat, (f"{self.stat[1:]}% 分位", f"{self.stat[1:]} % percentile"))
        return {
            "zh": f"{self.point} 在 {span(self.window)} 内的{zh}",
            "en": f"{en} of {self.point} over {span(self.window)}",
        }
