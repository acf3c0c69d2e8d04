"""Rules over several devices: judged in the right order, on what is fresh, and at no cost to the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gateway.model import EventKind, Instant, Quality, Sample
from rules.actions import Disable, Enable, StartDrill, StopDrill
from rules.conditions import AlarmSpec, Evidence, Expr, Limit, Rule, Vote
from rules.engine import Engine, counted_ids
from rules.scene import Circle, ranks

if TYPE_CHECKING:
    from gateway.model import AlarmEvent

WALL, NANO = 1_790_000_000 * 10**9, 10**9
HIGH = Limit(name="high", point="p", limit=50, level=4)


class Site:
    def __init__(self, *alarms: tuple[str, Rule]) -> None:
        specs = [AlarmSpec(device, rule) for device, rule in alarms]
        self.engine = Engine(specs, {}, counted_ids(1), Instant(0.0, WALL))
        self.now = 0.0

    def instant(self) -> Instant:
        return Instant(self.now, WALL + round(self.now * NANO))

    def see(self, at: float, **values: Any) -> list[str]:
        self.now = at
        now = self.instant()
        samples = [
            Sample(device, now.wall, at, {}, {"p": value})
            if isinstance(value, Quality)
            else Sample(device, now.wall, at, {"p": value})
            for device, value in values.items()
        ]
        return self.told([*self.engine.observe(samples, now), *self.engine.tick(now)])

    def tick(self, at: float) -> list[str]:
        self.now = at
        return self.told(self.engine.tick(self.instant()))

    def told(self, events: list[AlarmEvent]) -> list[str]:
        shown = {EventKind.RAISE, EventKind.CLEAR, EventKind.UPGRADE, EventKind.REPEAT}
        return [f"{e.device}/{e.rule} {e.kind.value}" for e in events if e.kind in shown]

    def truth(self, rule: str) -> bool | None:
        return next(a for a in self.engine.alarms() if a.key[1] == rule).truth()


def vote(*members: str, **more: Any) -> Vote:
    return Vote(name="vote", of="high", devices="*", members=members, **{"m": 2, "level": 2, **more})


@pytest.mark.parametrize("turned", [False, True])
def test_a_rule_is_judged_after_all_that_it_looks_at(turned: bool) -> None:
    last = Expr(name="last", expr="site/middle and b.p > 50")
    middle = Expr(name="middle", expr="a/high and b/high")
    both = [("site", middle), ("site", last)] if turned else [("site", last), ("site", middle)]
    site = Site(*both, ("a", HIGH), ("b", HIGH))
    site.see(1, a=10, b=10)
    assert site.see(2, a=60, b=10) == ["a/high raise"]
    assert site.see(3, b=60) == ["b/high raise", "site/middle raise", "site/last raise"]


@pytest.mark.parametrize("turned", [False, True])
def test_a_rule_that_looks_at_another_never_sees_what_that_one_said_before(turned: bool) -> None:
    """`b` turns both at once: "b is high, but not both" is never true, not even for a moment."""
    both, alone = (
        Expr(name="both", expr="a.p > 50 and b.p > 50"),
        Expr(name="alone", expr="b.p > 50 and not site/both"),
    )
    rules = [both, alone] if turned else [alone, both]
    site = Site(*(("site", rule) for rule in rules))
    for at in range(1, 5):
        site.see(at, a=60, b=10)
    assert site.truth("both") is False
    assert site.see(5, b=60) == ["site/both raise"]


def test_in_one_round_nobody_sees_half_of_a_device() -> None:
    """Both alarms of `a` turn with the same sample: an expression of the two is never true in between."""
    low = Limit(name="low", point="p", limit=50, when="below", level=4)
    never = Expr(name="never", expr="not a/high and not a/low")
    site = Site(("site", never), ("a", HIGH), ("a", low))
    assert site.see(1, a=10) == ["a/low raise"]
    assert site.see(2, a=60) == ["a/high raise", "a/low clear"]
    assert site.truth("never") is False


def test_a_device_that_falls_silent_becomes_unknown_though_its_alarm_is_at_rest() -> None:
    both = Expr(name="both", expr="not a/high and not b/high", on_delay=30.0)
    site = Site(("site", both), ("a", HIGH), ("b", HIGH))
    for at in range(1, 5):
        site.see(at, a=10, b=10)
    for at in range(5, 100):  # b is silent; a goes on
        assert site.see(at, a=10) == []
    assert site.truth("both") is None


def test_unknown_time_is_not_credited_to_a_delay() -> None:
    rule = Expr(name="x", expr="a.p > 50", on_delay=10.0)
    site = Site(("site", rule))
    for at in range(1, 6):
        site.see(at, a=60)
    for at in range(6, 60):
        assert site.see(at, a=Quality.SENTINEL) == []
    assert site.see(60, a=60) == []
    found = [(at, told) for at in range(61, 70) if (told := site.see(at, a=60))]
    assert found == [(66, ["site/x raise"])]  # 4 s before the hole, 6 s after it


def test_a_member_in_a_drill_or_out_of_service_abstains() -> None:
    site = Site(("site", vote("a", "b", "c", degrade="available")), *((name, HIGH) for name in "abc"))
    site.see(1, a=10, b=10, c=10)
    why = {"actor": "li", "reason": "walk test"}
    site.engine.act(("a", "high"), StartDrill(600.0, **why), site.instant())
    assert site.see(2, a=60, b=60) == ["a/high raise", "b/high raise"]
    assert site.truth("vote") is False
    reply = site.engine.act(("a", "high"), StopDrill(**why), site.instant())
    assert "site/vote raise" in site.told(reply.events)  # the signal persists: it is real now
    site.engine.act(("c", "high"), Disable(600.0, **why), site.instant())
    assert site.truth("vote") is True
    site.engine.act(("c", "high"), Enable(**why), site.instant())


@pytest.mark.parametrize(
    ("sick", "degrade", "needed"),
    [(0, "safe", 2), (1, "safe", 1), (2, "safe", 1), (0, "available", 2), (1, "available", 2)],
)
def test_a_vote_shrinks_as_it_should(sick: int, degrade: Any, needed: int) -> None:
    members = "abc"
    site = Site(("site", vote(*members, degrade=degrade)), *((name, HIGH) for name in members))
    site.see(1, **dict.fromkeys(members, 10))
    site.see(2, **dict.fromkeys(members[3 - sick :], Quality.SENTINEL)) if sick else None
    told: list[str] = []
    for count, name in enumerate(members[: 3 - sick], 1):
        told = site.see(2.0 + count, **{name: 60})
        assert ("site/vote raise" in told) is (count == needed), (count, told)
        if count == needed:
            return


def test_a_vote_of_two_that_are_all_sick_is_unknown() -> None:
    site = Site(("site", vote("a", "b")), ("a", HIGH), ("b", HIGH))
    site.see(1, a=10, b=10)
    site.see(2, a=Quality.SENTINEL, b=Quality.SENTINEL)
    assert site.truth("vote") is None


def test_a_restart_neither_tells_nor_forgets() -> None:
    alarms = (("site", vote("a", "b")), ("a", HIGH), ("b", HIGH))
    site = Site(*alarms)
    site.see(1, a=10, b=10)
    assert site.see(2, a=60, b=60) == ["a/high raise", "b/high raise", "site/vote raise"]
    kept = {key: state for key, state in site.engine.take_dirty() if state is not None}
    again = Site(*alarms)
    again.engine = Engine(
        [AlarmSpec(d, r) for d, r in alarms], kept, counted_ids(2), Instant(10.0, WALL + 10 * NANO)
    )
    assert again.tick(10.5) == []
    assert again.see(11, a=60, b=60) == []
    assert sorted(again.see(12, a=10, b=10)) == ["a/high clear", "b/high clear", "site/vote clear"]


def test_a_restart_does_not_take_those_not_heard_yet_for_sick() -> None:
    """One of three stands. After a restart the two others have not been judged: no 2 of 3 becomes 1 of 1."""
    alarms = (("site", vote(*"abc", degrade="safe", pre_level=4)), *((name, HIGH) for name in "abc"))
    site = Site(*alarms)
    site.see(1, a=10, b=10, c=10)
    assert site.see(2, a=60) == ["a/high raise", "site/vote raise"]
    kept = {key: state for key, state in site.engine.take_dirty() if state is not None}
    specs = [AlarmSpec(device, rule) for device, rule in alarms]
    site.engine = Engine(specs, kept, counted_ids(2), Instant(10.0, WALL + 10 * NANO))
    assert site.tick(10.1) == []
    fresh = Site(*alarms)
    fresh.tick(0.1)
    assert fresh.truth("vote") is None, "not heard yet is not normal"
    assert site.see(10.5, a=60) == []
    assert site.see(11, b=10) == []
    assert site.see(12, a=60, c=10) == []
    assert site.see(13, a=60, b=60, c=10) == ["b/high raise", "site/vote upgrade"]


def test_a_rule_that_is_taken_away_is_unknown_to_those_who_look_at_it() -> None:
    site = Site(("a", Evidence(name="sure", of=("high",), k=1, home="a")), ("a", HIGH))
    site.see(1, a=60)
    assert site.truth("sure") is True
    site.engine.remove(("a", "high"), site.instant())
    site.see(5, a=10)
    site.see(6, a=10)
    assert site.truth("sure") is True  # held


def test_a_circle_is_refused() -> None:
    a, b = Expr(name="a", expr="site/b"), Expr(name="b", expr="not site/a")
    with pytest.raises(Circle, match="site/a -> site/b -> site/a"):
        Site(("site", a), ("site", b))


def test_a_long_row_of_rules_is_no_circle() -> None:
    row = {("site", f"r{i}"): (("site", f"r{i + 1}"),) for i in range(3000)}
    assert ranks(row)["site", "r0"] == 3000


def test_who_looks_at_nobody_is_not_listened_to() -> None:
    site = Site(("a", HIGH), ("b", HIGH), ("site", Expr(name="x", expr="a.p > 5")))
    assert set(site.engine._scene.kept) == {"a"}
