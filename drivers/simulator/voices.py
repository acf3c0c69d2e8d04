"""The functions of time behind the shapes of a persona. Pure.

What is random comes from the salt of the point and a grid of time, not from who looks how often.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from drivers.simulator import persona as shapes
from gateway.model import Value

GRID = 0.1
"""Seconds: noise changes at most this often."""
_WORD = 0xFFFFFFFF
_WALK_STEP = 1.0
_WALK_LONGEST = 100_000  # steps made up for after a pause
_INTEGRATE_STEP = 60.0
_TAPER_FALL = 3.0  # time constants within a taper: e^-3 = 5 % of the peak remains
_CHANCE = random.Random(1)  # noqa: S311 - it plays, it hides nothing
_GAUSS = tuple(_CHANCE.gauss(0, 1) for _ in range(4096))

Voice = Callable[[float], Value]
"""The value of one point at a time."""
Look = Callable[[str, float], float]
"""The value of another point of the device at a time."""


def gauss(salt: int, step: int) -> float:
    """Return the gaussian deviate that belongs to this point and this step of time."""
    mixed = salt + step * 0x9E3779B1 & _WORD  # the finalizer of MurmurHash3: a plain product shows patterns
    mixed = (mixed ^ mixed >> 15) * 0x85EBCA6B & _WORD
    mixed = (mixed ^ mixed >> 13) * 0xC2B2AE35 & _WORD
    return _GAUSS[mixed >> 20]


def plain(shape: shapes.Constant | shapes.Code | shapes.Noise | shapes.Walk, salt: int) -> Voice:
    """Return the voice of a shape without a course."""
    match shape:
        case shapes.Noise():
            return noise(shape, salt)
        case shapes.Walk():
            return walk(shape, salt)
        case _:
            value = shape.value
            return lambda _t: value


def noise(shape: shapes.Noise, salt: int) -> Voice:
    """Return gaussian noise within bounds."""
    mean, sd, low, high = shape.mean, shape.sd, shape.min, shape.max
    return lambda t: min(high, max(low, mean + sd * gauss(salt, int(t / GRID))))


def walk(shape: shapes.Walk, salt: int) -> Voice:
    """Return a random walk; its steps are made up for when nobody looked."""
    at, value = 0, shape.start

    def voice(t: float) -> float:
        nonlocal at, value
        now = int(t / _WALK_STEP)
        for step in range(max(at, now - _WALK_LONGEST), now):
            value += shape.step * gauss(salt, step)
            if value > shape.max:
                value = max(shape.min, 2 * shape.max - value)
            elif value < shape.min:
                value = min(shape.max, 2 * shape.min - value)
        at = max(at, now)
        return value

    return voice


def daily(shape: shapes.Daily, salt: int, midnight: float) -> Voice:
    """Return a swing over the day; `midnight` is the second of the day at time 0."""

    def voice(t: float) -> float:
        angle = 2 * math.pi * ((midnight + t) / 3600 - shape.peak) / 24
        return shape.mean + shape.swing * math.cos(angle) + shape.sd * gauss(salt, int(t / GRID))

    return voice


def charge(shape: shapes.Charge, salt: int, phase: float) -> Voice:
    """Return charging sessions; `phase` (0 to 1) is where in a session time 0 lies."""
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
        wave = shape.sd * gauss(salt, int(t / GRID))
        return max(0.0, shape.idle + (shape.peak - shape.idle) * part + wave)

    return voice


def counter(shape: shapes.Counter, look: Look, hours: float) -> Voice:
    """Integrate by trapezoids between looks, in pieces of at most a minute."""
    total = shape.start + shape.per_hour * hours
    at = 0.0
    of = shape.of
    rate: float | None = None  # not known before the other points are there to be looked at

    def voice(t: float) -> float:
        nonlocal total, at, rate
        if rate is None:
            rate = look(of, at) * shape.scale if of else shape.per_hour
        while at < t:
            piece = min(t - at, _INTEGRATE_STEP)
            at = t if piece < _INTEGRATE_STEP else at + piece
            now = look(of, at) * shape.scale if of else shape.per_hour
            total += (rate + now) / 2 * piece / 3600
            rate = now
        return total

    return voice


def ramp(shape: shapes.Ramp, from_: float, persona: Voice) -> Voice:
    """Return the way from `from_` to the target and back to the persona; time counts from its start."""
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
