"""What can be wrong with the gateway itself: each rule raised and cleared by the real engine."""

from __future__ import annotations

import pytest
from clock import FakeClock

from gateway.faults import (
    EVERY,
    GATEWAY,
    GATEWAY_UNITS,
    LINE_UNITS,
    gateway_rules,
    line_device,
    line_rules,
    specs,
)
from gateway.model import EventKind, Sample
from rules.engine import Engine, counted_ids

GATEWAY_POINTS = dict.fromkeys(GATEWAY_UNITS, 0.0)
LINE_POINTS = dict.fromkeys(LINE_UNITS, 0.0)
# rule -> (device, point, a value that is wrong, one that is just well)
WRONG = {
    "alarm-undelivered": (GATEWAY, "alarm_unsent", 10.1, 9.0),
    "broker-away": (GATEWAY, "broker_away", 10.1, 9.0),
    "telemetry-lost": (GATEWAY, "telemetry_dropped", 1.0, 0.0),
    "alarms-in-memory": (GATEWAY, "alarms_in_memory", 1.0, 0.0),
    "telemetry-waiting": (GATEWAY, "telemetry_waiting", 1.0, 0.0),
    "space-low": (GATEWAY, "space_low", 1.0, 0.0),
    "file-damaged": (GATEWAY, "files_damaged", 1.0, 0.0),
    "clock-stepped": (GATEWAY, "clock_step", 1.1, 0.9),
    "loop-slow": (GATEWAY, "loop_lag", 1.1, 0.9),
    "lines-down": (GATEWAY, "lines_down", 5.1, 0.0),
    "line-down": (line_device("bus"), "down", 5.1, 0.0),
    "line-overfull": (line_device("bus"), "utilisation", 0.99, 0.9),
}


class Watched:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.engine = Engine(specs(["bus"]), {}, counted_ids(1), self.clock.now())

    def steps(self, device: str, point: str, value: float, seconds: float) -> list[tuple[EventKind, str]]:
        found = []
        for _ in range(int(seconds / EVERY) + 1):
            now = self.clock.advance(EVERY)
            base = GATEWAY_POINTS if device == GATEWAY else LINE_POINTS
            samples = [Sample(device, now.wall, now.mono, {**base, point: value})]
            found += self.engine.observe(samples, now) + self.engine.tick(now)
        return [(event.kind, event.rule) for event in found]


def test_every_rule_is_tried() -> None:
    assert {rule.name for rule in (*gateway_rules(), *line_rules())} == WRONG.keys()


@pytest.mark.parametrize("rule", WRONG)
def test_a_fault_is_raised_once_and_cleared(rule: str) -> None:
    device, point, wrong, well = WRONG[rule]
    watched = Watched()
    assert watched.steps(device, point, well, 30) == []
    assert watched.steps(device, point, wrong, 100) == [(EventKind.RAISE, rule)]
    assert (EventKind.CLEAR, rule) in watched.steps(device, point, well, 200)
    assert watched.engine.view() == []


def test_every_fault_speaks_both_languages_with_its_figures() -> None:
    for rule in (*gateway_rules(), *line_rules()):
        assert rule.message
        assert rule.message["zh"] != rule.message["en"]
        assert rule.level == 0
