"""Makes rules of what profiles and sites write: defaults merged with what the site tightens."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from gateway.config.report import Path, Place, Report, describe, must_be, must_be_name, suggest
from gateway.config.validate import Shape
from gateway.language import say
from rules.conditions import KINDS, Limit, kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.profile import Profile
    from rules.rule import Rule

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
NEW = frozenset({"type", "point", "points"})  # without any of them, it is meant to change a shipped rule
SIDES = {"above": "高于", "below": "低于"}
NO_REASON = frozenset({"", "yes", "no", "true", "false", "on", "off", "是", "否"})


@cache
def shape(kind: str) -> Shape[Rule]:
    """Return the form of one rule type."""
    return Shape(kind_of(kind))


def read_rule(name: str, data: object, place: Place, path: Path, report: Report) -> Rule | None:
    """Make one rule of its YAML; None after all its mistakes went into the report."""
    if not NAME.fullmatch(name):
        report.add(place, path, must_be_name(limited=False), key=True)
        return None
    if not isinstance(data, dict):
        report.add(place, path, must_be("一组键", "a block of keys", data))
        return None
    kind = data.get("type", "limit")
    if not isinstance(kind, str) or kind not in KINDS:
        what = say(f"没有规则类型 {describe(kind)}", f"there is no rule type {describe(kind)}")
        report.add(place, (*path, "type"), what + suggest(kind, KINDS))
        return None
    return shape(kind).read(data, place, path, report, name=name)


@dataclass(frozen=True, slots=True)
class Merged:
    """The rules of one device: those in force, and why the others are not."""

    rules: tuple[Rule, ...]
    off: Mapping[str, str]
    notes: tuple[str, ...] = ()


class RuleBook:
    """Merges the rules of profiles with what sites say. A profile's own rules are made only once."""

    def __init__(self) -> None:
        self._defaults: dict[tuple[str, str], Rule | None] = {}

    def merge(
        self,
        profile: str,
        shipped: Mapping[str, Mapping[str, Any]],
        site: Mapping[str, dict[str, Any]],
        place: Place,
        path: Path,
        report: Report,
        written: Mapping[str, str] = MappingProxyType({}),
    ) -> Merged:
        """Return the rules of a device: `shipped` by its profile, changed by its `site` block at `path`.

        `written`: the names in that block of rules that it calls otherwise, one for all ports.
        """
        rules: list[Rule] = []
        off: dict[str, str] = {}
        notes: list[str] = []
        for name, data in {**{n: {} for n in shipped}, **site}.items():
            default = self._default(profile, name, shipped[name]) if name in shipped else None
            if name not in shipped and not NEW & data.keys():
                what = say(f"型号 {profile} 没有这条规则", f"profile {profile} has no such rule")
                report.add(place, (*path, name), what + suggest(name, shipped), key=True)
                continue
            if not data:
                rule = default
            else:
                merged = {**shipped.get(name, {}), **data}
                where = (*path, written.get(name, name))
                rule = read_rule(name, merged, place, where, report)
                if rule is not None and not _reasoned(rule, data, place, where, report):
                    continue
            if rule is None:
                continue
            if rule.off:
                off[name] = rule.off
            else:
                rules.append(rule)
                notes += [say(f"{name}：{zh}", f"{name}: {en}") for zh, en in _loosened(default, rule)]
        return Merged(tuple(rules), off, tuple(notes))

    def _default(self, profile: str, name: str, data: Mapping[str, Any]) -> Rule | None:
        key = profile, name
        if key not in self._defaults:
            self._defaults[key] = read_rule(name, dict(data), _Nowhere(), (), Report())
        return self._defaults[key]


def _reasoned(rule: Rule, data: Mapping[str, Any], place: Place, path: Path, report: Report) -> bool:
    if "off" not in data or rule.off.strip().lower() not in NO_REASON:
        return True
    zh = '停用规则要写明原因，例如 off: "此型号未装该传感器"'
    en = 'a rule is switched off with a reason: off: "sensor not fitted in this model"'
    report.add(place, (*path, "off"), say(zh, en))
    return False


def _loosened(default: Rule | None, rule: Rule) -> list[tuple[str, str]]:
    """Say where a site waits for more than its profile does: allowed, but never silent."""
    if default is None or default is rule or not isinstance(default, Limit) or not isinstance(rule, Limit):
        return []
    found: list[tuple[str, str]] = []
    old, new = default.limit, rule.limit
    if old is not None and new is not None:
        looser = new > old if rule.when == "above" else new < old
        if looser or rule.when != default.when:
            zh = f"限值“{SIDES[rule.when]} {new:g}”比型号的“{SIDES[default.when]} {old:g}”宽松"
            en = f"limit {rule.when} {new:g} is looser than the profile's {default.when} {old:g}"
            found.append((zh, en))
    if rule.on_delay > default.on_delay:
        zh = f"on_delay {rule.on_delay:g} s 比型号的 {default.on_delay:g} s 长"
        en = f"on_delay {rule.on_delay:g} s is longer than the profile's {default.on_delay:g} s"
        found.append((zh, en))
    return found


class _Nowhere:
    """The place of something whose mistakes were told already."""

    file = ""

    def line(self, path: Path, *, key: bool = False) -> int:
        del path, key
        return 0

    def label(self, path: Path) -> str:
        del path
        return ""


class _Mapping:
    """The place of rules that stand in no file of ours: in a test case, or in a program."""

    def __init__(self, file: str, line: int) -> None:
        self.file = file
        self._line = line

    def line(self, path: Path, *, key: bool = False) -> int:
        del path, key
        return self._line

    def label(self, path: Path) -> str:
        return ".".join(map(str, path))


def rules_of(
    profile: Profile, site: Mapping[str, dict[str, Any]], *, file: str = "rules", line: int = 1
) -> tuple[Rule, ...]:
    """Return the rules of a profile, changed by what a site or a test case says.

    Raises ConfigError with every mistake, each said to be on `line` of `file`.
    """
    report = Report()
    merged = RuleBook().merge(profile.kind, profile.rules, site, _Mapping(file, line), ("rules",), report)
    report.finish()
    return merged.rules
