"""Looking names up in the site: which devices a pattern means, which points and rules they have. Pure.

A rule over several devices is written with names and patterns, and bound once, when the settings are read:
what it names must be there. A pattern is a name in which `*` stands for anything; `zone` takes the devices of
one zone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rules.rule import Rule

HOME = "site"
"""The device under which a rule of the whole site is known."""
GATEWAY = "gateway"
"""The device under which the gateway judges itself; its lines are `line.NAME`."""
WORD = re.compile(r"[a-z0-9]+([_-][a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Member:
    """What rules may know of a device when they are bound."""

    kind: str = ""
    zone: str = ""
    points: frozenset[str] | None = None  # None: nobody knows (a device that is only thought of)
    rules: Mapping[str, Rule] | None = None  # those in force, with their companions
    off: frozenset[str] = frozenset()  # those that are switched off, or sleep
    real: bool = True  # a device, not the gateway, a line, or the home of the site's own rules


Inventory = dict[str, Member]
"""All devices of a site by their names, and `site` and its zones with the rules that live there."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A name that is not there: under which key it was written, and which names there are."""

    key: str
    what: str
    word: str = ""
    known: tuple[str, ...] = ()


class Unbound(ValueError):
    """Names of a rule are not there. `missing` holds them all."""

    def __init__(self, missing: Iterable[Missing]) -> None:
        self.missing = list(missing)
        super().__init__("; ".join(each.what for each in self.missing))


class Asleep(ValueError):
    """Nothing is wrong with the rule, but here it has nothing to look at. Says why."""


def home_of(zone: str) -> str:
    """Return the device under which a rule over devices is known: no real one has a dot in its name."""
    return f"zone.{zone}" if zone else HOME


def is_device(name: str) -> bool:
    """Return whether it is the name of a device, and not of the site, a zone, the gateway or a line of it."""
    return name not in {HOME, GATEWAY} and "." not in name


def devices_of(site: Inventory, devices: str | tuple[str, ...], zone: str) -> tuple[str, ...]:
    """Return the devices that names, patterns and a zone mean, in the order of the site. Raises Unbound."""
    patterns = (devices,) if isinstance(devices, str) else devices
    patterns = tuple(p for p in patterns if p)
    real = [name for name in site if site[name].real or name in patterns]
    missing = []
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in real):
            what = f"no device is called '{pattern}'"
            missing.append(Missing("devices", what, pattern, tuple(real)))
    zones = tuple(sorted({member.zone for member in site.values() if member.zone}))
    if zone and zone not in zones:
        missing.append(Missing("zone", f"there is no zone '{zone}'", zone, zones))
    if missing:
        raise Unbound(missing)
    return tuple(
        name
        for name in real
        if (not patterns or any(fnmatchcase(name, pattern) for pattern in patterns))
        and (not zone or site[name].zone == zone)
    )


def find_point(site: Inventory, device: str, point: str, key: str) -> Missing | None:
    """Return what is wrong with a point that a rule names; None when it is there."""
    if device not in site:
        return Missing(key, f"there is no device '{device}'", device, tuple(site))
    points = site[device].points
    if points is None or point in points:
        return None
    return Missing(key, f"{device} has no point '{point}'", point, tuple(sorted(points)))


def find_rule(site: Inventory, device: str, rule: str, key: str) -> Missing | None:
    """Return what is wrong with a rule that a rule names; None when it is there."""
    if device not in site:
        return Missing(key, f"there is no device '{device}'", device, tuple(site))
    rules = site[device].rules
    if rules is None or rule in rules:
        return None
    return Missing(key, f"{device} has no rule '{rule}'", rule, tuple(sorted(rules)))
