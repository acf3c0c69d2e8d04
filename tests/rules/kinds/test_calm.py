"""The short cut at rest changes nothing: the same readings with and without it lead to the same events."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from gateway.model import Instant, Quality, Sample
from rules import conditions as c
from rules.engine import Engine, counted_ids

if TYPE_CHECKING:
    from gateway.model import Value

WALL, NANO = 1_790_000_000 * 10**9, 10**9
RULES = [
    c.Rate(name="rate", point="p", limit=10.0, window=60.0, deadband=2.0),
    c.Rate(name="slow", point="p", limit=3.0, window=300.0, direction="both"),
    c.Window(name="step", point="p", stat="step", window=20.0, limit=30.0, threshold=5.0, off_delay=5.0),
    c.Duration(
        name="session",
        point="p",
        above=5.0,
        below=4.0,
        start_for=5.0,
        end_for=5.0,
        levels=(c.Span(after=30.0, level=3),),
    ),
    c.Baseline(name="usual", point="p", margin=3.0, learn=1, days=3),
    c.Schedule(name="hours", point="p", limit=20.0, hours=(c.Hours(begin="00:00", end="12:00", limit=15.0),)),
]


class Judged(Engine):
    """Asks every rule about every reading."""

    def observe(self, samples: list[Sample], now: Instant) -> list[object]:  # type: ignore[override]
        for alarm in self.alarms():
            alarm.calm = None
        return list(super().observe(samples, now))


def story(chance: random.Random, seconds: int, every: float) -> list[tuple[float, Value | Quality | None]]:
    level, found = 0.0, []
    for i in range(int(seconds / every)):
        if chance.random() < 0.01:
            level = chance.choice([0.0, 0.0, 3.0, 8.0, 14.0, 25.0])
        value: Value | Quality | None = round(max(0.0, level + chance.gauss(0, 0.2)), 3)
        if chance.random() < 0.005:
            value = chance.choice([None, Quality.SENTINEL, float("nan")])
        found.append((i * every, value))
    return found


def run(
    kind: type[Engine], rule: c.Rule, readings: list[tuple[float, Value | Quality | None]]
) -> list[object]:
    engine = kind(
        [c.AlarmSpec("d", rule, c.Context(interval=readings[1][0]))], {}, counted_ids(1), Instant(0.0, WALL)
    )
    out: list[object] = []
    for at, value in readings:
        now = Instant(at, WALL + round(at * NANO))
        if value is not None:
            bad = {"p": value} if isinstance(value, Quality) else {}
            good = {} if isinstance(value, Quality) else {"p": value}
            out += engine.observe([Sample("d", now.wall, at, good, bad)], now)
        out += engine.tick(now)
    return [(e.kind, e.mono, e.level, e.activation) for e in out]  # type: ignore[attr-defined]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_with_and_without_the_short_cut(rule: c.Rule, seed: int) -> None:
    long = rule.name == "usual"
    readings = story(random.Random(seed), 4 * 86400 if long else 4000, 60.0 if long else 1.0)
    quick = run(Engine, rule, readings)
    assert quick == run(Judged, rule, readings)
    assert quick, "a story in which nothing happens proves nothing"
