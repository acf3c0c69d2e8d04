"""Who is told, when: the ladders of a site, and those that come with Tocsin where it has none."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from rules.desk import Telling
from rules.ladders import DEFAULTS, Ladder, Step

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from gateway.config import Ladder as Settings
    from gateway.config import Site

FIRE_CENTER = "fire_center"


def telling(site: Site) -> Telling:
    """Return who is told of what at this site."""

    def offset(wall: int) -> float:
        east = datetime.fromtimestamp(wall / 1e9, site.timezone).utcoffset()
        return 0.0 if east is None else east.total_seconds()

    zones = {name: device.zone for name, device in site.devices.items()}
    foreign = frozenset(name for name, device in site.devices.items() if device.foreign)
    return Telling(site_ladders(site), zones, offset, foreign)


def site_ladders(site: Site) -> dict[str, Ladder]:
    """Return the ladders by name: the site's own, and for the rest ours, with the people it has."""
    own = {name: ladder_of(name, settings) for name, settings in site.ladders.items()}
    people = set(site.people) | ({FIRE_CENTER} if site.fire_center else set())
    ours = {name: among(ladder, people) if people else ladder for name, ladder in DEFAULTS.items()}
    if "red" in own:  # what the site says of level 1 holds for fire and gas, too
        ours.pop("fire_gas_red")
    return {**ours, **own}


def ladder_of(name: str, settings: Settings) -> Ladder:
    """Return a ladder as the site file has it."""
    steps = [
        Step(None if s.at == "shift_start" else s.at, tuple(s.to), s.until, s.condition)
        for s in settings.steps
    ]
    verify = settings.verify
    return Ladder(name, tuple(steps), None if verify is None or verify == "none" else verify.made())


def among(ladder: Ladder, people: AbstractSet[str]) -> Ladder:
    """Return a ladder with only those people; where it knows none of them, everybody is told."""
    steps = [
        Step(s.at, found, s.until, s.condition)
        for s in ladder.steps
        if (found := tuple(name for name in s.to if name in people))
    ]
    if not steps or steps[0].at not in {0, None}:
        steps.insert(0, Step(ladder.steps[0].at, tuple(sorted(people)), ladder.steps[0].until))
    return Ladder(ladder.name, tuple(steps))
