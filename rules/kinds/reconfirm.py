"""`reconfirm`: a detector that alarms a second time within a minute: verification of a single one. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from gateway.model import AlarmClass, Quality
from rules.kinds.following import FOREVER, Following, moment, truths
from rules.look import Verdict
from rules.rule import EPSILON, Rule
from rules.site import Missing, Unbound, find_rule
from rules.texts import span

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rules.look import Look
    from rules.rule import AlarmKey
    from rules.site import Inventory

LONGEST = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconfirm(Following):
    """The alarm `of` the same device again, or still, after `blind` and within `window` of the first one.

    With `again` it must have been off in between: for detectors that hold their alarm until somebody resets
    them. The first alarm is told by its own rule, as a pre-alarm. Never for gas, nor for manual call points:
    there the first one is the alarm.
    """

    type: Literal["reconfirm"] = "reconfirm"
    level: int = 1
    of: str
    blind: float = 8.0
    window: float = LONGEST
    again: bool = False
    home: str = field(default="", metadata={"yaml": False})

    def follows(self) -> tuple[AlarmKey, ...]:
        """Return the alarm that is to be confirmed."""
        return ((self.home, self.of),)

    def mistakes(self) -> Iterable[str]:
        """Yield what is wrong with class and times."""
        if self.alarm_class is AlarmClass.GAS:
            yield "gas is never verified: the first alarm is the alarm"
        if not 0 <= self.blind < self.window <= LONGEST:
            yield f"wanted 0 <= blind < window <= {LONGEST:g} s"

    def bind(self, home: str, site: Inventory) -> Rule:
        """Find the alarm; refuse one of class gas."""
        missing = find_rule(site, home, self.of, "of")
        if missing is not None:
            raise Unbound([missing])
        rules = site[home].rules or {}
        if self.of in rules and rules[self.of].alarm_class is AlarmClass.GAS:
            raise Unbound([Missing("of", f"{self.of} is of class gas, which is never verified")])
        return replace(self, home=home)

    def judge(self, look: Look) -> Verdict | None:
        """Follow the first alarm, the blind time and the window."""
        (truth,), until = truths(look, self.follows())
        memory, now = look.memory, look.now
        if truth is None:
            return Verdict((None,), None, Quality.NO_ANSWER, moment(until))
        if memory.get("confirmed") and truth:
            return Verdict((True,))
        first = memory.get("first")
        if memory.pop("confirmed", False) or (first is not None and now >= first + self.window - EPSILON):
            first = None
            memory.clear()
        if first is None:
            if truth:
                memory.update(first=now, off=False)
                return Verdict((False,), None, Quality.GOOD, now + self.blind)
            return Verdict((False,), None, Quality.GOOD, moment(until))
        if not truth:
            memory["off"] = True
        elif now >= first + self.blind - EPSILON and (memory["off"] or not self.again):
            memory["confirmed"] = True
            return Verdict((True,))
        waiting = first + self.blind if now < first + self.blind - EPSILON else FOREVER
        return Verdict((False,), None, Quality.GOOD, moment(until, waiting, first + self.window))

    def keep(self, memory: dict[str, Any], now: float) -> dict[str, Any]:
        """Keep the age of the first alarm."""
        return {**memory, "first": now - memory["first"]} if "first" in memory else {}

    def resume(self, kept: dict[str, Any], now: float) -> dict[str, Any]:
        """Go on from that age."""
        return {**kept, "first": now - kept["first"]} if "first" in kept else {}

    def words(self) -> dict[str, str]:
        """Return it in words."""
        times = span(self.blind), span(self.window)
        return {
            "zh": f"{self.of} 首次报警 {times[0]} 后、{times[1]} 内再次报警",
            "en": f"{self.of} again {times[0]} to {times[1]} after the first time",
        }
