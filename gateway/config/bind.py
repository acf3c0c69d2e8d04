"""Binds the rules of a site to it: what they name must be there, what they look at must not be a circle."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gateway.config.report import suggest
from gateway.language import say
from rules.scene import Circle, ranks
from rules.site import Asleep, Member, Unbound

if TYPE_CHECKING:
    from gateway.config.report import Path, Place, Report
    from rules.rule import AlarmKey, Rule
    from rules.site import Inventory, Missing


@dataclass(slots=True)
class Entry:
    """A rule at its device, where it is written, and (once it is bound) what became of it."""

    home: str
    rule: Rule
    place: Place
    path: Path
    asleep: str = ""


def not_there(missing: Missing) -> str:
    """Say which name of a rule is not there, and which one may be meant."""
    zh = f"找不到 '{missing.word}'（{missing.what}）" if missing.word else missing.what
    return say(zh, missing.what) + (suggest(missing.word, missing.known) if missing.known else "")


class Binder:
    """Takes rules in, then binds them all."""

    def __init__(self, site: Inventory, report: Report) -> None:
        self._site, self._report = dict(site), report
        self._entries: list[Entry] = []

    def add(self, home: str, rule: Rule, place: Place, path: Path) -> None:
        """Take in a rule at a device, or at the home of the site's own rules."""
        member = self._site.get(home, Member(real=False, points=frozenset(), rules={}))
        rules = dict(member.rules or {})
        if rule.name in rules and member.rules is not None:
            what = say(f"{home} 已有同名的规则", f"{home} has a rule of this name already")
            self._report.add(place, path, what, key=True)
            return
        rules.update({each.name: each for each in (rule, *rule.companions())})
        self._site[home] = replace(member, rules=rules)
        self._entries.append(Entry(home, rule, place, path))

    def bind(self) -> dict[str, tuple[Rule, ...]]:
        """Return the rules in force at each home. Mistakes and rules that sleep go into the report."""
        for follower in (False, True):  # what rules follow must be known to be awake
            for entry in self._entries:
                if entry.rule.wide is follower:
                    self._bind(entry)
        self._circles()
        self._tell_sleepers()
        found: dict[str, tuple[Rule, ...]] = {}
        for entry in self._entries:
            if not entry.asleep:
                found[entry.home] = (*found.get(entry.home, ()), entry.rule)
        return found

    def _bind(self, entry: Entry) -> None:
        try:
            entry.rule = entry.rule.bind(entry.home, self._site)
        except Asleep as reason:
            entry.asleep = str(reason)
            member = self._site[entry.home]
            rules = {name: rule for name, rule in (member.rules or {}).items() if name != entry.rule.name}
            self._site[entry.home] = replace(member, rules=rules, off=member.off | {entry.rule.name})
        except Unbound as error:
            for missing in error.missing:
                self._report.add(entry.place, (*entry.path, missing.key), not_there(missing))

    def _circles(self) -> None:
        follows: dict[AlarmKey, tuple[AlarmKey, ...]] = {
            (e.home, e.rule.name): e.rule.follows() for e in self._entries if not e.asleep
        }
        try:
            ranks(follows)
        except Circle as error:
            entry = next(e for e in self._entries if (e.home, e.rule.name) == error.key)
            zh = f"规则互相引用，成了环（{error}）"
            self._report.add(entry.place, entry.path, say(zh, str(error)), key=True)

    def _tell_sleepers(self) -> None:
        sleepers: dict[tuple[str, str], list[str]] = defaultdict(list)
        for entry in self._entries:
            if entry.asleep:
                sleepers[entry.rule.name, entry.asleep].append(entry.home)
        for (name, reason), homes in sleepers.items():
            zh = en = homes[0]
            if len(homes) > 1:
                zh, en = f"{len(homes)} 台设备（{homes[0]} ……）", f"{len(homes)} devices ({homes[0]} ...)"
            zh = f"{zh}：规则 {name} 暂不工作：{reason}"
            self._report.note(say(zh, f"{en}: rule {name} sleeps: {reason}"))
