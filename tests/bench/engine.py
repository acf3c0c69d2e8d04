"""How fast the engine judges: `python tests/bench/engine.py [json]`. CPU seconds of one core, not wall time.

Exit 1 when a figure that is promised misses it. The last one is no promise: there every reading is a RAISE or a
CLEAR with its text in two languages and its state for the disk, 2,000 a second.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

sys.path[:0] = [str(Path(__file__).parents[2])]

from gateway.model import AlarmClass, Instant, Sample  # noqa: E402  the path comes first
from rules.conditions import AlarmSpec, BadData, Context, Limit, Stale  # noqa: E402
from rules.engine import Engine, counted_ids  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rules.rule import Rule

WALL, NANO = 10**18, 10**9
ROUNDS = 30
PROMISED = 50_000  # points x rules per second on one core


@dataclass(frozen=True)
class Figure:
    name: str
    per_second: float  # points x rules
    milliseconds: float  # per round of all devices
    promised: bool = True

    @property
    def met(self) -> bool:
        """Whether it is as fast as was promised."""
        return not self.promised or self.per_second >= PROMISED

    def __str__(self) -> str:
        """Return the line of the table."""
        missed = "" if self.met else f"  promised: {PROMISED:,}"
        return f"{self.name:48} {self.per_second:>10,.0f} points x rules/s  {self.milliseconds:8.2f} ms/round{missed}"


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


def measure(name: str, devices: int, each: Sequence[Rule], value: Callable[[int, int], float]) -> Figure:
    """Judge these rules at each of `devices` devices, once a second, for ROUNDS seconds."""
    specs = [AlarmSpec(f"d{i}", rule, Context(unit="mA")) for i in range(devices) for rule in each]
    engine = Engine(specs, {}, counted_ids(1), Instant(0.0, WALL))
    gc.collect()
    gc.freeze()  # as the daemon does when it has started (`gateway.app.keep_what_is`)
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
    return Figure(name, devices * len(each) * ROUNDS / spent, spent / ROUNDS * 1000)


def figures() -> list[Figure]:
    """Return what was measured, the promised figures first."""
    three = rules()
    one, bare = three[:1], [Limit(name="bare", point="p", limit=300, level=2, alarm_class=AlarmClass.GAS)]
    found = [
        measure("2,000 quiet limits", 2000, one, lambda i, s: 250.0 + i % 7),
        measure("1,000 points x 3 rules, quiet", 1000, three, lambda i, s: 250.0),
        measure(
            "1,000 points x 3 rules, every tenth in alarm",
            1000,
            three,
            lambda i, s: 310.0 if i % 10 == 0 else 250.0,
        ),
        measure("2,000 limits, all pending or in alarm", 2000, one, lambda i, s: 310.0),
        measure("2,000 limits, crossing every second", 2000, one, crossing),
    ]
    told = measure("2,000 limits, all raised or cleared each second", 2000, bare, crossing)
    return [*found, replace(told, promised=False)]


def crossing(i: int, second: int) -> float:
    """Return a value above its limit in every other second."""
    del i
    return 310.0 if second % 2 else 250.0


def main() -> int:
    found = figures()
    if "json" in sys.argv:
        print(json.dumps([{"name": f.name, "per_second": f.per_second, "ms": f.milliseconds} for f in found]))
    else:
        print("\n".join(map(str, found)))
    return 0 if all(f.met for f in found) else 1


if __name__ == "__main__":
    sys.exit(main())
