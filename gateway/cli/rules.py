"""`tocsin rules`: rules for those who write them: list, test, and beside this file replay and lint."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.cli import lint, replay
from gateway.cli.output import add_output, count, print_json, print_table
from gateway.cli.rulecases import FileOfCases, load_cases
from gateway.config import ConfigError, load, load_profile, rules_of
from gateway.language import say
from gateway.specs import profile_specs, site_specs
from rules.play import Line, compare, play
from rules.rule import COLOURS, with_companions

if TYPE_CHECKING:
    import argparse

    from rules.casefile import Case
    from rules.look import Stage
    from rules.rule import AlarmSpec

OK, WRONG_FILE, FOUND = 0, 2, 4


@dataclass(frozen=True, slots=True)
class Result:
    """How one case went."""

    file: str
    case: Case
    passed: bool
    lines: list[Line]


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    text = say("规则列表与测试", "list and test rules")
    parser = subparsers.add_parser("rules", help=text, description=text)
    verbs = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    text = say("按用例文件测试规则", "play rule tests (DESIGN 2.4)")
    test = verbs.add_parser("test", help=text, description=text)
    test.add_argument("files", nargs="+", type=Path, metavar="FILE", help="cases.yaml")
    add_output(test)
    test.set_defaults(run=run_test)
    text = say("列出规则及其依据", "list rules, with the clause each comes from")
    listing = verbs.add_parser("list", help=text, description=text)
    which = listing.add_mutually_exclusive_group(required=True)
    which.add_argument("-c", "--config", type=Path, metavar="SITE", help="site.yaml")
    which.add_argument("--profile", metavar="NAME", help="gas/generic ...")
    add_output(listing)
    listing.set_defaults(run=run_list)
    replay.add(verbs)
    lint.add(verbs)


def run_test(args: argparse.Namespace) -> int:
    """Play every case of every file; 0 all pass, 4 some failed, 2 a file is wrong."""
    results: list[Result] = []
    messages: list[str] = []
    for path in args.files:
        try:
            results += _play_file(load_cases(path))
        except ConfigError as error:
            messages += error.messages
    if args.output == "json":
        print_json(_as_json(results, messages))
    else:
        _print(results)
        for message in messages:
            print(message, file=sys.stderr)
    if messages:
        return WRONG_FILE
    return OK if all(result.passed for result in results) else FOUND


def _play_file(file: FileOfCases) -> list[Result]:
    results = []
    for case, specs in file.cases:
        passed, lines = compare(case, play(case, specs))
        results.append(Result(file.name, case, passed, lines))
    return results


def _print(results: list[Result]) -> None:
    for result in results:
        word = say("通过", "ok") if result.passed else say("失败", "FAILED")
        print(f"{word}  {result.file}: {result.case.name}")
        if not result.passed:
            for line in result.lines:
                print(f"    {' ' if line.sign == '=' else line.sign} {line.text}")
    failed = sum(not result.passed for result in results)
    summary = say(
        f"共 {len(results)} 例，失败 {failed} 例", f"{count(len(results), 'case', 'cases')}, {failed} failed"
    )
    print(summary, file=sys.stderr)


def _as_json(results: list[Result], messages: list[str]) -> dict[str, Any]:
    return {
        "ok": not messages and all(result.passed for result in results),
        "messages": messages,
        "cases": [
            {
                "file": result.file,
                "name": result.case.name,
                "passed": result.passed,
                "events": [{"sign": line.sign, "event": line.text} for line in result.lines],
            }
            for result in results
        ],
    }


def run_list(args: argparse.Namespace) -> int:
    """List the rules of a site or of a profile; 2 when it cannot be read."""
    try:
        specs = _specs(args)
    except ConfigError as error:
        for message in error.messages:
            print(message, file=sys.stderr)
        return WRONG_FILE
    specs = list(with_companions(specs))
    if args.output == "json":
        print_json([_rule_json(spec) for spec in specs])
    else:
        head = [say("设备", "device"), say("规则", "rule"), say("条件", "condition")]
        head += [say("级别", "level"), say("依据", "source")]
        print_table(head, [_row(spec) for spec in specs], spare=(4,))
    return OK


def _specs(args: argparse.Namespace) -> list[AlarmSpec]:
    if args.profile is None:
        return site_specs(load(args.config))
    profile = load_profile(args.profile)
    return profile_specs(profile, rules_of(profile, {}), args.profile, 1.0, {})


def _row(spec: AlarmSpec) -> tuple[str, ...]:
    rule = spec.rule
    words = rule.words()
    levels = " ".join(dict.fromkeys(_colour(stage) for stage in rule.stages()))
    return spec.device, rule.name, say(words["zh"], words["en"]), levels, rule.source


def _colour(stage: Stage) -> str:
    colour = COLOURS[stage.level]
    number = f"{stage.level} " if stage.level else ""
    return number + say(colour["zh"], colour["en"])


def _rule_json(spec: AlarmSpec) -> dict[str, Any]:
    rule = spec.rule
    return {
        "device": spec.device,
        "rule": rule.name,
        "type": getattr(rule, "type", "unknown_code"),
        "points": list(rule.inputs()),
        "condition": rule.words(),
        "levels": [{"level": s.level, "colour": COLOURS[s.level]} for s in rule.stages()],
        "class": rule.alarm_class.value,
        "protected": rule.is_protected,
        "source": rule.source,
    }
