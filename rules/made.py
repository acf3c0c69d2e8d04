"""Series that are described instead of written out: noise, ramps, days, passing lorries. Pure.

    {noise: [284, 9], count: 86400, seed: 1}          normally distributed, mean and standard deviation
    {ramp: [40, 95], count: 60, sd: 0.2, seed: 1}     from, to; with noise if wanted
    {daily: [45, 8], count: 4320, per_day: 1440}      mean, swing; highest at noon
    {shakes: [10, 45], times: 2500, rest: 8, at: 1}   one or two samples beside `at`, by so much, then rest

The same seed gives the same series on every machine.
"""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

SHAPES = ("noise", "ramp", "daily", "shakes")
KEYS = {
    "noise": {"count"},
    "ramp": {"count", "sd"},
    "daily": {"count", "sd", "per_day"},
    "shakes": {"times", "rest", "at", "sd"},
}


def made(item: Mapping[str, Any]) -> list[float]:
    """Return the values of a described series. Raises ValueError for what is no description."""
    shapes = [shape for shape in SHAPES if shape in item]
    if len(shapes) != 1:
        raise ValueError(f"a described series has exactly one of {', '.join(SHAPES)}")
    shape = shapes[0]
    known = {shape, "seed", "digits"} | KEYS[shape]
    if strange := sorted(str(key) for key in item.keys() - known):
        raise ValueError(f"unknown key {strange[0]!r}; known: {', '.join(sorted(known))}")
    pair = item[shape]
    if not isinstance(pair, list) or len(pair) != 2 or not all(map(_number, pair)):
        raise ValueError(f"{shape} needs two numbers, not {pair!r}")
    if wrong := next((key for key in item.keys() - {shape} if not _number(item[key])), None):
        raise ValueError(f"{wrong} must be a number, not {item[wrong]!r}")
    chance = _normal(random.Random(item.get("seed", 1)))  # noqa: S311  repeatable, not secret
    digits = int(item.get("digits", 3))
    return [round(value, digits) for value in _of(shape, float(pair[0]), float(pair[1]), item, chance)]


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _of(
    shape: str, a: float, b: float, item: Mapping[str, Any], chance: Callable[[], float]
) -> Iterator[float]:
    count, sd = int(item.get("count", 1)), float(item.get("sd", 0.0))
    if shape == "noise":
        yield from (a + b * chance() for _ in range(count))
    elif shape == "ramp":
        steps = max(count - 1, 1)
        yield from (a + (b - a) * i / steps + sd * chance() for i in range(count))
    elif shape == "daily":
        turn = 2 * math.pi / float(item.get("per_day", 86400))
        yield from (a - b * math.cos(i * turn) + sd * chance() for i in range(count))
    else:
        yield from _shakes(a, b, item, chance)


def _shakes(low: float, high: float, item: Mapping[str, Any], chance: Callable[[], float]) -> Iterator[float]:
    at, sd = float(item.get("at", 0.0)), float(item.get("sd", 0.0))
    for i in range(int(item.get("times", 1))):
        for _ in range(1 + i % 2):
            size = low + (high - low) * min(abs(chance()) / 2, 1.0)
            yield at + math.copysign(size, chance())
        yield from (at + sd * chance() for _ in range(int(item.get("rest", 8))))


def _normal(source: random.Random) -> Callable[[], float]:
    """Return a normal distribution of which only `random()` is taken from the library: it never changes."""

    def draw() -> float:
        # Box and Muller, 1958.
        return math.sqrt(-2 * math.log(1 - source.random())) * math.cos(2 * math.pi * source.random())

    return draw
