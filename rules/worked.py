"""What follows from the settings of a rule, worked out once for all alarms that have it. Pure."""

from __future__ import annotations

from dataclasses import fields
from hashlib import blake2s
from types import MappingProxyType
from typing import TYPE_CHECKING

from rules.rule import OnBad

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rules.look import Calm
    from rules.rule import Rule

WORDS_ONLY = frozenset({"name", "message", "source"})
NO_BASELINE: Mapping[str, float] = MappingProxyType({})


class Worked:
    """Levels, protection, fingerprint and the test for "plainly normal" of one rule."""

    __slots__ = ("_calm", "fingerprint", "protected", "rule", "stages")

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.stages, self.protected, self.fingerprint = rule.stages(), rule.is_protected, fingerprint(rule)
        self._calm = self._make_calm(NO_BASELINE)

    def calm(self, baseline: Mapping[str, float]) -> Calm | None:
        """Return the test for an alarm whose device has such a baseline; None: it has none."""
        return self._make_calm(baseline) if baseline else self._calm

    def _make_calm(self, baseline: Mapping[str, float]) -> Calm | None:
        return None if self.rule.on_bad is OnBad.ALARM else self.rule.calm(baseline)


class Works:
    """Those of many rules: a site has few rules and many devices with them."""

    def __init__(self) -> None:
        self._by_rule: dict[int, Worked] = {}  # each holds its rule, so an id stays what it is

    def of(self, rule: Rule) -> Worked:
        """Return what was worked out of this very rule."""
        found = self._by_rule.get(id(rule))
        if found is None:
            found = self._by_rule[id(rule)] = Worked(rule)
        return found


def fingerprint(rule: Rule) -> str:
    """Return what tells one setting of a rule from another; texts, and settings left alone, do not count."""
    settings = [
        (f.name, repr(value))
        for f in fields(rule)
        if f.name not in WORDS_ONLY and (value := getattr(rule, f.name)) != f.default
    ]
    return blake2s(repr(sorted(settings)).encode(), digest_size=8).hexdigest()
