"""`tocsin profiles list|show NAME|check FILE`: the device library."""

from __future__ import annotations

import dataclasses
import pathlib
import sys
from typing import TYPE_CHECKING, Any

from gateway.cli.output import Failure, add_output, print_json, print_table, print_text
from gateway.commissioning.captures import CaptureError, prove
from gateway.config.profiles import load_profile, load_profile_file, profile_names
from gateway.config.report import ConfigError
from gateway.language import pick, say

if TYPE_CHECKING:
    import argparse

    from drivers.profile import Point, Profile


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    text = say("设备型号库：列出、查看、检查", "the device library: list, show, check")
    parser = subparsers.add_parser("profiles", help=text, description=text)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    every = actions.add_parser("list", help=say("列出全部型号", "all models"))
    every.add_argument("--kind", help=say("只列出这一类", "only of this kind"))
    every.set_defaults(run=_list)
    show = actions.add_parser("show", help=say("查看一个型号", "one model: points, rules, source"))
    show.add_argument("name", help=say("例如 gas/oem-module", "such as gas/oem-module"))
    show.set_defaults(run=_show)
    check = actions.add_parser("check", help=say("检查型号文件", "check profile files of your own"))
    check.add_argument("file", nargs="+", type=pathlib.Path)
    text = say("用捕获文件逐值验证（可重复）", "prove it: every value of a capture (may be repeated)")
    check.add_argument("--capture", action="append", default=[], type=pathlib.Path, metavar="FILE", help=text)
    check.set_defaults(run=_check)
    for action in (every, show, check):
        folder = say("站点目录，其中 profiles/ 为自有型号", "a site's folder, with profiles/ of its own")
        action.add_argument("--site-folder", type=pathlib.Path, metavar="DIR", help=folder)
        add_output(action)


def _load(name: str, folder: pathlib.Path | None) -> Profile:
    try:
        return load_profile(name, folder)
    except ConfigError as error:
        raise Failure("\n".join(error.messages), 2) from None


def _list(args: argparse.Namespace) -> int:
    found = {name: _load(name, args.site_folder) for name in profile_names(args.site_folder)}
    chosen = {name: p for name, p in found.items() if args.kind in {None, p.kind}}
    if args.kind is not None and not chosen:
        kinds = ", ".join(sorted({p.kind for p in found.values()}))
        raise Failure(
            say(f"没有 {args.kind} 类型号；有 {kinds}", f"no model of kind {args.kind}; there are {kinds}"), 2
        )
    if args.output == "json":
        print_json([_summary(name, profile) for name, profile in chosen.items()])
        return 0
    head = say("型号,类别,协议,测点,规则,名称", "PROFILE,KIND,PROTOCOL,POINTS,RULES,NAME").split(",")
    print_table(
        head,
        [(n, p.kind, p.protocol, len(p.reported), len(p.rules), pick(p.name)) for n, p in chosen.items()],
        spare=(1, 2, 4, 3),
    )
    return 0


def _summary(name: str, profile: Profile) -> dict[str, Any]:
    return {
        "profile": name,
        "kind": profile.kind,
        "name": dict(profile.name),
        "protocol": profile.protocol,
        "points": list(profile.reported),
        "rules": list(profile.rules),
        "source": profile.source,
    }


def _show(args: argparse.Namespace) -> int:
    profile = _load(args.name, args.site_folder)
    if args.output == "json":
        print_json({"profile": args.name, **dataclasses.asdict(profile)})
        return 0
    print_text(f"{args.name}  {pick(profile.name)}")
    print_text(say("来源：", "source: ") + profile.source)
    if profile.notes:
        print_text(say("说明：", "notes: ") + profile.notes)
    if factory := _factory(profile):
        print_text(say("出厂：", "factory: ") + factory)
    print()
    _print_points(profile)
    print()
    head = say("规则,类型,测点,限值,级别,依据", "RULE,TYPE,POINT,LIMIT,LEVEL,SOURCE").split(",")
    print_table(head, [_rule_row(name, rule) for name, rule in profile.rules.items()], spare=(1, 5, 2))
    if profile.dramas:
        print()
        print_text(say("模拟剧情：", "dramas of the simulator: ") + ", ".join(profile.dramas))
    return 0


def _factory(profile: Profile) -> str:
    defaults = profile.defaults
    parts = [f"{defaults.baud} baud" if defaults.baud else ""]
    if defaults.parity:
        parts.append(f"8{defaults.parity[0].upper()}{defaults.stop or 1}")
    if defaults.address is not None:
        parts.append(say(f"地址 {defaults.address}", f"address {defaults.address}"))
    parts.append(say(f"每 {defaults.every:g} s", f"every {defaults.every:g} s"))
    return ", ".join(part for part in parts if part)


def _print_points(profile: Profile) -> None:
    head = say(
        "测点,地址,类型,单位,换算,范围,写,名称", "POINT,REGISTER,TYPE,UNIT,SCALE,RANGE,WRITE,NAME"
    ).split(",")
    rows: list[tuple[object, ...]] = [_point_row(name, point) for name, point in profile.points.items()]
    for name, derive in profile.derive.items():
        inputs = f"{derive.how}({', '.join(derive.of)})"
        rows.append((name, "=", inputs, derive.unit, "", _span(derive.range), "", pick(derive.name)))
    print_table(head, rows, spare=(4, 6, 5, 2))
    asked = [f"{name}: {', '.join(point.confirm)}" for name, point in profile.points.items() if point.confirm]
    if asked:
        text = say(
            "资料未写明，须由站点在 map 中给出：", "not stated by the source, the site sets in `map`: "
        )
        print()
        print_text(text + "; ".join(asked))


def _point_row(name: str, point: Point) -> tuple[object, ...]:
    kind = point.type.value if point.count < 2 else f"{point.type.value} {point.order.value}"
    if point.bits is not None:
        kind += f" [{point.bits[0]}:{point.bits[1]}]"
    if point.bit is not None:
        kind += f" .{point.bit}"
    scale = "" if point.scale == 1 else f"× {point.scale:.6g}"
    if point.offset:
        scale += f" {'+' if point.offset > 0 else '-'} {abs(point.offset):g}"
    if point.scale_from is not None:
        scale = f"/ 10^{point.scale_from}"
    label = pick(point.name) if not point.internal else say("（内部）", "(internal)")
    written = "" if point.write is None else say("可", "yes")
    return name, point.where, kind, point.unit, scale.strip(), _span(point.range), written, label


def _span(ends: tuple[float, float] | None) -> str:
    return "" if ends is None else f"{ends[0]:g} … {ends[1]:g}"


def _rule_row(name: str, rule: Any) -> tuple[object, ...]:  # noqa: ANN401  as YAML holds it
    several = rule.get("points", ()) if rule.get("type") != "evidence" else rule["of"]
    lines = rule.get("levels") or [rule]
    signs = ("≤ " if {**rule, **line}.get("when") == "below" else "≥ " for line in lines)
    limits = [f"{sign}{line['limit']}" for sign, line in zip(signs, lines, strict=True) if "limit" in line]
    limits += [str(line["after"]) for line in lines if "after" in line]
    return (
        name,
        rule.get("type", "limit"),
        rule.get("point") or rule.get("expr") or ", ".join(several),
        ", ".join(limits),
        ", ".join(str(line["level"]) for line in lines if "level" in line),
        rule.get("source", ""),
    )


def _prove(profile: Profile, captures: list[pathlib.Path]) -> list[str]:
    """Return where captures disagree with a profile."""
    try:
        return [message for capture in captures for message in prove(profile, capture)]
    except CaptureError as error:
        return [str(error)]


def _check(args: argparse.Namespace) -> int:
    results = {}
    for file in args.file:
        try:
            profile = load_profile_file(file)
        except ConfigError as error:
            results[str(file)] = error.messages
        else:
            results[str(file)] = _prove(profile, args.capture)
            if args.output == "table" and not results[str(file)]:
                points, rules = len(profile.reported), len(profile.rules)
                print(
                    f"{file}: "
                    + say(f"正确，{points} 个测点，{rules} 条规则", f"good, {points} points, {rules} rules")
                )
    if args.output == "json":
        print_json([{"file": file, "ok": not found, "messages": found} for file, found in results.items()])
    else:
        for message in (m for found in results.values() for m in found):
            print(message, file=sys.stderr)
    return 2 if any(results.values()) else 0
