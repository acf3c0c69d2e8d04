"""Gives the value of every point of a played device at a time. Pure: time comes in, seconds since the start.

Runs are reproducible: everything random comes from the seed, and from a grid of time rather than from how
often somebody looks. Time given to one player must not run backwards.
"""

from __future__ import annotations

import math
import random
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drivers.simulator import persona as shapes
from gateway.model import Value

if TYPE_CHECKING:
    from drivers.simulator.persona import Dramas, Persona, Shape

GRID = 0.1
"""Seconds: noise changes at most this often."""
UNTIMED_DRAMA = 60.0
"""Seconds a drama lasts in which no shape says how long."""
_WALK_STEP = 1.0
_WALK_LONGEST = 100_000  # steps made up for after a pause
_INTEGRATE_STEP = 60.0
_TAPER_FALL = 3.0  # time constants within a taper: e^-3 = 5 % of the peak remains
_GAUSS = tuple(random.Random(1).gauss(0, 1) for _ in range(4096))  # noqa: S311 - it plays, it hides nothing

_Voice = Callable[[float], Value]  # the value of one point at a time
_Look = Callable[[str, float], float]  # the value of another point at a time


class PersonaError(ValueError):
    """A persona or a drama that cannot be played, with the reason."""


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

    @property
    def points(self) -> frozenset[str]:
        """The points that the persona plays."""
        return frozenset(self._voices)

    def value(self, point: str, t: float) -> Value:
        """Return the value of `point` at `t`: set by hand, else of the latest drama, else of the persona."""
        if point in self._set:
            return self._set[point]
        for act in reversed(self._acts.values()):
            voice = act.voices.get(point)
            if voice is not None and t < act.end:
                return voice(t - act.start)
        return self._voices[point](t)

    def values(self, t: float) -> dict[str, Value]:
        """Return the values of all points at `t`."""
        if not self._acts and not self._set:
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
        voices = {p: self._drama_voice(p, shape, from_.get(p), t) for p, shape in points.items()}
        self._acts.pop(drama, None)
        self._acts[drama] = _Act(t, t + length, voices)
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

    def _voice(self, point: str, shape: Shape) -> _Voice:
        salt = zlib.crc32(point.encode(), self._salt)
        match shape:
            case shapes.Charge():
                return _charge(shape, salt, phase=self._salt / 2**32)  # one phase for all points of a device
            case shapes.Daily():
                return _daily(shape, salt, self._midnight)
            case shapes.Counter():
                return _counter(shape, self._look, self._hours)
            case shapes.Product():
                return lambda t: math.prod([self._look(p, t) for p in shape.of]) * shape.scale
            case shapes.Ramp() | shapes.Step() | shapes.Burst():
                raise PersonaError(f"point {point!r}: {shape.play!r} belongs in a drama, it has an end")
            case _:
                return _plain(shape, salt)

    def _drama_voice(self, point: str, shape: Shape, from_: Value | None, start: float) -> _Voice:
        """Return the voice of a point in a drama; its time counts from the drama's `start`."""
        under = self._voices.get(point)

        def persona(t: float) -> Value:
            return under(start + t) if under else (from_ or 0)

        match shape:
            case shapes.Ramp():
                return _ramp(shape, float(from_ or 0), persona)
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
    voices: Mapping[str, _Voice]


def _check(points: Persona, persona: Persona) -> None:
    """Refuse points computed from points that are not there, or from themselves."""
    for point, shape in points.items():
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


def _gauss(salt: int, step: int) -> float:
    """Return the gaussian deviate that belongs to this point and this step of time."""
    return _GAUSS[((salt + step * 2654435761) * 2246822519 & 0xFFFFFFFF) >> 20]


def _plain(shape: shapes.Constant | shapes.Code | shapes.Noise | shapes.Walk, salt: int) -> _Voice:
    match shape:
        case shapes.Noise():
            return _noise(shape, salt)
        case shapes.Walk():
            return _walk(shape, salt)
        case _:
            value = shape.value
            return lambda _t: value


def _noise(shape: shapes.Noise, salt: int) -> _Voice:
    mean, sd, low, high = shape.mean, shape.sd, shape.min, shape.max
    return lambda t: min(high, max(low, mean + sd * _gauss(salt, int(t / GRID))))


def _walk(shape: shapes.Walk, salt: int) -> _Voice:
    at, value = 0, shape.start

    def voice(t: float) -> float:
        nonlocal at, value
        now = int(t / _WALK_STEP)
        for step in range(max(at, now - _WALK_LONGEST), now):
            value += shape.step * _gauss(salt, step)
            if value > shape.max:
                value = max(shape.min, 2 * shape.max - value)
            elif value < shape.min:
                value = min(shape.max, 2 * shape.min - value)
        at = max(at, now)
        return value

    return voice


def _daily(shape: shapes.Daily, salt: int, midnight: float) -> _Voice:
    def voice(t: float) -> float:
        angle = 2 * math.pi * ((midnight + t) / 3600 - shape.peak) / 24
        return shape.mean + shape.swing * math.cos(angle) + shape.sd * _gauss(salt, int(t / GRID))

    return voice


def _charge(shape: shapes.Charge, salt: int, phase: float) -> _Voice:
    length = shape.ramp + shape.hold + shape.taper + shape.rest

    def voice(t: float) -> float:
        s = (t + phase * length) % length
        if s < shape.ramp:
            part = s / shape.ramp
        elif (s := s - shape.ramp) < shape.hold:
            part = 1.0
        elif (s := s - shape.hold) < shape.taper:
            part = math.exp(-_TAPER_FALL * s / shape.taper)
        else:
            return shape.idle
        wave = shape.sd * _gauss(salt, int(t / GRID))
        return max(0.0, shape.idle + (shape.peak - shape.idle) * part + wave)

    return voice


def _counter(shape: shapes.Counter, look: _Look, hours: float) -> _Voice:
    """Integrate by trapezoids between looks, in pieces of at most a minute."""
    total = shape.start + shape.per_hour * hours
    at = 0.0
    of = shape.of
    rate = look(of, 0.0) * shape.scale if of else shape.per_hour

    def voice(t: float) -> float:
        nonlocal total, at, rate
        while at < t:
            piece = min(t - at, _INTEGRATE_STEP)
            at = t if piece < _INTEGRATE_STEP else at + piece
            now = look(of, at) * shape.scale if of else shape.per_hour
            total += (rate + now) / 2 * piece / 3600
            rate = now
        return total

    return voice


def _ramp(shape: shapes.Ramp, from_: float, persona: _Voice) -> _Voice:
    back = shape.over if shape.back is None else shape.back

    def voice(t: float) -> Value:
        if t < shape.over:
            return from_ + (shape.to - from_) * t / shape.over
        if t < shape.over + shape.hold:
            return shape.to
        if t < shape.over + shape.hold + back:
            left = 1 - (t - shape.over - shape.hold) / back
            return float(persona(t)) * (1 - left) + shape.to * left
        return persona(t)

    return voice
