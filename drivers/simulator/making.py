"""Makes played devices of profiles. No I/O."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from drivers.codec.encode import unfit
from drivers.simulator.memory import still
from drivers.simulator.persona import Code, PersonaError, parse_dramas, parse_persona
from drivers.simulator.played import MEMORIES, VOICES
from drivers.simulator.player import Player
from drivers.simulator.reports import Reporter
from drivers.simulator.unit import Unit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.profile import Point, Profile
    from drivers.simulator.persona import Shape
    from drivers.simulator.unit import Address

_AGE = 1000.0  # hours that counters have behind them at the start


def make_unit(
    name: str,
    address: Address,
    profile: Profile,
    points: Mapping[str, Point] | None = None,
    *,
    seed: int | str = 1,
    midnight: float = 0.0,
    turnaround: float = 0.005,
    reports: bool = False,
) -> Unit:
    """Make a unit of a profile; `points` are the site's, if it maps the profile's anew.

    Points that the site has switched off are not played. `reports`: it is not asked, it sends its registers
    by itself. Raises PersonaError.
    """
    points = profile.points if points is None else points
    try:
        told = {p: s for p, s in parse_persona(profile.persona).items() if p in points}
        persona: dict[str, Shape] = {p: Code(still(point)) for p, point in points.items()} | told
        dramas = {
            drama: {p: s for p, s in shapes.items() if p in points}
            for drama, shapes in parse_dramas(profile.dramas).items()
        }
        for shapes in (persona, *dramas.values()):
            _check_places(points, shapes)
        player = Player(persona, dramas, f"{seed} {name}", midnight, hours=_AGE)
    except PersonaError as error:
        raise PersonaError(f"{name}: {error}") from None
    if profile.protocol in VOICES:
        voice = VOICES[profile.protocol](points, address)
        unit = Unit(name, address, player, points, voice, turnaround)
        unit.speech = voice
        return unit
    memory = MEMORIES[profile.protocol](points, profile.limits)
    unit = Unit(name, address, player, points, memory, turnaround)
    if reports:
        unit.speech = Reporter(unit, replace(profile, points=points))
    return unit


def _check_places(points: Mapping[str, Point], shapes: Mapping[str, Shape]) -> None:
    """Refuse words and numbers that the device cannot tell, before they are played."""
    for name, shape in shapes.items():
        value = getattr(shape, "to", getattr(shape, "value", None))
        if value is None:
            continue
        if why := unfit(points[name], value):
            raise PersonaError(f"{name}: {why}")
