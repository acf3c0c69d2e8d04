"""`stuck`: a sensor that always says the same, though what it measures cannot stand still. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from gateway.model import AlarmClass, Quality
from rules.kinds.measured import number_of
from rules.look import Stage, Verdict, unknown
from rules.rule import EPSILON, STRICT, Rule
from rules.texts import delays, span

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rules.look import Look


@dataclass(frozen=True, slots=True, kw_only=True)
class While:
    """Only while another point is at or above a number: energy must rise while current flows."""

    point: str
    above: float

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuck(Rule):
    """`samples` readings, or all of `during`, exactly alike. At `rest` values nothing is concluded.

    Not in any preset: only the site knows which points are never still.
    """

    level: int = 0
    alarm_class: AlarmClass = AlarmClass.FAULT
    auto_ack: bool = True
    type: Literal["stuck"] = "stuck"
    point: str
    samples: int = 0
    during: float = 0.0
    rest: tuple[float, ...] = (0.0,)
    only: While | None = None
    off_delay: float = 0.0

    def stages(self) -> tuple[Stage, ...]:
        """Return the one stage."""
        return (Stage(self.level, 0.0, self.off_delay),)

    def inputs(self) -> tuple[str, ...]:
        """Return the points."""
        return (self.point,) if self.only is None else (self.point, self.only.point)

    def mistakes(self) -> Iterable[str]:
        """Yield what is wrong with the counts."""
        if (self.samples > 0) == (self.during > 0):
            yield "give either samples or during"
        if self.samples == 1 or self.samples < 0 or self.during < 0:
            yield "samples is at least 2, during is above 0"

    def judge(self, look: Look) -> Verdict | None:
        """Count how long nothing moved; a reading that cannot be believed proves nothing either way."""
        memory, value = look.memory, number_of(look.sample, self.point)
        if value is None or isinstance(value, Quality):
            return None if value is None else unknown(1, value)
        if self.only is not None:
            other = number_of(look.sample, self.only.point)
            if other is None or isinstance(other, Quality):
                return unknown(1, other or Quality.NO_ANSWER)
            if other < self.only.above:
                memory.clear()
                return Verdict((False,), value)
        if value in self.rest or memory.get("value") != value:
            memory.update(value=value, count=1, since=look.now)
            return Verdict((False,), value)
        memory["count"] += 1
        enough = memory["count"] >= self.samples if self.samples else self._long(look)
        return Verdict((enough,), value)

    def _long(self, look: Look) -> bool:
        return bool(look.now - look.memory["since"] >= self.during - EPSILON)

    def words(self) -> dict[str, str]:
        """Return it in words."""
        tail = delays(0, self.off_delay)
        zh = f"{self.samples} 次" if self.samples else span(self.during)
        en = f"{self.samples} times" if self.samples else f"for {span(self.during)}"
        only_zh = "" if self.only is None else f"（{self.only.point} ≥ {self.only.above:g} 时）"
        only_en = "" if self.only is None else f" while {self.only.point} >= {self.only.above:g}"
        return {
            "zh": f"{self.point} 读数 {zh}不变{only_zh}{tail['zh']}",
            "en": f"{self.point} exactly the same {en}{only_en}{tail['en']}",
        }
