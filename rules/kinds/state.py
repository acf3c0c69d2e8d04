"""`state`: a bit or a code of an enumeration; a code nobody knows is a fault of its own. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from gateway.model import AlarmClass, Quality
from rules.look import Stage, Verdict, unknown
from rules.rule import STRICT, Rule
from rules.texts import delays

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gateway.model import Sample, Value
    from rules.look import Calm, Look


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """What one code of a `state` rule means."""

    level: int
    message: dict[str, str] | None = None

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT


@dataclass(frozen=True, slots=True, kw_only=True)
class State(Rule):
    """A bit or a code: a bool that is true, one `bit` of a number, or some `codes` of an enumeration."""

    type: Literal["state"] = "state"
    point: str
    bit: int | None = None
    codes: dict[int | str, Code] | None = None
    normal: tuple[int | str, ...] = (0, "normal")  # every other code is a fault "unknown code"
    inverted: bool = False  # for a bool or a bit: 0 is the alarm
    any_text: bool = False  # for a text: one that is not empty is the alarm, and the value it is told with
    on_delay: float = 0.0
    off_delay: float = 0.0
    min_samples: int = 1

    looks_back: ClassVar[bool] = True

    def stages(self) -> tuple[Stage, ...]:
        """Return one stage per code."""
        delays = self.on_delay, self.off_delay, self.min_samples
        if self.codes is None:
            return (Stage(self.level, *delays),)
        return tuple(Stage(code.level, *delays, None, code.message) for code in self.codes.values())

    def inputs(self) -> tuple[str, ...]:
        """Return the point."""
        return (self.point,)

    def mistakes(self) -> Iterable[str]:
        """Yield what is wrong with bit and codes."""
        if self.any_text and (self.codes is not None or self.bit is not None or self.inverted):
            yield "any_text goes with none of codes, bit and inverted"
        if self.codes is not None:
            if not self.codes:
                yield "codes is empty"
            if self.bit is not None or self.inverted:
                yield "codes goes with neither bit nor inverted"
            if both := [code for code in self.codes if code in self.normal]:
                yield f"code {both[0]} is both an alarm and normal"
        if self.bit is not None and not 0 <= self.bit < 64:
            yield f"bit {self.bit} must be 0 to 63"

    def judge(self, look: Look) -> Verdict | None:
        """Look the code up; one that is not known holds the alarm as it stands."""
        sample = look.sample
        if sample is None:
            return None
        size = 1 if self.codes is None else len(self.codes)
        value = sample.values.get(self.point)
        if value is None:
            reason = sample.bad.get(self.point)
            return None if reason is None else unknown(size, reason)
        truths = self._truths(value)
        return unknown(size, Quality.UNKNOWN_CODE, value) if truths is None else Verdict(truths, value)

    def _truths(self, value: Value) -> tuple[bool, ...] | None:
        """Return which codes stand; None when the value is none of ours."""
        if self.codes is not None:
            if value not in self.codes and value not in self.normal:
                return None
            return tuple(value == code for code in self.codes)
        if self.any_text:
            return (value != "",) if isinstance(value, str) else None
        if isinstance(value, str) or (isinstance(value, float) and not value.is_integer()):
            return None
        number = int(value)
        on = bool(number >> self.bit & 1) if self.bit is not None else number != 0
        return (on is not self.inverted,)

    def calm(self, baseline: Mapping[str, float]) -> Calm | None:
        """Return a test for "known and normal"."""
        del baseline
        point, truths = self.point, self._truths

        def calm(sample: Sample, memory: dict[str, Any]) -> bool:
            del memory
            value = sample.values.get(point)
            return value is not None and (found := truths(value)) is not None and True not in found

        return calm

    def companions(self) -> tuple[Rule, ...]:
        """Return the fault "unknown code"; a code nobody knows is never ignored."""
        if self.codes is None:
            return ()
        known = (*self.codes, *self.normal)
        return (UnknownCode(name=f"{self.name}-unknown", point=self.point, known=known),)

    def words(self) -> dict[str, str]:
        """Return the codes in words."""
        if self.codes is not None:
            what = "/".join(map(str, self.codes))
            zh, en = f"{self.point} 为 {what}", f"{self.point} is {what}"
        elif self.any_text:
            zh, en = f"{self.point} 有文字", f"{self.point} says something"
        else:
            bit = "" if self.bit is None else f".{self.bit}"
            zh = en = f"{self.point}{bit} = {0 if self.inverted else 1}"
        tail = delays(self.on_delay, self.off_delay, self.min_samples)
        return {"zh": zh + tail["zh"], "en": en + tail["en"]}


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownCode(Rule):
    """A code that its `state` rule does not know. Made by `State`, not written in YAML."""

    level: int = 0
    alarm_class: AlarmClass = AlarmClass.FAULT
    auto_ack: bool = True
    point: str
    known: tuple[int | str, ...]

    def stages(self) -> tuple[Stage, ...]:
        """Return the one stage."""
        return (Stage(self.level),)

    def inputs(self) -> tuple[str, ...]:
        """Return the point."""
        return (self.point,)

    def judge(self, look: Look) -> Verdict | None:
        """Look the code up."""
        sample = look.sample
        if sample is None:
            return None
        value = sample.values.get(self.point)
        if value is None:
            reason = sample.bad.get(self.point)
            if reason is Quality.UNKNOWN_CODE:  # not even the profile knows it
                return Verdict((True,), None, reason)
            return None if reason is None else unknown(1, reason)
        return Verdict((value not in self.known,), value)

    def calm(self, baseline: Mapping[str, float]) -> Calm | None:
        """Return a test for "known"."""
        del baseline
        point, known = self.point, frozenset(self.known)
        return lambda sample, _memory: sample.values.get(point) in known

    def words(self) -> dict[str, str]:
        """Return it in words."""
        return {"zh": f"{self.point} 为未知状态码", "en": f"{self.point} has an unknown code"}
