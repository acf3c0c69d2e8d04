"""Gives the value of every point of a played device at a time. Pure: time comes in, seconds since the start.

Runs are reproducible: everything random comes from the seed, and from a grid of time rather than from how
often somebody looks. Time given to one player must not run backwards.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drivers.simulator import persona as shapes
from drivers.simulator import voices
from drivers.simulator.persona import PersonaError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.simulator.persona import Dramas, Persona, Shape
    from drivers.simulator.voices import Voice
    from gateway.model import Value

UNTIMED_DRAMA = 60.0
"""Seconds a drama lasts in which no shape says how long."""


class Player:
    """Plays one device."""

    def __init__(
        self, persona: Persona, dramas: Dramas, seed: int | str, midnight: float = 0.0, hours: float = 0.0
    ) -> None:
        """Make a player of `persona`; `midnight` is the second of the local day at time 0.

        `hours` sets counters as if the device had run that long already. Raises PersonaError.
        """
        self._salt = zlib.crc32(str(seed).encode())
        self._midnight = midnight
        self._hours = hours
        self._dramas = dramas
        self._acts: dict[str, _Act] = {}
        self._set: dict[str, Value] = {}
        for points in (persona, *dramas.values()):
            _check(points, persona)
        self._voices = {point: self._voice(point, shape) for point, shape in persona.items()}
        self._switches = [p for p, shape in persona.items() if isinstance(shape, shapes.Switch)]
        self._gates = {  # point -> the switch it hangs on, and where that is off
            gated: (point, shape.off)
            for point, shape in persona.items()
            if isinstance(shape, shapes.Switch)
            for gated in shape.gates
        }

    @property
    def points(self) -> frozenset[str]:
        """The points that the persona plays."""
        return frozenset(self._voices)

    @property
    def switches(self) -> tuple[str, ...]:
        """The points that hold what is written to them."""
        return tuple(self._switches)

    @property
    def dramas(self) -> tuple[str, ...]:
        """The dramas that it can play."""
        return tuple(self._dramas)

    @property
    def playing(self) -> tuple[str, ...]:
        """The dramas that are on, the ones just over included until `ended` is asked."""
        return tuple(self._acts)

    @property
    def next_end(self) -> float | None:
        """When the next drama is over; None while none is on."""
        return min((act.end for act in self._acts.values()), default=None) if self._acts else None

    def value(self, point: str, t: float) -> Value:
        """Return the value of `point` at `t`: set by hand, else of the latest drama, else of the persona.

        Whatever it plays: behind a switch that is off it is 0.
        """
        if point in self._set:
            return self._set[point]
        if point in self._gates and self.value(self._gates[point][0], t) == self._gates[point][1]:
            return 0
        for act in reversed(self._acts.values()):
            voice = act.voices.get(point)
            if voice is not None and act.start <= t < act.end:
                return voice(t - act.start)
        return self._voices[point](t)

    def values(self, t: float) -> dict[str, Value]:
        """Return the values of all points at `t`."""
        if not (self._acts or self._set or self._gates):
            return {point: voice(t) for point, voice in self._voices.items()}
        points = {*self._voices, *self._set, *(p for act in self._acts.values() for p in act.voices)}
        return {point: self.value(point, t) for point in points if self._plays(point, t)}

    def start(self, drama: str, t: float) -> float:
        """Begin `drama` at `t`, anew if it is on; return the time at which it ends. Raises PersonaError."""
        if drama not in self._dramas:
            known = ", ".join(sorted(self._dramas)) or "none"
            raise PersonaError(f"no drama {drama!r}; this device has: {known}")
        points = self._dramas[drama]
        from_ = {p: self.value(p, t) for p in points if self._plays(p, t)}
        lasts = [_lasts(shape) for shape in points.values()]
        length = max([s for s in lasts if s is not None], default=UNTIMED_DRAMA)
        spoken = {p: self._drama_voice(p, shape, from_.get(p), t) for p, shape in points.items()}
        self._acts.pop(drama, None)
        self._acts[drama] = _Act(t, t + length, spoken)
        return t + length

    def ended(self, t: float) -> list[str]:
        """Forget the dramas that are over at `t`, and return their names."""
        over = [name for name, act in self._acts.items() if t >= act.end]
        for name in over:
            del self._acts[name]
        return over

    def stop(self, drama: str) -> None:
        """End `drama` now, if it is on."""
        self._acts.pop(drama, None)

    def set(self, point: str, value: Value) -> None:
        """Hold `point` at `value` until it is released."""
        self._set[point] = value

    def release(self, point: str) -> None:
        """Let `point` play on."""
        self._set.pop(point, None)

    def _plays(self, point: str, t: float) -> bool:
        acts = self._acts.values()
        return (
            point in self._voices or point in self._set or any(point in a.voices and t < a.end for a in acts)
        )

    def _look(self, point: str, t: float) -> float:
        return float(self.value(point, t))

    def _voice(self, point: str, shape: Shape) -> Voice:
        salt = zlib.crc32(point.encode(), self._salt)
        match shape:
            case shapes.Charge():
                return voices.charge(
                    shape, salt, phase=self._salt / 2**32
                )  # one phase for all points of a device
            case shapes.Daily():
                return voices.daily(shape, salt, self._midnight)
            case shapes.Counter():
                return voices.counter(shape, self._look, self._hours)
            case shapes.Product():
                return lambda t: math.prod([self._look(p, t) for p in shape.of]) * shape.scale
            case shapes.Switch():
                return lambda _t: shape.value
            case shapes.Ramp() | shapes.Step() | shapes.Burst():
                raise PersonaError(f"point {point!r}: {shape.play!r} belongs in a drama, it has an end")
            case _:
                return voices.plain(shape, salt)

    def _drama_voice(self, point: str, shape: Shape, from_: Value | None, start: float) -> Voice:
        """Return the voice of a point in a drama; its time counts from the drama's `start`."""
        under = self._voices.get(point)

        def persona(t: float) -> Value:
            return under(start + t) if under else (from_ or 0)

        match shape:
            case shapes.Ramp():
                return voices.ramp(shape, float(from_ or 0), persona)
            case shapes.Step():
                return lambda t: shape.to if t < shape.hold else persona(t)
            case shapes.Burst():
                length = shape.every * shape.times
                return lambda t: shape.to if t % shape.every < shape.hold and t < length else persona(t)
            case _:
                voice = self._voice(point, shape)
                return lambda t: voice(start + t)


@dataclass(frozen=True, slots=True)
class _Act:
    """A drama that is on."""

    start: float
    end: float
    voices: Mapping[str, Voice]


def _check(points: Persona, persona: Persona) -> None:
    """Refuse points computed from points that are not there, or from themselves."""
    for point, shape in points.items():
        if isinstance(shape, shapes.Switch) and (unknown := set(shape.gates) - persona.keys()):
            raise PersonaError(f"point {point!r} gates {', '.join(sorted(unknown))}, without a persona")
        if not isinstance(shape, shapes.Product | shapes.Counter):
            continue
        seen, todo = {point}, list(_needs(shape))
        while todo:
            other = todo.pop()
            if other not in persona:
                raise PersonaError(f"point {point!r} is computed from {other!r}, which has no persona")
            if other in seen:
                raise PersonaError(f"point {point!r} is computed from itself, by way of {other!r}")
            seen.add(other)
            todo += _needs(persona[other])


def _needs(shape: Shape) -> tuple[str, ...]:
    match shape:
        case shapes.Product():
            return shape.of
        case shapes.Counter(of=str(other)):
            return (other,)
        case _:
            return ()


def _lasts(shape: Shape) -> float | None:
    """Return how long a shape of a drama takes; None: as long as the others."""
    match shape:
        case shapes.Ramp():
            return shape.over + shape.hold + (shape.over if shape.back is None else shape.back)
        case shapes.Step():
            return shape.hold
        case shapes.Burst():
            return shape.every * shape.times
        case _:
            return None
