"""Reads a file of rule tests, with the profiles and sites it names. Every mistake at once, with its line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.config import ConfigError, load, load_profile, rules_of
from gateway.config.document import Document, read
from gateway.config.report import Report
from gateway.config.rule import read_rule
from gateway.specs import profile_specs, site_specs
from rules.casefile import Case, CaseError, parse
from rules.rule import AlarmSpec, Context

if TYPE_CHECKING:
    from pathlib import Path


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
            specs = _specs(case, number, document, path)
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
        return [spec for spec in site_specs(load(path.parent / case.site)) if spec.device in case.series]
    if case.profile:
        try:
            profile = load_profile(case.profile)
        except ConfigError as error:
            at = document.line((number, "profile"))
            raise ConfigError([f"{path}:{at}: profile: {text}" for text in error.messages]) from None
        rules = rules_of(profile, case.rules, file=str(path), line=line)
        return [
            spec
            for device in case.series or (case.device,)
            for spec in profile_specs(profile, rules, device, case.every, case.baseline)
        ]
    report = Report(str(path))
    made = [read_rule(n, r, document, (number, "rules", n), report) for n, r in case.rules.items()]
    report.finish()
    context = Context(interval=case.every, baseline=case.baseline)
    return [
        AlarmSpec(device, rule, context)
        for device in case.series or (case.device,)
        for rule in made
        if rule is not None
    ]


def _strangers(case: Case, specs: list[AlarmSpec]) -> list[str]:
    """Name the rules a case speaks of that nobody has: its outcome would mean nothing."""
    known = {name for spec in specs for name in (spec.rule.name, *(c.name for c in spec.rule.companions()))}
    spoken = [wanted.rule for wanted in case.expect] + [do.rule for do in case.do if do.rule not in {"", "*"}]
    return [f"there is no rule '{name}'" for name in dict.fromkeys(spoken) if name not in known]
