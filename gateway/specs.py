"""The alarms of a site or of a profile, as the engine wants them: a rule at a device, with unit and place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rules.rule import AlarmSpec, Context

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from drivers.profile import Profile
    from gateway.config import DeviceSettings, Site
    from rules.rule import Rule


def site_specs(site: Site) -> list[AlarmSpec]:
    """Return every alarm of the site that is not switched off."""
    return [spec for device in site.devices.values() for spec in device_specs(device)]


def device_specs(device: DeviceSettings) -> list[AlarmSpec]:
    """Return the alarms of one device; their points are read at the faster period."""
    place = {"zh": device.place.text, "en": device.place.text}
    return [
        AlarmSpec(
            device.name,
            rule,
            Context(unit_of(rule, device.profile), place, device.alarm_every, device.baseline),
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
