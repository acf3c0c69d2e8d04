"""`schedule`: local hours with daylight saving, and a clock that nobody vouches for."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from rules.conditions import Hours, Schedule
from rules.look import Look, Phase
from rules.state import NANO

BERLIN, SHANGHAI = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Shanghai")
NIGHT = Schedule(name="n", point="p", limit=700, hours=(Hours(begin="23:00", end="06:00", limit=300),))


def in_force(rule: Schedule, utc: str, zone: ZoneInfo, *, synced: bool = True) -> int:
    wall = round(datetime.fromisoformat(utc).replace(tzinfo=UTC).timestamp()) * NANO
    return rule.in_force(Look(None, 0.0, 1.0, {}, {}, [Phase.NORMAL], wall, synced, zone))


@pytest.mark.parametrize(
    ("utc", "zone", "night"),
    [
        ("2026-03-01 14:59", SHANGHAI, False),
        ("2026-03-01 15:00", SHANGHAI, True),
        ("2026-03-01 21:59", SHANGHAI, True),
        ("2026-03-01 22:00", SHANGHAI, False),
        ("2026-03-28 21:59", BERLIN, False),  # winter time: UTC + 1
        ("2026-03-28 22:00", BERLIN, True),
        ("2026-03-29 03:59", BERLIN, True),  # summer time since 01:00 UTC: this is 05:59
        ("2026-03-29 04:00", BERLIN, False),
        ("2026-10-25 04:59", BERLIN, True),  # winter time since 01:00 UTC: 05:59 again
        ("2026-10-25 05:00", BERLIN, False),
    ],
)
def test_hours_are_local_also_when_the_clocks_change(utc: str, zone: ZoneInfo, night: bool) -> None:
    assert (in_force(NIGHT, utc, zone) == 1) is night


def test_while_the_clock_is_wrong_the_strictest_limit_holds() -> None:
    assert in_force(NIGHT, "2026-03-01 04:00", SHANGHAI, synced=False) == 1
    below = Schedule(
        name="n", point="p", when="below", limit=5, hours=(Hours(begin="23:00", end="06:00", limit=2),)
    )
    assert in_force(below, "2026-03-01 16:00", SHANGHAI, synced=False) == 0


def test_a_night_belongs_to_the_day_on_which_it_begins() -> None:
    friday = Schedule(
        name="n", point="p", limit=700, hours=(Hours(begin="23:00", end="06:00", limit=300, days=("fri",)),)
    )
    assert in_force(friday, "2026-03-06 15:30", SHANGHAI) == 1  # Friday 23:30
    assert in_force(friday, "2026-03-06 21:30", SHANGHAI) == 1  # Saturday 05:30
    assert in_force(friday, "2026-03-05 21:30", SHANGHAI) == 0  # Friday 05:30
    assert in_force(friday, "2026-03-07 15:30", SHANGHAI) == 0


@pytest.mark.parametrize(
    ("hours", "what"),
    [
        ((), "hours is empty"),
        ((Hours(begin="24:00", end="06:00", limit=1),), "'24:00' must be like"),
        ((Hours(begin="06:00", end="06:00", limit=1),), "begin and end are both 06:00"),
        ((Hours(begin="06:00", end="07:00", limit=1, dates=("2026-02-30",)),), "'2026-02-30' must be like"),
        ((Hours(begin="06:00", end="07:00", limit=float("nan")),), "not a number"),
    ],
)
def test_hours_that_never_come_are_refused(hours: tuple[Hours, ...], what: str) -> None:
    with pytest.raises(ValueError, match=what):
        Schedule(name="n", point="p", limit=1, hours=hours)
