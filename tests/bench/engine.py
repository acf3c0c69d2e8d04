"""How fast the engine judges: `python tests/bench/engine.py`. CPU seconds of one core, not wall time."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

sys.path[:0] = [str(Path(__file__).parents[2])]

from gateway.model import AlarmClass, Instant, Sample  # noqa: E402  the path comes first
from rules.conditions import AlarmSpec, BadData, Context, Limit, Stale  # noqa: E402
from rules.engine import Engine, counted_ids  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

WALL, NANO = 10**18, 10**9
ROUNDS = 30


@dataclass(frozen=True)
class Figure:
    name: str
    per_second: float  # points x rules
    milliseconds: float  # per round of all devices


def rules() -> tuple[Limit, Stale, BadData]:
    high = Limit(
        name="high",
        point="p",
        limit=300,
        deadband=15,
        on_delay=10,
        off_delay=60,
        level=2,
        alarm_class=AlarmClass.ELECTRICAL,
    )
    return high, Stale(name="stale"), BadData(name="bad")


def measure(name: str, devices: int, count: int, value: Callable[[int, int], float]) -> Figure:
    """Judge `count` rules at each of `devices` devices, once a second, for ROUNDS seconds."""
    specs = [AlarmSpec(f"d{i}", rule, Context(unit="mA")) for i in range(devices) for rule in rules()[:count]]
    engine = Engine(specs, {}, counted_ids(1), Instant(0.0, WALL))
    spent = 0.0
    for second in range(1, ROUNDS + 3):
        at = WALL + second * NANO
        samples = [Sample(f"d{i}", at, float(second), {"p": value(i, second)}) for i in range(devices)]
        start = time.process_time()
        engine.observe(samples, Instant(float(second), at))
        engine.tick(Instant(float(second), at))
        if second > 2:  # the first samples verify the input
            spent += time.process_time() - start
        engine.take_dirty()
    return Figure(name, devices * count * ROUNDS / spent, spent / ROUNDS * 1000)


def figures() -> list[Figure]:
    return [
        measure("2,000 quiet limits", 2000, 1, lambda i, s: 250.0 + i % 7),
        measure("1,000 points x 3 rules, quiet", 1000, 3, lambda i, s: 250.0),
        measure(
            "1,000 points x 3 rules, every tenth in alarm",
            1000,
            3,
            lambda i, s: 310.0 if i % 10 == 0 else 250.0,
        ),
        measure("2,000 limits, all pending or in alarm", 2000, 1, lambda i, s: 310.0),
        measure("2,000 limits, crossing every second", 2000, 1, lambda i, s: 310.0 if s % 2 else 250.0),
    ]


if __name__ == "__main__":
    found = figures()
    if "json" in sys.argv:
        print(json.dumps([{"name": f.name, "per_second": f.per_second, "ms": f.milliseconds} for f in found]))
    else:
        for f in found:
            print(f"{f.name:48} {f.per_second:>10,.0f} points x rules/s  {f.milliseconds:8.2f} ms/round")
