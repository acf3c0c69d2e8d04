"""`watchdog`: a heartbeat of a link or a peer that must be heard. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from gateway.model import AlarmClass, Quality
from rules.look import Stage, Verdict
from rules.rule import EPSILON, Rule
from rules.texts import delays, span

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rules.look import Look


@dataclass(frozen=True, slots=True, kw_only=True)
class Watchdog(Rule):
    """No beat for `within`. A beat is a good reading of the point, with `change` one that differs.

    For a peer that counts (a heartbeat register, receipts of a link, seconds of a remote clock): answering
    is not enough, the count must move. Silence of the device itself is the business of `stale`.
    """

    level: int = 0
    alarm_class: AlarmClass = AlarmClass.SYSTEM
    auto_ack: bool = True
    type: Literal["watchdog"] = "watchdog"
    point: str
    within: float
    change: bool = True
    on_delay: float = 0.0
    off_delay: float = 0.0

    timed: ClassVar[bool] = True

    def stages(self) -> tuple[Stage, ...]:
        """Return the one stage."""
        return (Stage(self.level, self.on_delay, self.off_delay),)

    def inputs(self) -> tuple[str, ...]:
        """Return the point."""
        return (self.point,)

    def mistakes(self) -> Iterable[str]:
        """Yield what is wrong with the time."""
        if self.within <= 0:
            yield "within must be longer than none"

    def judge(self, look: Look) -> Verdict | None:
        """Compare the age of the last beat; before the first one, of the start."""
        memory, sample = look.memory, look.sample
        if sample is not None:
            value = sample.values.get(self.point)
            if value is None:
                if self.point not in sample.bad:
                    return None
            elif not self.change or ("value" in memory and memory["value"] != value):
                memory["beat"] = look.now
                memory["run"] = memory.get("run", 0) + 1
            if value is not None:
                memory["value"] = value
        due = memory["beat"] + self.within
        if look.now >= due - EPSILON:
            memory["run"] = 0
            return Verdict((True,), None, Quality.NO_ANSWER)
        if look.phases[0].live and memory.get("run", 0) < self.good_confirm:
            return Verdict((True,), None, Quality.NO_ANSWER, due)
        return Verdict((False,), None, Quality.GOOD, due)

    def resume(self, kept: dict[str, Any], now: float) -> dict[str, Any]:
        """Count from the start."""
        return {**kept, "beat": now}

    def words(self) -> dict[str, str]:
        """Return it in words."""
        tail = delays(self.on_delay, self.off_delay)
        zh, en = ("未变化", "has not moved") if self.change else ("无数据", "was not heard")
        return {
            "zh": f"{self.point} 超过 {span(self.within)} {zh}{tail['zh']}",
            "en": f"{self.point} {en} for {span(self.within)}{tail['en']}",
        }
