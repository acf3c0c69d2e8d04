"""Reads a file of rule tests, with the profiles and sites it names. Every mistake at once, with its line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway import faults
from gateway.config import ConfigError, load, load_profile, rules_of
from gateway.config.bind import Binder
from gateway.config.document import Document, read
from gateway.config.report import Report
from gateway.config.rule import read_rule
from gateway.config.siterules import lives_at_site
from gateway.specs import profile_specs, site_specs
from rules.casefile import Case, CaseError, parse
from rules.rule import AlarmSpec, Context
from rules.site import Member, home_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from drivers.profile import Profile
    from rules.rule import Rule

ZONE = "case"


@dataclass(frozen=True, slots=True)
class FileOfCases:
    """The cases of a file, each with the alarms it is played on."""

    name: str
    cases: list[tuple[Case, list[AlarmSpec]]]


def load_cases(path: Path) -> FileOfCases:
    """Return the cases of a file; raises ConfigError with every mistake in it, as `file:line: key: what`."""
    report = Report(str(path))
    document = read(path, report)
    report.finish()
    if document is None:
        raise ConfigError([f"{path}:1: is empty"])
    try:
        cases = parse(document.data, lambda name: (path.parent / name).read_text(encoding="utf-8-sig"))
    except CaseError as error:
        for place, what in error.mistakes:
            report.add(document, place, what)
        report.finish()
        raise  # finish has raised: there were mistakes
    messages: list[str] = []
    found: list[tuple[Case, list[AlarmSpec]]] = []
    for number, case in enumerate(cases):
        try:
            specs = [*_specs(case, number, document, path), *_of_line(case)]
        except ConfigError as error:
            messages += error.messages
            continue
        messages += [f"{path}:{document.line((number,))}: {text}" for text in _strangers(case, specs)]
        found.append((case, specs))
    if messages:
        raise ConfigError(messages)
    return FileOfCases(str(path), found)


def _specs(case: Case, number: int, document: Document, path: Path) -> list[AlarmSpec]:
    """Return the alarms of a case: of its site, of its profile, or of the rules it brings along."""
    line = document.line((number, "rules"))
    if case.site:
        if case.rules:
            raise ConfigError([f"{path}:{line}: rules: a case with a site takes the rules of the site"])
        site = load(path.parent / case.site)
        return [spec for spec in site_specs(site) if spec.device in {*case.series, *site.rules}]
    if case.profile:
        try:
            profile = load_profile(case.profile)
        except ConfigError as error:
            at = document.line((number, "profile"))
            raise ConfigError([f"{path}:{at}: profile: {text}" for text in error.messages]) from None
        rules: Sequence[Rule] = rules_of(profile, case.rules, file=str(path), line=line)
        bound = _bind(case, rules, profile, number, document)
        return [
            spec
            for device, own in bound.items()
            for spec in profile_specs(profile, own, device, case.every, case.baseline)
        ]
    report = Report(str(path))
    made = [read_rule(n, r, document, (number, "rules", n), report) for n, r in case.rules.items()]
    report.finish()
    context = Context(interval=case.every, baseline=case.baseline)
    rules = [rule for rule in made if rule is not None]
    bound = _bind(case, rules, None, number, document)
    return [AlarmSpec(device, rule, context) for device, own in bound.items() for rule in own]


def _of_line(case: Case) -> list[AlarmSpec]:
    """Return what can be wrong with the line that the devices of a case hang on."""
    if not case.line:
        return []
    return [spec for spec in faults.specs([case.line]) if spec.device == faults.line_device(case.line)]


def _bind(
    case: Case, rules: Sequence[Rule], profile: Profile | None, number: int, document: Document
) -> dict[str, tuple[Rule, ...]]:
    """Return the rules of each device of a case, bound to each other; all devices are of one zone."""
    devices = list(case.series) or [case.device]
    kind = "" if profile is None else profile.kind
    points = {name: None if profile is None else frozenset(profile.reported) for name in devices}
    site = {name: Member(kind, ZONE, points[name], {}) for name in devices}
    report = Report(document.file)
    binder = Binder(site, report)
    for rule in rules:
        for home in [home_of("")] if lives_at_site(rule) else devices:
            binder.add(home, rule, document, (number, "rules", rule.name))
    bound = binder.bind()
    report.finish()
    return bound


def _strangers(case: Case, specs: list[AlarmSpec]) -> list[str]:
    """Name the rules a case speaks of that nobody has: its outcome would mean nothing."""
    known = {name for spec in specs for name in (spec.rule.name, *(c.name for c in spec.rule.companions()))}
    spoken = [wanted.rule for wanted in case.expect] + [do.rule for do in case.do if do.rule not in {"", "*"}]
    return [f"there is no rule '{name}'" for name in dict.fromkeys(spoken) if name not in known]
