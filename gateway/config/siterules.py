"""The site's own rules (`rules:` of the site file): votes, expressions, rules for many devices at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.config.bind import not_there
from gateway.config.fields import NAME
from gateway.config.report import describe
from gateway.config.rule import read_rule
from gateway.faults import specs
from gateway.language import say
from rules.kinds.expr import SELF, Expr
from rules.kinds.vote import Vote
from rules.rule import Rule
from rules.site import Member, Unbound, devices_of, find_point, home_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gateway.config.bind import Binder
    from gateway.config.report import Path, Place, Report
    from gateway.config.settings import DeviceSettings
    from rules.site import Inventory

WHERE = ("devices", "zone")


def inventory(devices: Iterable[DeviceSettings], lines: Iterable[str]) -> Inventory:
    """Return what rules may name: devices, gateway, lines. `Binder` adds the rules of the devices."""
    found: Inventory = {
        d.name: Member(d.profile.kind, d.zone, frozenset(d.profile.reported), {}, frozenset(d.rules_off))
        for d in devices
    }
    for spec in specs(lines):
        points, rules = set[str](), dict[str, Rule]()
        if (known := found.get(spec.device)) is not None:
            points, rules = set(known.points or ()), dict(known.rules or {})
        points.update(spec.rule.inputs())
        rules[spec.rule.name] = spec.rule
        found[spec.device] = Member("gateway", "", frozenset(points), rules, real=False)
    return found


class SiteRules:
    """Reads the block, and puts each rule where it lives."""

    def __init__(self, site: Inventory, binder: Binder, report: Report) -> None:
        self._site, self._binder, self._report = site, binder, report

    def read(self, block: Mapping[Any, Any], place: Place) -> None:
        """Take in the whole block; every mistake goes into the report."""
        for name, data in block.items():
            self.read_one(str(name), data, place, ("rules", str(name)))

    def read_one(self, name: str, data: object, place: Place, path: Path) -> None:
        """Take in one rule."""
        if not isinstance(data, dict) or data.get("type") == "vote":
            rest, where = data, {}
        else:
            rest = {key: value for key, value in data.items() if key not in WHERE}
            where = {key: value for key, value in data.items() if key in WHERE}
        rule = read_rule(name, rest, place, path, self._report)
        if rule is None:
            return
        if isinstance(rule, Vote) or (isinstance(rule, Expr) and not where):
            self._place_one(rule, place, path)
        else:
            self._spread(rule, where, place, path)

    def _place_one(self, rule: Rule, place: Place, path: Path) -> None:
        """Put a rule of the whole site, or of a zone, under its home."""
        if rule.off:
            zh = f"站点：规则 {rule.name} 已停用：{rule.off}"
            self._report.note(say(zh, f"site: rule {rule.name} is off: {rule.off}"))
            return
        zone = rule.zone if isinstance(rule, Vote) else ""
        if zone and not NAME.fullmatch(zone):
            zh = f"分区要有自己的规则，名称只能用小写字母、数字和单个连字符，现在是 {describe(zone)}"
            en = "a zone with rules of its own needs a name of small letters, digits and single hyphens"
            self._report.add(place, (*path, "zone"), say(zh, f"{en}, not {describe(zone)}"))
            return
        self._binder.add(home_of(zone), rule, place, path)

    def _spread(self, rule: Rule, data: Mapping[str, Any], place: Place, path: Path) -> None:
        """Put a rule for many devices at each of them."""
        devices, zone = data.get("devices", ()), data.get("zone", "")
        names = (devices,) if isinstance(devices, str) else devices
        if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
            zh = "必须是设备名、通配写法（例如 pile-*）或列表"
            en = "must be a name, a pattern such as pile-*, or a list"
            self._report.add(place, (*path, "devices"), say(zh, en))
            return
        if not isinstance(zone, str) or not (names or zone):
            zh = "要写明用于哪些设备：给出 devices（名称或通配写法）、zone，或两者都给"
            en = "say for which devices: give devices (names or patterns), zone or both"
            self._report.add(place, path, say(zh, en), key=True)
            return
        try:
            homes = devices_of(self._site, tuple(names), zone)
        except Unbound as error:
            for missing in error.missing:
                self._report.add(place, (*path, missing.key), not_there(missing))
            return
        for home in homes:
            for point in rule.inputs():
                if (wrong := find_point(self._site, home, point, "point")) is not None:
                    self._report.add(place, (*path, "point"), not_there(wrong))
            if not rule.off:
                self._binder.add(home, rule, place, path)


def lives_at_site(rule: Rule) -> bool:
    """Return whether a rule is about the site as a whole, not about the device it is written at."""
    return isinstance(rule, Vote) or (
        isinstance(rule, Expr) and not any(name.device == SELF for name in rule.names())
    )
