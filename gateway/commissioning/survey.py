"""One survey of one line from a command: profiles in, findings out, with progress on the way."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from drivers.survey.exchanged import ANY
from drivers.survey.plan import Scope, likely
from drivers.survey.score import sketch
from drivers.survey.talk import Tongue
from drivers.survey.walk import Survey
from gateway.cli.output import Failure
from gateway.commissioning.lines import DaemonBench, daemon_terms, own_bench
from gateway.config.profiles import load_profile, profile_names
from gateway.config.report import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from drivers.line.settings import LineSettings
    from drivers.profile import Profile
    from drivers.survey.found import Found, Progress, Report
    from drivers.survey.talk import Bench, Setting
    from gateway.cli.client import Daemon
    from gateway.commissioning.lines import Terms


@dataclass(frozen=True, slots=True)
class Place:
    """Where the line is: behind a daemon, or a port of our own."""

    name: str
    daemon: Daemon | None = None
    settings: LineSettings | None = None
    interrupt: bool = False


def library(folder: Path | None = None) -> dict[str, Profile]:
    """Return all profiles that can be read. Raises Failure for a broken one of the site."""
    try:
        return {name: load_profile(name, folder) for name in profile_names(folder)}
    except ConfigError as error:
        raise Failure("\n".join(error.messages), 2) from None


def survey(
    place: Place,
    profiles: Mapping[str, Profile],
    scope: Scope,
    budget: float,
    tell: Callable[[Progress | Found], None],
) -> tuple[Report, float]:
    """Survey a line; return what was found and for how many seconds a daemon's line was held."""
    return asyncio.run(_survey(place, profiles, scope, budget, tell))


async def _survey(
    place: Place,
    profiles: Mapping[str, Profile],
    scope: Scope,
    budget: float,
    tell: Callable[[Progress | Found], None],
) -> tuple[Report, float]:
    if place.daemon is not None:
        terms = daemon_terms(place.daemon, place.name, interrupt=place.interrupt)
        bench = DaemonBench(place.daemon, place.name, interrupt=place.interrupt)
        report = await _run(bench, terms, profiles, replace(scope, listen=False), budget, tell)
        return report, bench.held
    assert place.settings is not None
    async with own_bench(place.settings) as (own, terms):
        return await _run(own, terms, profiles, scope, budget, tell), 0.0


async def _run(
    bench: Bench,
    terms: Terms,
    profiles: Mapping[str, Profile],
    scope: Scope,
    budget: float,
    tell: Callable[[Progress | Found], None],
) -> Report:
    if terms.network:
        scope = replace(scope, settings=(ANY if terms.own is None else terms.own,), listen=False)
    elif terms.own is not None:
        scope = replace(scope, settings=(terms.own,))
    if terms.modbus_only:
        scope = replace(scope, tongues=scope.tongues & {Tongue.MODBUS})
    polled = set(terms.polled.values())

    def known(_tongue: Tongue, who: str, setting: Setting) -> bool:
        return who in polled and terms.own in {None, setting}

    modbus = {name: p for name, p in profiles.items() if p.protocol == "modbus"}
    sketches = [sketch(name, profile) for name, profile in modbus.items()]
    early = likely(modbus.values(), scope.units)
    survey = Survey(bench, sketches, scope, early, time.monotonic, tell, known, profiles)
    return await survey.run(time.monotonic() + budget)
