"""`evidence`: several weak signs of one device together are a strong one. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from gateway.model import Quality
from rules.kinds.following import Following, at_least, moment, truths
from rules.look import Stage, Verdict
from rules.site import Asleep, Unbound, find_rule
from rules.texts import delays

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rules.look import Look
    from rules.rule import AlarmKey, Rule
    from rules.site import Inventory

MESSAGE = {
    "zh": "{place} {device}：{value} 项迹象同时出现",
    "en": "{place} {device}: {value} signs together",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence(Following):
    """`k` of the rules `of` the same device stand together: baseline, sibling, rate, window ...

    A rule that cannot tell counts neither way; where it would decide, this one is unknown.
    """

    type: Literal["evidence"] = "evidence"
    of: tuple[str, ...]
    k: int = 2
    home: str = field(default="", metadata={"yaml": False})

    def stages(self) -> tuple[Stage, ...]:
        """Return the one stage; its limit is the number of signs."""
        return (Stage(self.level, self.on_delay, self.off_delay, 1, float(self.k)),)

    def follows(self) -> tuple[AlarmKey, ...]:
        """Return the signs."""
        return tuple((self.home, name) for name in self.of)

    def mistakes(self) -> Iterable[str]:
        """Yield what is wrong with the numbers."""
        if not 1 <= self.k <= len(set(self.of)) == len(self.of):
            yield f"k {self.k} of {len(self.of)}: wanted 1 <= k <= the number of different rules"

    def bind(self, home: str, site: Inventory) -> Rule:
        """Leave out what is switched off or asleep; sleep when too few are left."""
        off = site[home].off if home in site else frozenset()
        of = tuple(name for name in self.of if name not in off)
        missing = [m for name in of if (m := find_rule(site, home, name, "of")) is not None]
        if missing:
            raise Unbound(missing)
        if len(of) < self.k:
            raise Asleep(f"{self.k} of its rules are needed, but only {len(of)} are in force")
        return replace(self, of=of, home=home)

    def judge(self, look: Look) -> Verdict | None:
        """Count."""
        found, until = truths(look, self.follows())
        truth, count = at_least(self.k, found), sum(t is True for t in found)
        quality = Quality.NO_ANSWER if truth is None else Quality.GOOD
        return Verdict((truth,), None if truth is None else count, quality, moment(until))

    def default_message(self, stage: Stage) -> dict[str, str]:
        """Return the count."""
        del stage
        return MESSAGE

    def words(self) -> dict[str, str]:
        """Return it in words."""
        tail, names = delays(self.on_delay, self.off_delay), ", ".join(self.of)
        zh, en = f"{names} 中 {self.k} 项同时成立", f"{self.k} of {names} together"
        return {"zh": zh + tail["zh"], "en": en + tail["en"]}
