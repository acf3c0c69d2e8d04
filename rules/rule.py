"""What every rule has in common: levels with their delays, class, latch, what to do on bad input. Pure."""

from __future__ import annotations

import string
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

from gateway.model import AlarmClass

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Mapping

    from rules.look import Calm, Look, Stage, Verdict
    from rules.site import Inventory

COLOURS = {
    0: {"zh": "故障", "en": "fault"},
    1: {"zh": "红", "en": "red"},
    2: {"zh": "橙", "en": "orange"},
    3: {"zh": "黄", "en": "yellow"},
    4: {"zh": "蓝", "en": "blue"},
}
PLACEHOLDERS = frozenset({"value", "limit", "unit", "device", "place"})
LATCHING = frozenset({AlarmClass.GAS, AlarmClass.ELECTRICAL})  # at level 1
EPSILON = 1e-6  # seconds: a delay of 10 s is complete at 9.9999999 s of float arithmetic
FAULTS = frozenset({AlarmClass.FAULT, AlarmClass.SYSTEM})
STRICT: dict[str, object] = {"extra": "forbid"}
"""For pydantic, which is met only in gateway/config: an unknown key is a mistake."""


class OnBad(StrEnum):
    """What bad input means to a rule (alarms.md 3.6). Nothing here says "clear"."""

    HOLD = "hold"
    ALARM = "alarm"  # a loop that fails safe: true after `bad_alarm_delay`


class OverRange(StrEnum):
    """What a reading beyond the valid range, in the direction of the alarm, means to a rule."""

    ALARM = "alarm"  # gas: the sensor is full of it; latches, because rich gas can read low again
    FAULT = "fault"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A condition on points of one device, with what becomes of it. Base of all rule types.

    Delays in seconds. The texts of `message` may name {value} {limit} {unit} {device} {place}.
    """

    name: str = ""  # kebab-case; the key in the YAML mapping
    level: int = 3  # 1 red, 2 orange, 3 yellow, 4 blue; 0 is a fault, beside the colours
    alarm_class: AlarmClass = AlarmClass.SUPERVISORY  # YAML key: class
    latch: bool | None = None  # None: as usual for the class and level
    on_bad: OnBad = OnBad.HOLD
    bad_alarm_delay: float = 10.0
    over_range: OverRange = OverRange.FAULT
    good_confirm: int = 2  # good samples after bad ones until the input is believed to be normal
    auto_ack: bool = False  # never for level 1 and 2
    protected: bool | None = None  # None: as usual for the class
    chatter_hold: bool = True  # what comes and goes too often is held (alarms.md 5.2); never fire and gas
    message: dict[str, str] | None = None
    source: str = ""  # the clause this rule comes from
    off: str = ""  # a reason: the rule is switched off, and `tocsin check` says so

    timed: ClassVar[bool] = False  # judged by the clock as well: silence is its input
    wide: ClassVar[bool] = (
        False  # fed with what others say: the devices of `watched`, the alarms of `follows`
    )
    looks_back: ClassVar[bool] = False  # one reading decides: one of the past can be judged as well
    keep_every: ClassVar[float] = 0.0  # seconds of memory a crash may cost; 0: the memory is not kept
    # For pydantic, which is met only in gateway/config: `class` cannot be a field name in Python.
    __pydantic_config__: ClassVar[dict[str, object]] = {
        "extra": "forbid",
        "alias_generator": lambda name: "class" if name == "alarm_class" else name,
    }

    def __post_init__(self) -> None:
        """Refuse what could never work, all mistakes at once."""
        if mistakes := [*self._common_mistakes(), *self.mistakes()]:
            raise ValueError("; ".join(mistakes))

    # What a rule type says about itself.

    def stages(self) -> tuple[Stage, ...]:
        """Return the levels, each with its timers; exactly one truth per stage in every verdict."""
        raise NotImplementedError

    def inputs(self) -> tuple[str, ...]:
        """Return the points it reads; empty: any point of the device."""
        raise NotImplementedError

    def judge(self, look: Look) -> Verdict | None:
        """Judge the input; None when it has nothing to do with this rule."""
        raise NotImplementedError

    def words(self) -> dict[str, str]:
        """Return the condition in words, in Chinese and English."""
        raise NotImplementedError

    def default_message(self, stage: Stage) -> dict[str, str]:
        """Return the text of the alarm where the site gave none."""
        del stage
        words = {language: text.replace("{", "").replace("}", "") for language, text in self.words().items()}
        return {"zh": "{place} {device}：" + words["zh"], "en": "{place} {device}: " + words["en"]}

    def mistakes(self) -> Iterable[str]:
        """Yield what is wrong with the settings of this type."""
        return ()

    def calm(self, baseline: Mapping[str, float]) -> Calm | None:
        """Return a cheap test that says "good and plainly normal", for an alarm at rest; None: has none."""
        del baseline
        return None

    def companions(self) -> tuple[Rule, ...]:
        """Return the faults that come with this rule."""
        return ()

    def keep(self, memory: dict[str, Any], now: float) -> dict[str, Any]:
        """Return what of the memory survives a restart, as JSON without monotonic times."""
        del memory, now
        return {}

    def resume(self, kept: dict[str, Any], now: float) -> dict[str, Any]:
        """Return the memory after a restart (`kept`), or a new one (`kept` empty)."""
        del now
        return dict(kept)

    def adopt(self, kept: dict[str, Any]) -> dict[str, Any]:
        """Return what this rule can still use of the memory kept by the same rule with other settings."""
        del kept
        return {}

    # Rules that look at more than one device.

    def watched(self) -> tuple[str, ...]:
        """Return the devices, beside its own, whose readings it looks at."""
        return ()

    def follows(self) -> tuple[AlarmKey, ...]:
        """Return the alarms it looks at: it is judged when one of them comes, goes or becomes unknown."""
        return ()

    def reads(self) -> tuple[tuple[str, str], ...]:
        """Return the readings of others it looks at, as (device, point): they are to be read often enough."""
        return ()

    def bind(self, home: str, site: Inventory) -> Rule:
        """Return the rule with its names looked up in the site. Raises Unbound, Asleep."""
        del home, site
        return self

    # What follows from the settings.

    @property
    def worst_level(self) -> int:
        """The gravest level this rule can reach."""
        return min((s.level for s in self.stages()), key=gravity)

    @property
    def is_protected(self) -> bool:
        """Whether nobody may hide it but by formal disablement (alarms.md 2)."""
        if self.protected is not None:
            return self.protected
        return usually_protected(self.alarm_class, self.worst_level)

    def latches(self, worst: int) -> bool:
        """Return whether an occurrence that reached level `worst` waits for a manual reset."""
        if self.latch is not None:
            return self.latch
        return self.alarm_class is AlarmClass.FIRE or (self.alarm_class in LATCHING and worst == 1)

    def _common_mistakes(self) -> Iterable[str]:
        levels = {self.level, *(s.level for s in self.stages())}
        if wrong := sorted(levels - set(COLOURS)):
            yield f"level {wrong[0]}: must be 1 (red) to 4 (blue), or 0 for a fault"
        if any(s.on_delay < 0 or s.off_delay < 0 for s in self.stages()) or self.bad_alarm_delay < 0:
            yield "a delay cannot be negative"
        if any(s.min_samples < 1 for s in self.stages()) or self.good_confirm < 1:
            yield "min_samples and good_confirm are at least 1"
        if self.auto_ack and levels & {1, 2}:
            yield "auto_ack is not allowed for level 1 or 2: somebody must look"
        if self.protected is False and usually_protected(self.alarm_class, self.worst_level):
            yield f"class {self.alarm_class}, level {self.worst_level} is always protected"
        for text in [self.message, *(s.message for s in self.stages())]:
            if text is not None:
                yield from message_mistakes(text)


def gravity(level: int) -> int:
    """Return the rank of a level, smaller is graver; a fault (0) ranks behind blue (4)."""
    return level or 5


def usually_protected(alarm_class: AlarmClass, worst: int) -> bool:
    """Return whether class and level belong to the life-safety set."""
    always = alarm_class in {AlarmClass.FIRE, AlarmClass.GAS}
    return always or (alarm_class is AlarmClass.ELECTRICAL and worst == 1)


def message_mistakes(text: Mapping[str, str]) -> Iterable[str]:
    """Yield what is wrong with a message."""
    if set(text) != {"zh", "en"}:
        yield f"message needs zh and en, not {', '.join(sorted(text)) or 'nothing'}"
    for language, template in text.items():
        try:
            names = {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}
        except ValueError as error:
            yield f"message.{language}: {error}"
            continue
        if unknown := sorted(names - PLACEHOLDERS):
            yield f"message.{language}: {{{unknown[0]}}} is not one of {', '.join(sorted(PLACEHOLDERS))}"


@dataclass(frozen=True, slots=True)
class Context:
    """Where a rule is applied: what the texts need, and how often the point is read."""

    unit: str = ""
    place: Mapping[str, str] = field(default_factory=dict)  # {"zh": ..., "en": ...}
    interval: float = 1.0  # seconds between two samples of these points, as configured
    baseline: Mapping[str, float] = field(default_factory=dict)  # installed values, for `deviation`
    zone: dt.tzinfo | None = None  # local time, for `schedule` and `baseline`; None: UTC


@dataclass(frozen=True, slots=True)
class AlarmSpec:
    """One alarm of the site: a rule at a device."""

    device: str
    rule: Rule
    context: Context = field(default_factory=Context)

    @property
    def key(self) -> AlarmKey:
        """The name of the alarm, for good."""
        return (self.device, self.rule.name)


AlarmKey = tuple[str, str]
"""(device, rule)."""


def with_companions(specs: Iterable[AlarmSpec]) -> Iterator[AlarmSpec]:
    """Yield the alarms and the faults that come with them, without those that are switched off."""
    for spec in specs:
        if not spec.rule.off:
            yield spec
            for companion in spec.rule.companions():
                yield AlarmSpec(spec.device, companion, spec.context)
