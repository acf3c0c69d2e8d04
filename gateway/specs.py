"""The alarms of a site or of a profile, as the engine wants them: a rule at a device, with unit and place."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.faults import GATEWAY, LINE_DOWN, LINES_DOWN, line_device
from rules.desk import Tree
from rules.kinds.faults import Stale
from rules.roots import HEADSTART, detection
from rules.rule import AlarmSpec, Context

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping

    from drivers.profile import Profile
    from gateway.config import DeviceSettings, Site
    from rules.rule import Rule


def site_specs(site: Site) -> list[AlarmSpec]:
    """Return every alarm of the site that is not switched off."""
    found = {name: found_down(site, name) for name in site.lines}
    of_devices = [
        replace(spec, rule=not_before(spec.rule, found[device.line], spec.context.interval))
        for device in site.devices.values()
        for spec in device_specs(device, site.timezone)
    ]
    return of_devices + [
        AlarmSpec(home, rule, Context(place=place_of(home), zone=site.timezone))
        for home, rules in site.rules.items()
        for rule in rules
    ]


def place_of(home: str) -> dict[str, str]:
    """Return where a rule of the whole site or of a zone is."""
    zone = home.removeprefix("zone.")
    return (
        {"zh": "全站", "en": "whole site"} if zone == home else {"zh": f"区域 {zone}", "en": f"zone {zone}"}
    )


def judged_points(site: Site) -> dict[str, set[str]]:
    """Return for each device the points some rule looks at: they are read first, at their own period."""
    found = {d.name: {p for rule in d.rules for p in rule.inputs()} for d in site.devices.values()}
    of_devices = (rule for device in site.devices.values() for rule in device.rules)
    for rule in (*of_devices, *(rule for rules in site.rules.values() for rule in rules)):
        for device, point in rule.reads():
            if device in found:
                found[device].add(point)
    return found


def site_tree(site: Site) -> Tree:
    """Return which device hangs on which line."""
    return Tree(
        {device.name: (line_device(device.line), device.alarm_every) for device in site.devices.values()},
        {line_device(line): (line_device(line), LINE_DOWN) for line in site.lines},
        (GATEWAY, LINES_DOWN),
    )


def found_down(site: Site, line: str) -> float | None:
    """Return in how many seconds the line is found to be down when all its devices fall silent."""
    cycles = [device.alarm_every for device in site.devices.values() if device.line == line]
    settings = site.lines[line]
    return detection(cycles, settings.timeout, settings.inflight)


def not_before(rule: Rule, found: float | None, interval: float) -> Rule:
    """Return a rule about silence that leaves the line its head start: a fault must not outrun its cause."""
    if found is None or not isinstance(rule, Stale):
        return rule
    return replace(rule, floor=max(rule.floor, found + HEADSTART + interval))


def device_specs(device: DeviceSettings, zone: dt.tzinfo) -> list[AlarmSpec]:
    """Return the alarms of one device; their points are read at the faster period."""
    place = {"zh": device.place.text, "en": device.place.text}
    return [
        AlarmSpec(
            device.name,
            rule,
            Context(unit_of(rule, device.profile), place, device.alarm_every, device.baseline, zone),
        )
        for rule in device.rules
    ]


def profile_specs(
    profile: Profile, rules: Iterable[Rule], device: str, every: float, baseline: Mapping[str, float]
) -> list[AlarmSpec]:
    """Return the alarms of a device that is only thought of, such as the one of a rule test."""
    return [AlarmSpec(device, rule, Context(unit_of(rule, profile), {}, every, baseline)) for rule in rules]


def unit_of(rule: Rule, profile: Profile) -> str:
    """Return the unit of the value a rule decides on."""
    points = rule.inputs()
    return profile.unit(points[0]) if points else ""
