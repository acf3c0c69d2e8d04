"""Rules on the readings of yesterday: what would have fired, how often, for how long."""

from __future__ import annotations

import random

from gateway.model import Quality, Sample
from rules.conditions import AlarmSpec, Context, Limit, Stale
from rules.replay import Replay

NANO, WALL = 10**9, 1_790_000_000 * 10**9


def sample(at: float, value: float | Quality, device: str = "d") -> Sample:
    bad = isinstance(value, Quality)
    wall = WALL + round(at * NANO)
    return Sample(device, wall, at, {} if bad else {"p": value}, {"p": value} if bad else {})  # type: ignore[dict-item]  # one of the two


def high(**more: object) -> AlarmSpec:
    return AlarmSpec("d", Limit(name="high", point="p", limit=50.0, **more), Context(interval=1.0))  # type: ignore[arg-type]  # by name


def fired(spec: AlarmSpec, values: list[tuple[float, float | Quality]]) -> Replay:
    replay = Replay([spec])
    for at, value in values:
        replay.feed(sample(at, value))
    replay.finish()
    return replay


def test_every_time_a_rule_fires_is_counted_though_nobody_acknowledges() -> None:
    found = fired(high(), [(i, 60.0 if i % 2 else 10.0) for i in range(100)]).fired["d", "high"]
    assert found.count == 50
    assert found.times[:2] == [WALL + NANO, WALL + 3 * NANO]
    assert found.stood == 50 - 1 + 0.0  # it came with the last sample, and has not stood since


def test_a_deadband_and_delays_tell_a_hover_from_an_alarm() -> None:
    chance = random.Random(3)
    noisy: list[tuple[float, float | Quality]] = [(i, chance.gauss(47, 2)) for i in range(3600)]
    plain, meant = fired(high(), noisy), fired(high(deadband=5, on_delay=10, off_delay=60), noisy)
    assert plain.fired["d", "high"].count > 100
    assert meant.fired["d", "high"].count == 0


def test_a_rule_that_never_fires_is_in_the_outcome() -> None:
    assert fired(high(), [(0, 1.0)]).fired["d", "high"].count == 0


def test_what_stands_at_the_end_has_stood_until_the_end() -> None:
    assert fired(high(), [(i, 60.0) for i in range(11)]).fired["d", "high"].stood == 10


def test_bad_readings_end_nothing() -> None:
    values: list[tuple[float, float | Quality]] = [(0, 10.0), (1, 60.0), (2, Quality.SENTINEL), (3, 60.0)]
    found = fired(high(), values).fired["d", "high"]
    assert (found.count, found.stood) == (1, 2)


def test_while_nobody_recorded_nobody_judged() -> None:
    """A gateway that was off is no device that fell silent; what stood before goes on standing after it."""
    stale = AlarmSpec("d", Stale(name="stale"), Context(interval=1.0))
    replay = Replay([stale, high()])
    for at in [*range(10), *range(5000, 5010)]:
        replay.feed(sample(at, 60.0))
    found = replay.finish()
    assert found["d", "stale"].count == 0
    assert found["d", "high"].count == 1
    assert (replay.silence.times, replay.silence.seconds) == (1, 4991)


def test_a_device_that_says_nothing_while_others_do_is_stale() -> None:
    replay = Replay([AlarmSpec("d", Stale(name="stale"), Context(interval=1.0))])
    replay.feed(sample(0, 1.0))
    for at in range(1, 100):
        replay.feed(sample(at, 1.0, "other"))
    assert replay.finish()["d", "stale"].count == 1
