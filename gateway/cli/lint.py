"""`tocsin rules lint`: rules that may run as they are written, but probably not as they are meant."""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.cli.output import Failure, add_output, print_json, print_table
from gateway.cli.replay import make_job
from gateway.config import ConfigError, Site, load, load_profile, rules_of
from gateway.language import say
from gateway.specs import profile_specs, site_specs
from rules.kinds.faults import BadData, Stale
from rules.lint import Finding, Noise, lint
from rules.rule import usually_protected

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Mapping

    from drivers.profile import Profile
    from gateway.model import Sample
    from rules.rule import Rule

OK, FOUND = 0, 4
KEPT = 5_000  # readings of a point that are remembered to know its noise

Where = tuple[str, str]


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the action."""
    text = say("检查规则设置是否妥当", "find rules that flutter, hide or can never fire")
    parser = verbs.add_parser("lint", help=text, description=text)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("-c", "--config", type=Path, metavar="SITE", help="site.yaml")
    which.add_argument("--profile", metavar="NAME", help="gas/generic ...")
    more = say("与历史数据的正常波动比较", "compare with the noise of recorded readings")
    parser.add_argument("--history", action="store_true", help=more)
    parser.add_argument("--socket", type=Path, help=say("守护进程的套接字", "the daemon's socket"))
    parser.add_argument("--from", dest="since", metavar="T", default="24h", help="7d, 2026-11-22T08:00 ...")
    parser.add_argument("--to", dest="until", metavar="T")
    add_output(parser)
    parser.set_defaults(run=run, csv=None, rules=None, device=None)


def run(args: argparse.Namespace) -> int:
    """Print what is to be looked at; 4 when there is something, 2 when the file is wrong."""
    try:
        found = _site(args) if args.profile is None else _profile(args)
    except ConfigError as error:
        raise Failure("\n".join(error.messages), 2) from error
    if args.output == "json":
        print_json([_as_json(finding) for finding in found])
    elif found:
        head = [say("设备", "device"), say("规则", "rule"), say("问题", "what"), say("怎么办", "what to do")]
        print_table(head, [(f.device, f.rule, say(*f.what), say(*f.do)) for f in found])
    print(say(f"{len(found)} 处", f"{len(found)} found"), file=sys.stderr)
    return FOUND if found else OK


def _profile(args: argparse.Namespace) -> list[Finding]:
    if args.history:
        raise Failure(say("--history 需要 -c SITE", "--history goes with -c SITE"), 2)
    profile = load_profile(args.profile)
    every = profile.defaults.alarm_every or profile.defaults.every
    specs = profile_specs(profile, rules_of(profile, {}), args.profile, every, {})
    return lint(specs, ranges(args.profile, profile), {})


def _site(args: argparse.Namespace) -> list[Finding]:
    site = load(args.config)
    spans: dict[Where, tuple[float, float]] = {}
    for name, device in site.devices.items():
        spans |= ranges(name, device.profile)
    noise: Mapping[Where, Noise] = {}
    if args.history:
        job = make_job(args, [])
        noise = noise_of(job.read(job.devices))
        if not noise:
            print(say("历史数据太少", "too little is recorded to know the noise"), file=sys.stderr)
    return [*lint(site_specs(site), spans, noise), *_devices(site)]


def ranges(device: str, profile: Profile) -> dict[Where, tuple[float, float]]:
    """Return what the points of a device can say."""
    return {
        (device, name): (float(point.range[0]), float(point.range[1]))
        for name, point in profile.points.items()
        if point.range is not None
    }


def noise_of(samples: Iterable[Sample]) -> dict[Where, Noise]:
    """Return the noise of every number that was recorded, from some of its readings taken at random."""
    chance, seen = random.Random(1), dict[Where, int]()  # noqa: S311  nobody guesses here
    kept: dict[Where, list[float]] = {}
    for sample in samples:
        for point, value in sample.values.items():
            if isinstance(value, str | bool):
                continue
            key = sample.device, point
            number = seen[key] = seen.get(key, 0) + 1
            some = kept.setdefault(key, [])
            if len(some) < KEPT:
                some.append(float(value))
            elif (place := chance.randrange(number)) < KEPT:
                some[place] = float(value)
    found = {key: Noise.of(values) for key, values in kept.items()}
    return {key: noise for key, noise in found.items() if noise is not None}


def _devices(site: Site) -> Iterator[Finding]:
    """Yield what is missing of a device beside its rules: where it is, and what it does without."""
    for name, device in site.devices.items():
        if not device.place.text:
            yield Finding(
                name,
                "",
                "no-place",
                (
                    "没有地点：收到告警的人不知道去哪里",
                    "no place: who gets its alarms does not know where to go",
                ),
                ("加 place: {text: …}", "give it place: {text: ...}"),
            )
        for rule, reason in device.rules_off.items():
            yield from _off(name, rule, reason, device.profile)


def _off(device: str, name: str, reason: str, profile: Profile) -> Iterator[Finding]:
    shipped = rules_of(profile, {})
    rule: Rule | None = next((each for each in shipped if each.name == name), None)
    if rule is None:
        return
    if isinstance(rule, Stale | BadData):
        what = f"故障规则已停用（{reason}）", f"a fault rule is switched off ({reason})"
        yield Finding(
            device,
            name,
            "fault-off",
            what,
            ("恢复它：看不见的探测器等于没有", "let it run: a blind detector is none"),
        )
    elif usually_protected(rule.alarm_class, rule.worst_level):
        what = f"受保护的规则已停用（{reason}）", f"a protected rule is switched off ({reason})"
        yield Finding(
            device,
            name,
            "protected-off",
            what,
            (
                "改用限时停用（devices disable），须第二人批准",
                "disable it for a time instead (devices disable), with a second person",
            ),
        )


def _as_json(finding: Finding) -> dict[str, Any]:
    words = {"zh": finding.what[0], "en": finding.what[1]}, {"zh": finding.do[0], "en": finding.do[1]}
    return {
        "device": finding.device,
        "rule": finding.rule,
        "code": finding.code,
        "what": words[0],
        "do": words[1],
    }
