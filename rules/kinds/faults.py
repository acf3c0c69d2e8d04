"""`stale` and `bad_data`: faults of a device that says nothing, or nothing one can believe. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from gateway.model import AlarmClass, Quality
from rules.look import Stage, Verdict
from rules.rule import EPSILON, OverRange, Rule
from rules.texts import delays, span

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gateway.model import Sample
    from rules.look import Calm, Look

UNSEEN = frozenset({Quality.NO_ANSWER, Quality.LINE_DOWN, Quality.DISABLED})
"""Nothing was read at all: the business of `stale`, not of `bad_data`."""
BEYOND = frozenset({Quality.OVER_RANGE, Quality.UNDER_RANGE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Stale(Rule):
    """No good sample for `k` effective intervals, at least `floor` seconds. Clears by good samples alone."""

    level: int = 0
    alarm_class: AlarmClass = AlarmClass.FAULT
    auto_ack: bool = True
    type: Literal["stale"] = "stale"
    point: str = ""  # "": any point of the device will do
    k: float = 3.0
    floor: float = 30.0
    on_delay: float = 0.0
    off_delay: float = 0.0

    timed: ClassVar[bool] = True

    def stages(self) -> tuple[Stage, ...]:
        """Return the one stage."""
        return (Stage(self.level, self.on_delay, self.off_delay),)

    def inputs(self) -> tuple[str, ...]:
        """Return the point, or none for the device as a whole."""
        return (self.point,) if self.point else ()

    def mistakes(self) -> Iterable[str]:
        """Yield what is wrong with k and floor."""
        if self.k < 1 or self.floor < 0:
            yield "k is at least 1 cycle and floor is not negative"

    def judge(self, look: Look) -> Verdict | None:
        """Compare the age of the last good sample; a device never seen ages from the start."""
        memory, now, stood = look.memory, look.now, look.phases[0].live
        if look.sample is not None:
            good = self._good(look.sample)
            if good is None:
                return None
            memory["run"] = memory.get("run", 0) + 1 if good else 0
            if good:
                memory["seen"], memory["good"] = True, now
        due = memory["good"] + max(self.k * look.interval, self.floor)
        note = "" if memory.get("seen") else "never_seen"
        if stood:
            back = memory.get("run", 0) >= self.good_confirm and now < due
            wake = due if due > now else None  # it stands, and time alone will not end it
            return Verdict((not back,), None, Quality.GOOD if back else Quality.NO_ANSWER, wake, note)
        if now >= due - EPSILON:
            memory["run"] = 0  # good samples from before the silence prove nothing
            return Verdict((True,), None, Quality.NO_ANSWER, None, note)
        return Verdict((False,), None, Quality.GOOD, due, note)

    def _good(self, sample: Sample) -> bool | None:
        if not self.point:
            return bool(sample.values)
        if self.point in sample.values:
            return True
        return False if self.point in sample.bad else None

    def calm(self, baseline: Mapping[str, float]) -> Calm | None:
        """Return a note-taker: a good sample only moves the deadline."""
        del baseline
        point = self.point

        def calm(sample: Sample, memory: dict[str, Any]) -> bool:
            if "seen" in memory and (point in sample.values if point else sample.values):
                memory["good"] = sample.mono
                return True
            return False

        return calm

    def keep(self, memory: dict[str, Any], now: float) -> dict[str, Any]:
        """Keep that the device was seen once."""
        del now
        return {"seen": True} if memory.get("seen") else {}

    def resume(self, kept: dict[str, Any], now: float) -> dict[str, Any]:
        """Count the age from the restart: for what happened before, nobody can vouch."""
        return {**kept, "good": now}

    def words(self) -> dict[str, str]:
        """Return it in words."""
        tail = delays(self.on_delay, self.off_delay)
        what = self.point or "reading"
        zh = f"{self.point} 超过 {self.k:g} 个周期（至少 {span(self.floor)}）无有效数据"
        en = f"no good {what} for {self.k:g} cycles, at least {span(self.floor)}"
        return {"zh": zh.strip() + tail["zh"], "en": en + tail["en"]}


@dataclass(frozen=True, slots=True, kw_only=True)
class BadData(Rule):
    """`bad` of the last `of` answers were not to be believed: sentinel, NaN, out of range, exception."""

    level: int = 0
    alarm_class: AlarmClass = AlarmClass.FAULT
    auto_ack: bool = True
    type: Literal["bad_data"] = "bad_data"
    point: str = ""  # "": every point of the device
    bad: int = 3
    of: int = 5
    off_delay: float = 0.0

    def stages(self) -> tuple[Stage, ...]:
        """Return the one stage."""
        return (Stage(self.level, 0.0, self.off_delay),)

    def inputs(self) -> tuple[str, ...]:
        """Return the point, or none for the device as a whole."""
        return (self.point,) if self.point else ()

    def mistakes(self) -> Iterable[str]:
        """Yield what is wrong with the counts."""
        if not 1 <= self.bad <= self.of <= 64:
            yield f"bad {self.bad} of {self.of}: wanted 1 <= bad <= of <= 64"

    def judge(self, look: Look) -> Verdict | None:
        """Count; an answer that never came says nothing about the data."""
        if look.sample is None:
            return None
        reason = self._reason(look.sample)
        if reason is None:
            return None
        recent = [*look.memory.get("recent", ()), reason is not Quality.GOOD][-self.of :]
        look.memory["recent"] = recent
        if look.phases[0].live:
            back = len(recent) >= self.good_confirm and not any(recent[-self.good_confirm :])
            return Verdict((not back,), None, reason)
        return Verdict((sum(recent) >= self.bad,), None, reason)

    def _reason(self, sample: Sample) -> Quality | None:
        """Return what is wrong with the answer, GOOD if nothing, None if there was none."""
        watched = [self.point] if self.point else sample.bad
        for point in watched:
            reason = sample.bad.get(point)
            if reason is None or reason in UNSEEN:
                continue
            if self.over_range is OverRange.FAULT or reason not in BEYOND:
                return reason
        answered = self.point in sample.values if self.point else bool(sample.values)
        beyond = any(sample.bad.get(point) in BEYOND for point in watched)
        return Quality.GOOD if answered or beyond else None

    def calm(self, baseline: Mapping[str, float]) -> Calm | None:
        """Return a test for "good, and so were the ones before"."""
        del baseline
        point = self.point

        def calm(sample: Sample, memory: dict[str, Any]) -> bool:
            if True in memory.get("recent", ()):
                return False
            return point in sample.values if point else bool(sample.values) and not sample.bad

        return calm

    def words(self) -> dict[str, str]:
        """Return it in words."""
        tail, of = delays(0, self.off_delay), f" of {self.point}" if self.point else ""
        zh = f"{self.point} 最近 {self.of} 次应答中 {self.bad} 次数据无效"
        en = f"{self.bad} of the last {self.of} answers{of} bad"
        return {"zh": zh.strip() + tail["zh"], "en": en + tail["en"]}
