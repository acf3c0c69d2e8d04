"""Steps of the wall clock: seen, told, and the labels from before a clock was right put right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from alarm_life import NANO, Life, limit
from clock import FakeClock
from small_gateway import Running

from gateway.clockwatch import ClockWatch, Step

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("delta", [3600.0, -3600.0, 315_360_000.0, 0.6])
def test_a_step_is_seen_once(delta: float) -> None:
    clock = FakeClock()
    watch = ClockWatch(clock.now())
    assert watch.look(clock.advance(5)) is None
    clock.step_wall(delta)
    assert watch.look(clock.advance(5)) == Step(delta, synced=True, before=True)
    assert watch.look(clock.advance(5)) is None


def test_a_clock_that_is_steered_takes_no_steps() -> None:
    clock = FakeClock()
    watch = ClockWatch(clock.now())
    for _ in range(100):
        clock.step_wall(0.1)
        assert watch.look(clock.advance(5)) is None


def test_that_somebody_vouches_for_it_now_is_told_too() -> None:
    clock = FakeClock()
    clock.synced = False
    watch = ClockWatch(clock.now())
    clock.synced = True
    step = watch.look(clock.advance(5))
    assert step == Step(0.0, synced=True, before=False)
    assert not step.corrects


def test_the_beginning_of_an_alarm_from_before_the_clock_was_right_is_put_right() -> None:
    life = Life(limit(on_delay=0.0))
    life.synced = False
    life.see(1, 60.0)
    opened = life.occurrence.opened
    life.engine.relabel(1_000_000.0)
    assert life.occurrence.opened == opened + 1_000_000 * NANO
    assert life.note([]) == []
    assert life.kept[life.key]["occurrence"]["opened"] == opened + 1_000_000 * NANO
    life.engine.relabel(5.0)
    assert life.occurrence.opened == opened + 1_000_000 * NANO, "once is enough"


def test_what_began_on_a_clock_that_was_right_or_in_another_run_stays() -> None:
    life = Life(limit(on_delay=0.0))
    life.see(1, 60.0)
    opened = life.occurrence.opened
    life.engine.relabel(1000.0)
    assert life.occurrence.opened == opened
    other = Life(limit(on_delay=0.0))
    other.synced = False
    other.see(1, 60.0)
    other.restart(2)
    other.engine.relabel(1000.0)
    assert other.occurrence.opened == opened, "the clocks of two runs cannot be compared"


def test_a_step_stands_in_the_audit_and_raises_a_fault(tmp_path: Path) -> None:
    with Running(tmp_path) as running:
        health = running.gateway.health
        health._watch._offset -= 3600 * NANO
        health._watch._synced = health._clock.synced
        before = health._clock.synced
        running.do(health.step())
        entries = [line["entry"] for line in running.daemon.get("/audit")]
        (step,) = [entry for entry in entries if entry["type"] == "clock_step"]
        assert step["delta"] == pytest.approx(3600, abs=1)
        raised = {(e["device"], e["rule"]) for e in running.daemon.get("/events") if e["event"] == "raise"}
        assert (("gateway", "clock-stepped") in raised) is before
