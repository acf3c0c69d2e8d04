"""`rate`: how fast a point rises or falls, by a slope that single readings cannot bend. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from rules.kinds.measured import Measured
from rules.past import EPSILON, Past
from rules.texts import span

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gateway.model import Sample
    from rules.look import Calm, Look

SLOTS = 40  # 780 pairs for Theil-Sen


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate(Measured):
    """The slope over the last `window` at or beyond `limit` units in `per` seconds.

    The readings are smoothed into at most forty means; the slope is the median of all their slopes
    (Theil-Sen) or the line of least squares. A hole in the readings begins the window anew.
    """

    type: Literal["rate"] = "rate"
    window: float = 600.0
    per: float = 60.0  # seconds; `limit: 5, per: 10m` is 5 units in ten minutes
    direction: Literal["up", "down", "both"] = "up"
    method: Literal["theil_sen", "least_squares"] = "theil_sen"
    coverage: float = 0.7  # of the window that must have been seen
    slack: float = 0.0  # seconds of silence that begin the window anew; 0: three intervals, at least a tenth
    least: int = 4  # means needed

    def mistakes(self) -> Iterable[str]:
        """Yield what is wrong with window and limit."""
        yield from Measured.mistakes(self)
        if self.limit <= 0 or self.window <= 0 or self.per <= 0:
            yield "limit, window and per must be above 0; direction says up, down or both"
        if not 0 < self.coverage <= 1 or not 3 <= self.least <= SLOTS:
            yield f"coverage is above 0 and at most 1, least is 3 to {SLOTS}"

    def measure(self, look: Look, value: float) -> float | None:
        """Return the slope in units per `per`; worked out when a mean is complete."""
        memory = look.memory
        past = memory.get("past")
        if not isinstance(past, Past) or past.span != self.window:
            gap = self.slack or max(3 * look.interval, self.window / 10)
            past = memory["past"] = Past(self.window, look.interval, gap, slots=SLOTS)
        empty = not past.slots
        fresh = past.see(look.now, value)
        if empty or len(past.slots) < self.least or past.coverage < self.coverage:
            memory["slope"] = None
        elif fresh or memory.get("slope") is None:
            fitted = past.theil_sen() if self.method == "theil_sen" else past.least_squares()
            memory["slope"] = fitted * self.per
        slope: float | None = memory["slope"]
        if slope is None:
            return None
        return {"up": slope, "down": -slope, "both": abs(slope)}[self.direction]

    def calm(self, baseline: Mapping[str, float]) -> Calm | None:
        """Return a note-taker for readings that only add to a mean: the slope stays what it is."""
        del baseline
        point = self.point

        def calm(sample: Sample, memory: dict[str, Any]) -> bool:
            value, past = sample.values.get(point), memory.get("past")
            if past is None or memory.get("slope") is None or type(value) is not float or value - value:
                return False
            if sample.mono - past.slots[-1].start >= past.width - EPSILON:
                return False
            past.see(sample.mono, value)
            return True

        return calm

    def what(self) -> dict[str, str]:
        """Return it in words."""
        word = {"up": ("上升", "rise"), "down": ("下降", "fall"), "both": ("变化", "change")}[self.direction]
        return {
            "zh": f"{self.point} 每 {span(self.per)} {word[0]}（窗口 {span(self.window)}）",
            "en": f"{word[1]} of {self.point} per {span(self.per)} (window {span(self.window)})",
        }
