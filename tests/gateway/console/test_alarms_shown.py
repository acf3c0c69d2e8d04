"""What the API shows of alarms in a flood: root causes and levels 1 and 2, the rest folded away (alarms.md 5.6)."""

from __future__ import annotations

from gateway.console.alarms import Alarms
from gateway.model import Instant, Sample
from rules.conditions import AlarmSpec, Limit
from rules.desk import Desk, Tree
from rules.engine import counted_ids

WALL, NANO = 1_790_000_000 * 10**9, 10**9
MILD, GRAVE = (Limit(name=n, point="p", limit=50.0, level=level) for n, level in (("mild", 3), ("grave", 2)))


def shown(devices: int) -> list[tuple[str, bool]]:
    """Let each device raise a yellow alarm, the first an orange one too; the rows, and which are folded away."""
    names = [f"d{n}" for n in range(devices)]
    specs = [AlarmSpec(name, MILD) for name in names] + [AlarmSpec("d0", GRAVE)]
    start = Instant(0.0, WALL)
    desk = Desk(specs, {}, counted_ids(1), start, Tree())
    now = Instant(1.0, WALL + NANO)
    desk.observe([Sample(name, now.wall, now.mono, {"p": 60.0}) for name in names], now)
    desk.tick(Instant(2.0, WALL + 2 * NANO))
    return [(row["rule"], row["collapsed"]) for row in Alarms(desk, {}).rows(now)]


def test_nothing_is_folded_away_before_the_flood() -> None:
    assert {collapsed for _, collapsed in shown(9)} == {False}


def test_in_a_flood_only_what_is_grave_stays_unfolded() -> None:
    assert set(shown(10)) == {("grave", False), ("mild", True)}
