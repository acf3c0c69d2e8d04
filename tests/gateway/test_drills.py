"""Drills as people see them: scope, checklist, end on either clock, and what a restart keeps."""

from __future__ import annotations

import pytest
from clock import FakeClock

from gateway.drills import REMIND, Drill, Drills, Kind, members
from gateway.model import AlarmClass, AlarmEvent, EventKind, Quality

WHERE = {"gas-1": ("b3", "bus"), "gas-2": ("b3", "plant"), "cover": ("", "bus")}


def begun(clock: FakeClock, length: float = 600.0) -> Drills:
    now, drills = clock.now(), Drills(None, clock.now())
    drills.drill = Drill(
        "1", Kind.WALK_TEST, "all", tuple(WHERE), ("gas-1", "gas-2"), "wang", "", "quarter",
        now.wall, now.wall + round(length * 1e9), now.mono + length,
    )  # fmt: skip
    return drills


@pytest.mark.parametrize(
    ("scope", "found"),
    [
        ("all", ("gas-1", "gas-2", "cover")),
        ("device:gas-1", ("gas-1",)),
        ("zone:b3", ("gas-1", "gas-2")),
        ("line:bus", ("gas-1", "cover")),
        ("zone:", ()),
        ("line:none", ()),
    ],
)
def test_a_scope_is_these_devices(scope: str, found: tuple[str, ...]) -> None:
    assert members(scope, WHERE) == found


@pytest.mark.parametrize("scope", ["", "b3", "building:3", "All"])
def test_what_is_no_scope_is_refused(scope: str) -> None:
    with pytest.raises(ValueError, match="zone:NAME"):
        members(scope, WHERE)


def test_a_drill_ends_on_whichever_clock_comes_first() -> None:
    clock = FakeClock()
    drills = begun(clock)
    assert drills.running(clock.advance(599))
    assert not drills.running(clock.advance(1))
    drills = begun(clock)
    clock.step_wall(601)
    assert not drills.running(clock.now())
    assert drills.running(clock.now()._replace(synced=False))


def test_the_first_signal_of_a_detector_counts_and_the_first_after_its_test_was_announced() -> None:
    clock = FakeClock()
    drills = begun(clock)
    drill = drills.drill
    assert drill is not None
    drills.hear("gas-1", "r", clock.advance(5).wall, 2, 30.0)
    drills.hear("gas-1", "r", clock.advance(5).wall, 2, 31.0)
    assert drill.heard["gas-1"]["after"] == 5.0
    assert drill.heard["gas-1"]["response"] is None
    drill.announced["gas-1"] = clock.advance(10).wall
    drills.hear("gas-1", "r", clock.advance(3).wall, 2, 32.0)
    assert drill.heard["gas-1"]["response"] == 3.0
    drills.hear("gas-1", "r", clock.advance(30).wall, 2, 33.0)
    assert drill.heard["gas-1"]["response"] == 3.0


def test_what_is_outside_or_from_before_is_not_heard() -> None:
    clock = FakeClock()
    drills = begun(clock)
    drills.hear("cover", "r", clock.now().wall, 2, 1.0)  # in the scope, but it cannot alarm
    drills.hear("other", "r", clock.now().wall, 2, 1.0)
    drills.hear("gas-1", "r", clock.now().wall - 1, 2, 1.0)
    assert drills.drill is not None
    assert not drills.drill.heard


def test_a_test_that_was_announced_and_brought_no_signal_is_overdue() -> None:
    clock = FakeClock()
    drills = begun(clock, 3600)
    assert drills.drill is not None
    drills.drill.announced["gas-1"] = clock.now().wall
    report = drills.report(clock.advance(REMIND - 1))
    assert report is not None
    assert not any(line["overdue"] for line in report["detectors"])
    report = drills.report(clock.advance(1))
    assert report is not None
    assert {line["device"]: line["overdue"] for line in report["detectors"]} == {
        "gas-1": True,
        "gas-2": False,
    }


def test_a_restart_keeps_the_drill_and_never_lengthens_it() -> None:
    clock = FakeClock()
    drills = begun(clock)
    drills.hear("gas-1", "r", clock.advance(5).wall, 2, 30.0)
    kept = drills.keep(clock.now())
    clock.step_wall(-3600)  # a board without a battery
    again = Drills(kept, clock.advance(10))
    assert again.drill is not None
    assert again.drill.until - clock.mono() <= 595.0
    report = again.report(clock.now())
    assert report is not None
    assert (report["heard"], report["kind"], report["devices"]) == (1, "walk_test", 3)
    clock.step_wall(3600 + 600)
    assert not Drills(kept, clock.now()).running(clock.now())


def red(device: str, kind: str = "raise", *, active: bool = True, level: int = 1) -> AlarmEvent:
    return AlarmEvent(
        kind=EventKind(kind), device=device, rule="r", occurrence="1", n=1, at=0, mono=0.0,
        alarm_class=AlarmClass.GAS, level=level, letter="B", active=active, acked=False, latched=False,
        activation=1, value=60.0, limit=50.0, unit="", quality=Quality.GOOD, test=True, actor="", reason="", message={},
    )  # fmt: skip


def test_a_second_detector_that_is_red_at_once_is_suspected() -> None:
    drills = begun(FakeClock())
    drills.note([red("gas-1")])
    assert drills.suspects == []
    drills.note([red("gas-2")])
    assert drills.suspects == ["gas-2"]


@pytest.mark.parametrize(
    "between",
    [
        [red("gas-1", "cond_normal", active=False)],  # the first has gone
        [red("gas-1", "update", level=3)],  # or is no longer red
    ],
)
def test_one_after_the_other_is_a_walk_test(between: list[AlarmEvent]) -> None:
    drills = begun(FakeClock())
    drills.note([red("gas-1"), *between, red("gas-2")])
    assert drills.suspects == []


def test_one_that_was_announced_is_not_suspected_and_neither_is_one_in_an_exercise() -> None:
    drills = begun(FakeClock())
    assert drills.drill is not None
    drills.drill.announced["gas-2"] = 1
    drills.note([red("gas-1"), red("gas-2")])
    drills.drill.announced.clear()
    drills.drill.kind = Kind.EXERCISE
    drills.note([red("gas-2", "upgrade")])
    assert drills.suspects == []
