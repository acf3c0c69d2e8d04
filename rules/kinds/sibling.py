"""`sibling`: one of several that should be alike stands out: three phases, the cables of a cabinet. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from statistics import median
from typing import TYPE_CHECKING, Literal

from gateway.model import Quality
from rules.kinds.limit import width
from rules.kinds.measured import number_of
from rules.look import Stage, Verdict, unknown
from rules.rule import Rule
from rules.site import Asleep, devices_of
from rules.texts import delays

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rules.look import Look
    from rules.site import Inventory

MESSAGE = {
    "zh": "{place} {device}：比同组高 {value} {unit}，限值 {limit} {unit}",
    "en": "{place} {device}: {value} {unit} above its peers, limit {limit} {unit}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sibling(Rule):
    """A point `margin` or more above the median of its peers; at least `min_peers` of them must be good.

    `points`: peers are the other points of the same device. `point`: peers are the devices of the same kind
    that have it, in the same zone or as the names and patterns of `peers` say.
    """

    type: Literal["sibling"] = "sibling"
    level: int = 4
    point: str = ""
    points: tuple[str, ...] = ()
    peers: str | tuple[str, ...] = ()
    margin: float
    min_peers: int = 2
    deadband: float | str = 0.0
    on_delay: float = 0.0
    off_delay: float = 0.0
    min_samples: int = 1
    others: tuple[str, ...] = field(default=(), metadata={"yaml": False})

    def stages(self) -> tuple[Stage, ...]:
        """Return the one stage."""
        return (Stage(self.level, self.on_delay, self.off_delay, self.min_samples, self.margin),)

    def inputs(self) -> tuple[str, ...]:
        """Return the points of the own device."""
        return self.points or (self.point,)

    def watched(self) -> tuple[str, ...]:
        """Return the peers."""
        return self.others

    def reads(self) -> tuple[tuple[str, str], ...]:
        """Return the readings of the peers."""
        return tuple((name, self.point) for name in self.others)

    def mistakes(self) -> Iterable[str]:
        """Yield what is wrong with points and margin."""
        if bool(self.point) == bool(self.points):
            yield "give either point (peers are other devices) or points (peers are points of one device)"
        if self.points and (len(set(self.points)) <= self.min_peers or self.peers):
            yield f"points needs {self.min_peers + 1} different points, and no peers"
        if self.margin <= 0 or self.min_peers < 1:
            yield "margin must be above 0, min_peers at least 1"

    def bind(self, home: str, site: Inventory) -> Rule:
        """Find the peers; without enough of them the rule sleeps."""
        if self.points or home not in site:
            return self
        me = site[home]
        zone = "" if self.peers else me.zone
        found = devices_of(site, self.peers, zone) if self.peers or zone else ()
        others = tuple(
            name
            for name in found
            if name != home
            and site[name].kind == me.kind
            and ((points := site[name].points) is None or self.point in points)
        )
        if len(others) < self.min_peers:
            raise Asleep(f"{len(others)} other devices here have {self.point}, {self.min_peers} are needed")
        return replace(self, others=others)

    def judge(self, look: Look) -> Verdict | None:
        """Compare with the median of the peers."""
        own = {point: number_of(look.sample, point) for point in self.inputs()}
        good = {point: value for point, value in own.items() if isinstance(value, float)}
        if not good:
            reasons = [value for value in own.values() if isinstance(value, Quality)]
            return unknown(1, reasons[0]) if reasons else None
        excesses = []
        for point, value in good.items():
            peers = self._peers(look, good, point)
            if len(peers) >= self.min_peers:
                excesses.append(value - median(peers))
        if not excesses:
            return unknown(1, Quality.NO_ANSWER)
        slack = width(self.deadband, self.margin) if look.phases[0].live else 0.0
        return Verdict((max(excesses) >= self.margin - slack,), round(max(excesses), 6))

    def _peers(self, look: Look, good: dict[str, float], point: str) -> list[float]:
        if self.points:
            return [value for other, value in good.items() if other != point]
        if look.scene is None:
            return []
        known = (look.scene.reading(name, self.point, look.now).value for name in self.others)
        return [float(value) for value in known if value is not None and not isinstance(value, str)]

    def default_message(self, stage: Stage) -> dict[str, str]:
        """Return the excess."""
        del stage
        return MESSAGE

    def words(self) -> dict[str, str]:
        """Return it in words."""
        tail, what = delays(self.on_delay, self.off_delay, self.min_samples), "/".join(self.inputs())
        zh = f"{what} 比同组中位数高 {self.margin:g} 以上"
        en = f"{what} {self.margin:g} or more above the median of its peers"
        return {"zh": zh + tail["zh"], "en": en + tail["en"]}
