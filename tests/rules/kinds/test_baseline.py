"""`baseline`: what a point usually is at this time of day, learned in a week, kept over restarts."""

from __future__ import annotations

import json
import math
import random
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from gateway.model import EventKind, Instant, Sample
from rules.actions import StartDrill
from rules.conditions import AlarmSpec, Baseline, Context, Limit
from rules.engine import Engine, counted_ids
from rules.replace import Replace
from rules.site import Member, Unbound

if TYPE_CHECKING:
    from collections.abc import Callable

NANO = 10**9
START = round(datetime(2026, 3, 1, tzinfo=UTC).timestamp())
EVERY = 60.0
DAY = 86400.0
RULE = Baseline(name="usual", point="i", margin=80.0, on_delay=600.0, off_delay=600.0, deadband=20.0)
KEY = ("efd", "usual")


def usual(at: float) -> float:
    """120 mA at night, 180 by day, with noise."""
    return 150 + 30 * math.sin(2 * math.pi * (at / DAY - 0.25)) + random.Random(round(at)).gauss(0, 5)


class Story:
    def __init__(self, rule: Baseline = RULE) -> None:
        self.specs = [AlarmSpec("efd", rule, Context(interval=EVERY, zone=timezone(timedelta(hours=8))))]
        self.at, self.mono, self.starts, self.synced = 0.0, 0.0, 1, True
        self.kept: dict[Any, Any] = {}
        self.told: list[tuple[float, EventKind]] = []
        self.engine = Engine(self.specs, {}, counted_ids(1), self.instant())

    def instant(self) -> Instant:
        return Instant(self.mono, round((START + self.at) * NANO), self.synced)

    def go(self, until: float, value: Callable[[float], float] = usual) -> None:
        while self.at < until:
            self.at, self.mono = self.at + EVERY, self.mono + EVERY
            now = self.instant()
            events = self.engine.observe([Sample("efd", now.wall, now.mono, {"i": value(self.at)})], now)
            self.told += [(self.at, e.kind) for e in events if e.kind in {EventKind.RAISE, EventKind.CLEAR}]
            self.kept.update(
                json.loads(json.dumps([[*k, s] for k, s in self.engine.take_dirty()]))
                and {k: json.loads(json.dumps(s)) for k, s in self._all()}
            )

    def _all(self) -> list[tuple[Any, Any]]:
        return [(KEY, next(self.engine.alarms()).to_json(self.instant()))]

    def restart(self, rule: Baseline | None = None) -> None:
        self.starts += 1
        if rule is not None:
            self.specs = [AlarmSpec("efd", rule, self.specs[0].context)]
        self.mono = 5.0  # the monotonic clock begins anew
        self.engine = Engine(self.specs, self.kept, counted_ids(self.starts), self.instant())

    @property
    def truth(self) -> bool | None:
        return next(self.engine.alarms()).truth()

    @property
    def memory(self) -> dict[str, Any]:
        return next(self.engine.alarms()).state.memory


@pytest.fixture(scope="module")
def week() -> dict[Any, Any]:
    """What eight usual days leave behind."""
    story = Story()
    story.go(8 * DAY)
    assert story.told == []
    return story.kept


def after(week: dict[Any, Any], rule: Baseline | None = None) -> Story:
    story = Story()
    story.at, story.kept = 8 * DAY, json.loads(json.dumps([week[KEY]]))
    story.kept = {KEY: story.kept[0]}
    story.restart(rule)
    return story


def test_until_it_has_learned_for_a_week_it_is_unknown() -> None:
    story = Story()
    story.go(6 * DAY + 3600)
    assert story.truth is None
    story.go(6 * DAY + 7200, lambda _: 900.0)
    assert story.told == []


def test_then_eighty_above_its_own_level_for_ten_minutes_is_told(week: dict[Any, Any]) -> None:
    story = after(week)
    story.go(8 * DAY + 4 * 3600)
    assert story.told == []
    story.go(8 * DAY + 6 * 3600, lambda at: usual(at) + 110)
    ((raised, kind),) = story.told
    assert kind is EventKind.RAISE
    assert 600 <= raised - (8 * DAY + 4 * 3600) <= 720


def test_what_is_usual_at_noon_is_not_at_night(week: dict[Any, Any]) -> None:
    """180 mA is the level of the day; the same at night, with 90 more than usual, is told."""
    noon = after(week)
    noon.go(9 * DAY, lambda at: max(usual(at), 205.0))
    assert [kind for _, kind in noon.told][:1] == [EventKind.RAISE]
    assert all(usual(at) < 135 for at, kind in noon.told if kind is EventKind.RAISE)


def test_what_was_learned_survives_a_restart_and_an_edited_margin(week: dict[Any, Any]) -> None:
    story = after(week, Baseline(name="usual", point="i", margin=60.0))
    assert story.memory["bins"]
    story.go(8 * DAY + 3600)
    assert story.truth is False
    assert not after(week, Baseline(name="usual", point="other", margin=60.0)).memory


def test_what_stands_is_not_learned(week: dict[Any, Any]) -> None:
    story = after(week)
    story.go(11 * DAY, lambda at: usual(at) + 110)
    assert story.truth is True, "three days of leakage do not become usual"
    assert story.told[0][1] is EventKind.RAISE


def test_a_drill_is_not_learned(week: dict[Any, Any]) -> None:
    story = after(week)
    story.engine.act(KEY, StartDrill(8 * 3600.0, actor="li", reason="walk test"), story.instant())
    story.go(8 * DAY + 7200, lambda _: 140.0)
    assert story.memory["seen"] == []


def test_while_the_clock_is_wrong_nobody_knows_what_is_usual(week: dict[Any, Any]) -> None:
    story = after(week)
    story.synced = False
    story.go(8 * DAY + 3600, lambda at: usual(at) + 300)
    assert story.told == []
    assert story.truth is None


def test_a_new_sensor_learns_anew(week: dict[Any, Any]) -> None:
    story = after(week)
    story.go(8 * DAY + 600)
    story.engine.act(KEY, Replace(actor="li", reason="new transformer"), story.instant())
    story.go(8 * DAY + 7200, lambda at: usual(at) + 300)
    assert story.told == []
    assert story.truth is None


def test_the_envelope_never_exceeds_the_absolute_limit() -> None:
    limit = Limit(name="residual-high", point="i", limit=300.0, deadband=15.0)
    site = {"efd": Member(rules={"residual-high": limit})}
    rule = Baseline(name="usual", point="i", margin=80.0, cap="residual-high").bind("efd", site)
    assert isinstance(rule, Baseline)
    assert rule.ceiling == 285.0
    high = {str(quarter): [250.0] * 7 for quarter in range(96)}
    assert rule.envelope(high, 3) == 285.0
    assert RULE.envelope(high, 3) == 330.0
    with pytest.raises(Unbound, match="cap must be"):
        Baseline(name="usual", point="i", margin=80.0, cap="residual-hihg").bind("efd", site)
    off = {"efd": Member(rules={}, off=frozenset({"residual-high"}))}
    uncapped = Baseline(name="usual", point="i", margin=80.0, cap="residual-high").bind("efd", off)
    assert isinstance(uncapped, Baseline)
    assert uncapped.ceiling is None


def test_a_precursor_is_never_red_or_orange() -> None:
    with pytest.raises(ValueError, match="precursor"):
        Baseline(name="usual", point="i", margin=80.0, level=2)


def test_the_margin_grows_with_the_scatter() -> None:
    rule = Baseline(name="usual", point="i", margin=6.0)
    wide = {str(quarter): [20.0, 30, 40, 50, 60, 70, 80] for quarter in range(96)}
    assert rule.envelope(wide, 0) == 50 + 4 * 20
    assert rule.envelope({}, 0) is None
