"""Rules that somebody thinks of, laid over those of a site or a profile, without being put in force."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gateway.config import ConfigError, Site, load, rules_of
from gateway.config.bind import Binder
from gateway.config.document import Document, read
from gateway.config.report import Report
from gateway.config.siterules import inventory
from gateway.specs import profile_specs, site_specs
from gateway.turns import groups
from rules.site import Member

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from drivers.profile import Profile
    from gateway.config import DeviceSettings
    from gateway.config.report import Path as Key
    from rules.rule import AlarmSpec, Rule
    from rules.site import Inventory

Block = dict[str, dict[str, Any]]
"""Rules by name, as under `rules:` of a device."""


@dataclass(frozen=True, slots=True)
class Patient:
    """One device as the rules see it."""

    name: str
    profile: Profile
    groups: tuple[tuple[str, ...], ...]  # points that are read together


def patients(site: Site) -> dict[str, Patient]:
    """Return the devices of a site."""
    return {name: Patient(name, d.profile, _groups(d)) for name, d in site.devices.items()}


def patient_of(profile: Profile, name: str) -> Patient:
    """Return a device that is only thought of."""
    return Patient(name, profile, (tuple(profile.reported),))


def _groups(device: DeviceSettings) -> tuple[tuple[str, ...], ...]:
    judged = {point for rule in device.rules for point in rule.inputs()}
    split = groups(device.profile.reported, judged, device.every, device.alarm_every)
    return tuple(group.points for group in split)


def proposal(path: Path, site: Site) -> list[AlarmSpec]:
    """Return the alarms of a site as FILE would have them: another site file, or a block of rules.

    The block has rules by name, for every device that has such a rule, or the same under names of
    devices. Raises ConfigError.
    """
    document, data = _read(path)
    if "devices" in data:
        return site_specs(load(path))
    own = read(site.path, Report(str(site.path)))
    changed = dict(site.devices)
    used: set[str] = set()
    for name, device in site.devices.items():
        block = _for(name, data, site.devices)
        names = {rule for rule in block if _fits(rule, block[rule], device.profile, device.rules)}
        used |= names | ({name} & data.keys())
        if names:
            raw = _raw(own, name)
            merged = {**raw, **{rule: {**raw.get(rule, {}), **block[rule]} for rule in names}}
            changed[name] = replace(device, rules=_rules(device.profile, merged, path, document))
    _refuse_strangers(path, document, data.keys() - used)
    rules = {name: device.rules for name, device in changed.items()}
    found = _bound(rules, inventory(changed.values(), site.lines), str(path))
    changed = {name: replace(device, rules=found.get(name, ())) for name, device in changed.items()}
    return site_specs(replace(site, devices=changed))


def profile_alarms(profile: Profile, device: str, every: float, path: Path | None = None) -> list[AlarmSpec]:
    """Return the alarms of a profile, as FILE would have them if there is one. Raises ConfigError."""
    if path is None:
        rules = rules_of(profile, {})
    else:
        document, data = _read(path)
        rules = _rules(profile, _for(device, data, (device,)), path, document)
    site = {device: Member(profile.kind, "", frozenset(profile.reported), {})}
    found = _bound({device: rules}, site, str(path or profile.kind)).get(device, ())
    return profile_specs(profile, found, device, every, {})


def _bound(rules: Mapping[str, tuple[Rule, ...]], site: Inventory, file: str) -> dict[str, tuple[Rule, ...]]:
    """Return the rules of each device, bound to each other. Raises ConfigError."""
    report = Report(file)
    binder = Binder(site, report)
    for device, own in rules.items():
        for rule in own:
            binder.add(device, rule, _File(file), (device, rule.name))
    found = binder.bind()
    report.finish()
    return found


@dataclass(frozen=True, slots=True)
class _File:
    """The place of rules of which only the file is known."""

    file: str

    def line(self, path: Key, *, key: bool = False) -> int:
        del path, key
        return 1

    def label(self, path: Key) -> str:
        return ".".join(map(str, path))


def _read(path: Path) -> tuple[Document, Block]:
    report = Report(str(path))
    document = read(path, report)
    report.finish()
    if document is None or not isinstance(document.data, dict):
        raise ConfigError([f"{path}:1: must be a block of rules, such as `residual-high: {{deadband: 15}}`"])
    wrong = [
        f"{path}:{document.line((key,))}: {key}: must be a block of keys"
        for key, value in document.data.items()
        if key not in {"site", "gateway"} and "devices" not in document.data and not isinstance(value, dict)
    ]
    if wrong:
        raise ConfigError(wrong)
    return document, document.data


def _for(device: str, data: Block, devices: Iterable[str]) -> Block:
    """Return the block for one device: what is said for all, and what for it alone."""
    common = {name: block for name, block in data.items() if name not in set(devices)}
    return {**common, **data.get(device, {})}


def _fits(name: str, block: Mapping[str, Any], profile: Profile, rules: Iterable[Rule]) -> bool:
    if name in profile.rules or name in {rule.name for rule in rules}:
        return True
    asked = [block["point"]] if "point" in block else list(block.get("points", ()))
    return bool(asked) and all(point in profile.reported for point in asked)


def _raw(document: Document | None, device: str) -> Block:
    """Return the rules of a device as the site file writes them."""
    data = document.data if document is not None else {}
    entry = (data.get("devices") or {}).get(device) or {}
    return dict(entry.get("rules") or {})


def _rules(profile: Profile, block: Block, path: Path, document: Document) -> tuple[Rule, ...]:
    line = min((document.line((name,)) for name in block if name in document.data), default=1)
    return rules_of(profile, block, file=str(path), line=line)


def _refuse_strangers(path: Path, document: Document, names: Iterable[str]) -> None:
    def wrong() -> Iterator[str]:
        for name in sorted(names):
            yield f"{path}:{document.line((name,))}: {name}: no device has such a rule, and it names no point"

    if messages := list(wrong()):
        raise ConfigError(messages)
