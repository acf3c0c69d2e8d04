"""`vote`: m of n devices of a zone must agree; the first one is a pre-alarm. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from gateway.model import Quality
from rules.kinds.following import Following, moment, truths
from rules.look import Stage, Verdict
from rules.rule import EPSILON, Rule, gravity
from rules.site import Missing, Unbound, devices_of
from rules.texts import delays, span

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rules.look import Look
    from rules.rule import AlarmKey
    from rules.site import Inventory

MESSAGE = {
    "zh": "{place}：{value} 台设备同时报警",
    "en": "{place}: {value} devices in alarm together",
}


@dataclass(frozen=True, slots=True)
class Tally:
    """How the members of a vote stand."""

    votes: int
    silent: int  # they abstain: sick, out of service, in a drill
    unheard: int  # not judged since the start
    of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote(Following):
    """The rule `of` at `m` devices of a zone (or of `devices`) within `window`.

    The first member raises a pre-alarm at `pre_level`, the m-th upgrades it. A member that cannot tell, is
    out of service or in a drill abstains: then n shrinks, and with `degrade: safe` m with it (2 of 3 becomes
    1 of 2), with `available` m stays (2 of 2). Default: safe where the alarm is protected.
    """

    type: Literal["vote"] = "vote"
    of: str
    m: int = 2
    zone: str = ""
    devices: str | tuple[str, ...] = ()
    window: float = 0.0  # a member counts so long after it came back to normal
    pre_level: int | None = None
    degrade: Literal["safe", "available"] | None = None
    members: tuple[str, ...] = field(default=(), metadata={"yaml": False})

    def stages(self) -> tuple[Stage, ...]:
        """Return the vote, and the pre-alarm."""
        vote = Stage(self.level, self.on_delay, self.off_delay, 1, float(self.m))
        if self.pre_level is None:
            return (vote,)
        return (vote, Stage(self.pre_level, 0.0, self.off_delay, 1, 1.0))

    def follows(self) -> tuple[AlarmKey, ...]:
        """Return the rule at each member."""
        return tuple((name, self.of) for name in self.members)

    def mistakes(self) -> Iterable[str]:
        """Yield what is wrong with members and levels."""
        if not self.zone and not self.devices:
            yield "give a zone, devices or both"
        if self.m < 1 or self.window < 0:
            yield "m is at least 1, window is not negative"
        if self.pre_level is not None and gravity(self.pre_level) <= gravity(self.level):
            yield f"pre_level {self.pre_level} must be milder than level {self.level}"

    def bind(self, home: str, site: Inventory) -> Rule:
        """Find the members: the devices that have the rule."""
        del home
        found = devices_of(site, self.devices, self.zone)
        members = tuple(name for name in found if self._has(site, name))
        if len(members) < self.m:
            known = {rule for name in found for rule in site[name].rules or ()}
            what = f"{len(members)} of these devices have a rule '{self.of}', but m is {self.m}"
            raise Unbound([Missing("of", what, self.of, tuple(sorted(known)))])
        return replace(self, members=members)

    def _has(self, site: Inventory, name: str) -> bool:
        rules = site[name].rules
        return rules is None or self.of in rules

    def judge(self, look: Look) -> Verdict | None:
        """Count the votes; those that abstain make the vote smaller."""
        found, until = truths(look, self.follows())
        last = look.memory.setdefault("last", {})
        on = look.memory.get("on", ())
        for name, truth in zip(self.members, found, strict=True):
            if truth or name in on:  # also at the moment it falls
                last[name] = look.now
        look.memory["on"] = [name for name, truth in zip(self.members, found, strict=True) if truth]
        recent = [
            name in last and (truth is True or look.now < last[name] + self.window - EPSILON)
            for name, truth in zip(self.members, found, strict=True)
        ]
        ends = [
            last[n] + self.window for n, r, t in zip(self.members, recent, found, strict=True) if r and not t
        ]
        unheard = [look.scene is not None and look.scene.unheard(key) for key in self.follows()]
        tally = Tally(
            votes=sum(recent),
            silent=sum(t is None and not (r or u) for t, r, u in zip(found, recent, unheard, strict=True)),
            unheard=sum(u and not r for r, u in zip(recent, unheard, strict=True)),
            of=len(found),
        )
        if tally.silent == tally.of:
            return Verdict((None,) * len(look.phases), None, Quality.NO_ANSWER, moment(until))
        first = True if tally.votes else None if tally.unheard else False
        vote = self._decide(tally)
        quality = Quality.GOOD if vote is not None else Quality.NO_ANSWER
        return Verdict((vote, first)[: len(look.phases)], tally.votes, quality, moment(until, *ends))

    def _decide(self, tally: Tally) -> bool | None:
        needed = self.needed(tally.silent)
        if tally.votes >= needed:
            return True
        if tally.votes + tally.unheard >= needed and tally.unheard:
            return None  # right after a start: those who have not been heard yet are not sick
        return False if tally.of - tally.silent >= needed else None

    def needed(self, silent: int) -> int:
        """Return how many must agree while so many abstain."""
        safe = self.is_protected if self.degrade is None else self.degrade == "safe"
        return max(1, self.m - silent) if safe else self.m

    def keep(self, memory: dict[str, Any], now: float) -> dict[str, Any]:
        """Keep how long ago each member voted."""
        return {"last": {name: now - at for name, at in memory.get("last", {}).items()}}

    def resume(self, kept: dict[str, Any], now: float) -> dict[str, Any]:
        """Go on from these ages."""
        return {"last": {name: now - age for name, age in kept.get("last", {}).items()}}

    def default_message(self, stage: Stage) -> dict[str, str]:
        """Return the count."""
        del stage
        return MESSAGE

    def words(self) -> dict[str, str]:
        """Return it in words."""
        tail = delays(self.on_delay, self.off_delay)
        n = f" of {len(self.members)}" if self.members else ""
        within = (f"{span(self.window)} 内 ", f" within {span(self.window)}") if self.window else ("", "")
        zh = f"{within[0]}{len(self.members) or 'n'} 台中 {self.m} 台 {self.of}"
        return {"zh": zh + tail["zh"], "en": f"{self.of} at {self.m}{n} devices{within[1]}{tail['en']}"}
