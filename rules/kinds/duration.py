"""`duration`: a session that lasts too long, as a battery that is charged all night. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from gateway.model import Quality
from rules.kinds.measured import number_of
from rules.look import Stage, Verdict, unknown
from rules.rule import EPSILON, STRICT, Rule
from rules.session import KEEP_EVERY, Course, kept
from rules.texts import span

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gateway.model import Sample
    from rules.look import Calm, Look

HOUR = 3600.0
MESSAGE = {
    "zh": "{place} {device}：已持续 {value} h，上限 {limit} h",
    "en": "{place} {device}: on for {value} h, limit {limit} h",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One line of `levels`: how long until which level."""

    after: float
    level: int
    message: dict[str, str] | None = None

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT


@dataclass(frozen=True, slots=True, kw_only=True)
class Float:
    """The end of a charge: below a current, but not off, for too long."""

    below: float
    after: float
    level: int
    message: dict[str, str] | None = None

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration(Rule):
    """A session longer than `after`. It begins at `above` for `start_for`, ends below `below` for `end_for`.

    Its time survives restarts and edited limits; a hole in the readings up to `gap` belongs to it. Over a
    longer one a standing alarm keeps its session, any other session begins anew.
    """

    type: Literal["duration"] = "duration"
    point: str
    above: float
    below: float | None = None  # None: as above
    start_for: float = 30.0
    end_for: float = 60.0
    gap: float = 300.0
    levels: tuple[Span, ...] = ()
    float_stage: Float | None = None

    keep_every: ClassVar[float] = KEEP_EVERY

    @property
    def course(self) -> Course:
        """When a session is one."""
        below = self.above if self.below is None else self.below
        return Course(
            above=self.above, below=below, start_for=self.start_for, end_for=self.end_for, gap=self.gap
        )

    def stages(self) -> tuple[Stage, ...]:
        """Return one stage per level, limits in hours."""
        found = [Stage(x.level, limit=x.after / HOUR, message=x.message) for x in self.levels]
        if (x := self.float_stage) is not None:
            found.append(Stage(x.level, limit=x.after / HOUR, message=x.message))
        return tuple(found) or (Stage(self.level),)

    def inputs(self) -> tuple[str, ...]:
        """Return the point."""
        return (self.point,)

    def mistakes(self) -> Iterable[str]:
        """Yield what is wrong with the times."""
        yield from self.course.mistakes()
        if not self.levels and self.float_stage is None:
            yield "give levels, float_stage or both"
        if any(x.after <= 0 for x in self.levels) or (self.float_stage and self.float_stage.after <= 0):
            yield "after must be longer than none"
        if self.float_stage and self.float_stage.below <= self.course.below:
            yield "float_stage.below must be more than where the session ends"

    def judge(self, look: Look) -> Verdict | None:
        """Take in a reading; compare the time so far."""
        value, memory = number_of(look.sample, self.point), look.memory
        if value is None or isinstance(value, Quality):
            return None if value is None else unknown(len(look.phases), value)
        memory["of"] = self.point
        stood = any(phase.live for phase in look.phases)
        credit = self.course.step(memory, value, look, hold=stood)
        total = memory.get("total", 0.0) if memory.get("open") else 0.0
        truths = [bool(memory.get("open")) and total >= x.after - EPSILON for x in self.levels]
        if (x := self.float_stage) is not None:
            floating = bool(memory.get("open")) and value < x.below
            if floating:
                memory["float"] = memory["float"] + credit if "float" in memory else 0.0
            else:
                memory.pop("float", None)
            truths.append(floating and memory["float"] >= x.after - EPSILON)
        return Verdict(tuple(truths), round(total / HOUR, 2))

    def calm(self, baseline: Mapping[str, float]) -> Calm | None:
        """Return a note-taker for "nothing is going on"."""
        del baseline
        point, above = self.point, self.above

        def calm(sample: Sample, memory: dict[str, Any]) -> bool:
            value = sample.values.get(point)
            if memory.get("open") or "mono" not in memory or type(value) is not float or not value < above:
                return False
            memory.pop("up", None)
            memory["mono"] = sample.mono
            return True

        return calm

    def keep(self, memory: dict[str, Any], now: float) -> dict[str, Any]:
        """Keep the session."""
        del now
        return kept(memory)

    def adopt(self, kept: dict[str, Any]) -> dict[str, Any]:
        """Go on with the session when its limit is edited."""
        return dict(kept) if kept.get("of") == self.point else {}

    def default_message(self, stage: Stage) -> dict[str, str]:
        """Return the hours."""
        del stage
        return MESSAGE

    def words(self) -> dict[str, str]:
        """Return it in words."""
        zh = [f"超过 {span(x.after)}" for x in self.levels]
        en = [f"longer than {span(x.after)}" for x in self.levels]
        if (x := self.float_stage) is not None:
            zh.append(f"低于 {x.below:g} 超过 {span(x.after)}")
            en.append(f"below {x.below:g} for {span(x.after)}")
        start = f"{self.point} ≥ {self.above:g}"
        return {"zh": f"{start} 的时段{'，'.join(zh)}", "en": f"session of {start} {', '.join(en)}"}
