"""What is told to whom, and when: a row of alarms.md 5 and 6 per test, in simulated time."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from alarm_life import NANO, WALL
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model import AlarmClass, AlarmEvent, EventKind, Instant, Quality
from rules.guards import NO_GUARDS, Guards
from rules.ladders import DEFAULTS, Ladder, Step, check_condition
from rules.notices import Notices
from rules.receipts import Notice, NoticeKind, Receipt
from rules.told import rows
from rules.verify import Verify

PLAIN = AlarmEvent(
    EventKind.RAISE, "d", "r", "1.1", 1, WALL, 0.0, AlarmClass.SAFETY, 3, "B",
    active=True, acked=False, latched=False, activation=1, value=1.0, limit=1.0, unit="", quality=Quality.GOOD,
    test=False, actor="", reason="", message={"zh": "告警", "en": "alarm"},
)  # fmt: skip
GAS: dict[str, Any] = {"level": 1, "alarm_class": AlarmClass.GAS}
FIRST = ["fire_center", "community_duty", "micro_station", "street"]


class Town:
    """The announcements stage and its clock. The wall clock begins at 14:53 local time, UTC."""

    def __init__(self, ladders: dict[str, Ladder] | None = None, guards: Guards = NO_GUARDS) -> None:
        self.ladders, self.guards = ladders or {}, guards
        self.now, self.seen = 0.0, 0
        self.kept: dict[tuple[str, str], Any] = {}
        self.synced = True
        self.stage = self.made()

    def made(self) -> Notices:
        return Notices(self.ladders, {}, lambda _: 0.0, dict(self.kept), self.instant(), self.guards)

    def instant(self) -> Instant:
        return Instant(1000.0 + self.now, WALL + round(self.now * NANO), self.synced)

    def say(self, kind: str = "raise", occurrence: str = "1.1", **more: Any) -> list[str]:
        event = replace(PLAIN, kind=EventKind(kind), occurrence=occurrence, **more)
        self.stage.note([event], self.instant())
        return self.told()

    def wait(self, seconds: float, step: float = 1.0) -> list[str]:
        found = []
        end = self.now + seconds
        while self.now < end:
            self.now = min(self.now + step, end)
            self.stage.tick(self.instant())
            found += self.told()
        return found

    def told(self) -> list[str]:
        self.keep()
        new = [n for n in self.stage.outbox.notices.values() if n.id > self.seen]
        self.seen = max([self.seen, *(n.id for n in new)])
        return [f"{n.person} {n.kind}" for n in new]

    def keep(self) -> None:
        for key, state in self.stage.take_dirty(self.instant()):
            if state is None:
                self.kept.pop(key, None)
            else:
                self.kept[key] = json.loads(json.dumps(state))

    def restart(self, down: float = 0.0) -> None:
        self.now += down
        self.stage = self.made()

    def last(self) -> Notice:
        return list(self.stage.outbox.notices.values())[-1]

    def receipt(self, person: str, receipt: str) -> None:
        for notice in list(self.stage.outbox.notices.values()):
            if notice.person == person:
                self.stage.receipt(notice.id, Receipt(receipt), "", self.instant())


def raised(*people: str) -> list[str]:
    return [f"{person} raise" for person in people]


# Ladders (6).


def test_gas_at_level_1_goes_to_everybody_on_the_first_step_at_once() -> None:
    assert Town().say(**GAS) == raised(*FIRST)


def test_without_the_fire_centre_the_district_then_the_city() -> None:
    town = Town()
    town.say(**GAS)
    told = [(int(town.now), t) for _ in range(900) for t in town.wait(1) if "raise" in t]
    assert told == [(120, "district raise"), (600, "city raise")]


def test_the_fire_centre_accepts_and_the_district_sleeps() -> None:
    town = Town()
    town.say(**GAS)
    town.receipt("fire_center", "accepted")
    assert [t for t in town.wait(590) if "raise" in t] == []
    town.say("disposition")
    assert [t for t in town.wait(100) if "raise" in t] == []


def test_an_ack_on_the_spot_does_not_stop_fire_and_gas() -> None:
    town = Town()
    town.say(**GAS)
    town.say("ack", **GAS)
    assert raised("district", "city") == [t for t in town.wait(700) if "raise" in t]


def test_an_ack_stops_the_way_up_and_its_end_resumes_it() -> None:
    town = Town()
    assert town.say(level=2) == raised("community_duty", "micro_station")
    town.wait(100)
    town.say("ack", level=2)
    assert town.wait(1800) == []
    town.say("unack", level=2)
    assert town.wait(1) == ["community_duty reminder", "micro_station reminder"]
    assert [t for t in town.wait(78) if "raise" in t] == []
    assert [t for t in town.wait(2) if "raise" in t] == raised("community_manager", "street")
    assert [t for t in town.wait(720) if "raise" in t] == raised("district")


def test_an_upgrade_starts_again_at_the_graver_ladder() -> None:
    town = Town()
    town.say(level=2, alarm_class=AlarmClass.GAS)
    town.say("ack", level=2)
    told = town.say("upgrade", **GAS)
    assert sorted(told) == [
        "community_duty upgrade",
        "fire_center raise",
        "micro_station upgrade",
        "street raise",
    ]
    assert [t for t in town.wait(121) if "raise" in t] == raised("district")


def test_an_upgrade_goes_to_everybody_who_knows_even_if_he_is_on_no_graver_step() -> None:
    town = Town()
    town.say()
    town.wait(21)
    assert "maintenance upgrade" in town.say("upgrade", level=1)
    assert "maintenance clear" in town.say("clear", level=1)


def test_an_upgrade_does_not_wait_for_the_group() -> None:
    town = Town()
    town.say()
    assert "maintenance raise" in town.say("upgrade", level=1)
    assert not [t for t in town.wait(400) if "maintenance" in t]


def test_blue_waits_for_the_shift() -> None:
    town = Town()
    assert town.say(level=4) == []
    told = [(town.now, t) for _ in range(700) for t in town.wait(60, 60)]
    ((at, what),) = told
    clock = (WALL / NANO + at) % 86400 / 3600
    assert what == "maintenance raise"
    assert min(abs(clock - 8), abs(clock - 20)) < 0.05


def test_the_clock_of_a_ladder_survives_restarts_and_a_wrong_wall_clock() -> None:
    town = Town()
    town.say(level=2)
    town.wait(100)
    town.say("update", level=2)
    town.keep()
    town.restart(down=50)
    assert [t for t in town.wait(28) if "raise" in t] == []
    assert [t for t in town.wait(3) if "raise" in t] == raised("community_manager", "street")
    town.say("update", level=2)
    town.synced = False
    town.keep()
    town.restart(down=10_000)
    assert [t for t in town.wait(300) if "raise" in t] == [], "nobody knows how long it was down"


def test_a_restart_by_itself_tells_nothing() -> None:
    town = Town()
    for n in range(9):
        town.say(occurrence=f"1.{n}", level=n % 5)
    town.wait(30)
    before = set(town.stage.outbox.notices)
    town.restart()
    town.stage.tick(town.instant())
    assert set(town.stage.outbox.notices) == before


def test_a_site_has_its_own_ladder() -> None:
    town = Town({"orange": Ladder("orange", (Step(0, ("wang",), "ack"), Step(60, ("li",))))})
    assert town.say(level=2) == raised("wang")
    assert [t for t in town.wait(61) if "raise" in t] == raised("li")


@pytest.mark.parametrize("name", DEFAULTS)
def test_every_default_ladder_can_be_decided(name: str) -> None:
    steps = DEFAULTS[name].steps
    assert all(s.condition is None or check_condition(s.condition) is None for s in steps)
    assert [s.at for s in steps] == sorted(s.at or 0 for s in steps) or steps[0].at is None


@pytest.mark.parametrize("text", ["sometimes", "no_receipt(duty)", "no_receipt(duty, perhaps)"])
def test_a_condition_nobody_can_decide_is_refused(text: str) -> None:
    assert check_condition(text)


# Looking first (6): the positive alarm sequence.

FIRE: dict[str, Any] = {"level": 1, "alarm_class": AlarmClass.FIRE}
LOOKED = {"fire_gas_red": replace(DEFAULTS["fire_gas_red"], verify=Verify(("guard",)))}
WHOLE = raised("fire_center", "community_duty", "micro_station", "street")


def test_a_fire_goes_to_who_looks_and_unless_he_answers_in_15_s_to_everybody() -> None:
    town = Town(LOOKED)
    assert town.say(**FIRE) == raised("guard")
    assert town.wait(14) == []
    assert town.wait(1) == WHOLE
    assert [t for t in town.wait(119) if "raise" in t] == []
    assert [t for t in town.wait(2) if "raise" in t] == raised("district")


def test_acknowledged_there_are_180_s_from_the_alarm_to_find_out() -> None:
    town = Town(LOOKED)
    town.say(**FIRE)
    town.wait(10)
    town.say("ack", **FIRE)
    assert town.wait(169) == []
    assert town.wait(2) == WHOLE


def test_a_false_alarm_that_was_reset_in_time_never_reaches_the_fire_centre() -> None:
    town = Town(LOOKED)
    town.say(**FIRE)
    town.wait(10)
    town.say("ack", **FIRE)
    town.wait(60)
    assert town.say("clear", **FIRE) == ["guard clear"]
    assert town.wait(1000) == []


def test_a_second_detector_ends_the_wait_of_both() -> None:
    town = Town(LOOKED)
    town.say(**FIRE)
    town.wait(5)
    assert town.say(occurrence="1.2", device="e", **FIRE) == [*WHOLE, *WHOLE]


def test_the_same_detector_again_is_no_second_one() -> None:
    town = Town(LOOKED)
    town.say(**FIRE)
    assert town.say(occurrence="1.2", rule="heat", **FIRE) == raised("guard")


def test_who_finds_that_it_burns_ends_the_wait() -> None:
    town = Town(LOOKED)
    town.say(**FIRE)
    town.say("ack", **FIRE)
    assert town.say("disposition", reason="false: steam", **FIRE) == []
    assert town.say("disposition", reason="real: flames", **FIRE) == WHOLE


def test_gas_and_a_detector_that_upgrades_wait_for_nobody() -> None:
    town = Town(LOOKED)
    assert town.say(**GAS) == WHOLE
    town.say(occurrence="1.2", level=3, alarm_class=AlarmClass.FIRE)
    assert set(WHOLE) - {"community_duty raise"} <= set(town.say("upgrade", occurrence="1.2", **FIRE))


def test_a_restart_keeps_the_wait_and_how_much_of_it_is_left() -> None:
    town = Town(LOOKED)
    town.say(**FIRE)
    town.say("ack", **FIRE)
    town.wait(100)
    town.say("update", **FIRE)
    town.restart(down=50)
    assert town.wait(29) == []
    assert town.wait(2) == WHOLE


@pytest.mark.parametrize(
    ("settings_", "word"),
    [
        ({"to": ()}, "somebody"),
        ({"ack": 16.0}, "ack"),
        ({"ack": 0.0}, "ack"),
        ({"investigate": 181.0}, "investigate"),
        ({"investigate": 10.0}, "investigate"),
    ],
)
def test_nobody_may_look_for_longer_than_fire_panels_allow(settings_: dict[str, Any], word: str) -> None:
    assert word in " ".join(Verify(**{"to": ("guard",), **settings_}).mistakes())


# What a blind or a disabled detector means (3.3 row 24, 4.6).

GUARDS = Guards(frozenset({("d", "lel"), ("d", "co")}), frozenset({"d", "line.bus"}))
SICK: dict[str, Any] = {"level": 0, "alarm_class": AlarmClass.FAULT}


@pytest.mark.parametrize("device", ["d", "line.bus"])
def test_the_fault_of_a_gas_detector_is_told_at_once(device: str) -> None:
    town = Town(guards=GUARDS)
    assert town.say(device=device, **SICK) == raised("maintenance")
    assert town.say("clear", device=device, **SICK) == ["maintenance clear"]


def test_the_fault_of_any_other_device_waits_for_more() -> None:
    town = Town(guards=GUARDS)
    assert town.say(device="e", **SICK) == []
    assert town.wait(21) == raised("maintenance")


def test_sixty_blind_detectors_are_two_messages_and_not_sixty() -> None:
    town = Town(guards=replace(GUARDS, hosts=frozenset(f"d{n}" for n in range(60))))
    told = [t for n in range(60) for t in town.say(device=f"d{n}", occurrence=f"1.{n}", **SICK)]
    assert told + town.wait(31) == ["maintenance raise", "maintenance group"]


def test_a_protected_alarm_out_of_service_is_told_to_the_fire_centre_once_for_each_device() -> None:
    town = Town(guards=GUARDS)
    off = replace(PLAIN, kind=EventKind.OUT_OF_SERVICE, rule="lel", occurrence="", reason="probe", **GAS)
    town.stage.note([off, replace(off, rule="co"), replace(off, rule="stale")], town.instant())
    assert town.told() == [f"{person} disablement" for person in FIRST]
    assert town.last().alarms == ["d/lel/", "d/co/"]
    assert town.last().title["en"] == "out of service: 2 protected alarms of d (probe)"
    town.stage.note([replace(off, kind=EventKind.IN_SERVICE)], town.instant())
    assert town.last().title["zh"] == "恢复使用：d 的 1 个受保护告警（probe）"


def test_of_one_alarm_only_its_own_notices_are_shown_newest_first() -> None:
    town = Town()
    town.say(**FIRE)
    town.say(occurrence="1.10", **FIRE)
    notices = town.stage.outbox.notices.values()
    assert [row["id"] for row in rows(notices, 100, "1.1")] == [4, 3, 2, 1]
    assert [row["id"] for row in rows(notices, 2, "1.10")] == [8, 7]
    assert len(rows(notices, 100)) == 8


# One RAISE and one CLEAR (9.1).


def test_a_fire_that_comes_twenty_times_until_its_reset_is_one_raise_and_one_clear_for_each() -> None:
    town = Town()
    told = town.say(**FIRE)
    for n in range(2, 21):
        told += town.wait(5) + town.say("repeat", activation=n, **FIRE)
    told += town.say("clear", **FIRE)
    assert sorted(t for t in told if not t.startswith("local")) == sorted(
        [f"{person} {kind}" for person in FIRST for kind in ("raise", "clear")]
    )


# Receipts (6).


@pytest.mark.parametrize(("level", "patience"), [(1, 10), (2, 60), (3, 60)])
def test_without_delivery_the_second_way_is_taken(level: int, patience: int) -> None:
    town = Town()
    town.say(level=level)
    town.wait(25 if level == 3 else 0)
    notice, began = town.last(), town.now
    town.wait(patience - 5 - (4 if level == 3 else 0))
    assert notice.way == 1
    town.wait(10)
    assert notice.way == 2
    assert began >= 0


def test_a_delivered_notice_stays_on_its_way() -> None:
    town = Town()
    town.say(**GAS)
    town.receipt("street", "delivered")
    town.wait(20)
    ways = {n.person: n.way for n in town.stage.outbox.notices.values() if n.kind is NoticeKind.RAISE}
    assert ways == {"fire_center": 2, "community_duty": 2, "micro_station": 2, "street": 1}


def notice(level: int = 1) -> Notice:
    return Notice(1, "wang", NoticeKind.RAISE, "1.1", level, {}, 0, 0.0)


def test_receipts_only_go_forward() -> None:
    one = notice()
    for receipt in ("sent", "delivered", "read", "accepted", "dispatched", "on_scene", "closed"):
        assert one.take(Receipt(receipt), 0.0)
        assert not one.take(Receipt.SENT, 0.0), "a late one changes nothing"
        assert not one.take(Receipt(receipt), 0.0), "twice is once"
    assert not one.take(Receipt.FAILED, 0.0)


def test_retries_grow_to_a_minute_and_level_1_and_2_never_give_up() -> None:
    one, pauses = notice(2), []
    for _ in range(1000):
        one.take(Receipt.FAILED, 0.0, "no network")
        pauses.append(one.retry)
    assert pauses[:8] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert one.receipt is Receipt.FAILED
    mild = notice(3)
    for _ in range(10):
        mild.take(Receipt.FAILED, 0.0)
    assert mild.receipt is Receipt.EXPIRED


# Grouping (5.4).


def test_the_first_of_level_2_at_once_the_next_half_minute_together() -> None:
    town = Town()
    assert len(town.say(level=2)) == 2
    for n in range(2, 7):
        assert town.say(occurrence=f"1.{n}", level=2) == []
    assert town.wait(29) == []
    assert town.wait(2) == ["community_duty group", "micro_station group"]
    assert len(town.last().alarms) == 5
    assert town.last().title["zh"].startswith("5 个安全告警")


def test_level_3_waits_for_more_and_then_for_five_minutes() -> None:
    town = Town()
    for n in range(30):
        assert town.say(occurrence=f"1.{n}") == []
    assert town.wait(19) == []
    assert town.wait(2) == ["community_duty group", "maintenance group"]
    town.say(occurrence="2.1")
    assert town.wait(298) == []
    assert town.wait(4) == raised("community_duty", "maintenance")


def test_what_was_over_before_anybody_was_told_is_not_told() -> None:
    town = Town()
    town.say()
    town.wait(10)
    town.say("clear")
    assert town.wait(600) == []
    assert town.stage.climbs == {}


def test_level_2_that_is_over_while_it_waits_is_told_all_the_same() -> None:
    town = Town()
    town.say(level=2)
    town.say(occurrence="1.2", level=2)
    assert town.say("clear", occurrence="1.2", level=2) == [
        "community_duty raise", "community_duty clear", "micro_station raise", "micro_station clear"
    ]  # fmt: skip


def test_one_that_comes_again_before_its_end_was_told_is_not_told_twice() -> None:
    town = Town()
    town.say()
    town.wait(21)
    town.say("clear")
    town.wait(5)
    town.say("repeat")
    assert town.wait(700) == []
    town.say("clear")
    assert town.wait(400) == ["community_duty clear", "maintenance clear"]


# Budgets (5.5) and flood mode (5.6).


def test_beyond_the_budget_comes_one_digest_and_every_clear() -> None:
    town = Town()
    classes = list(AlarmClass)
    for n, kind in enumerate(classes):  # eight groups, six tokens
        town.say(occurrence=f"1.{n}", alarm_class=kind)
    told = town.wait(25)
    assert told.count("maintenance raise") == 6
    assert town.wait(120).count("maintenance digest") == 1
    digest = next(
        n for n in town.stage.outbox.notices.values() if n.person == "maintenance" and n.kind == "digest"
    )
    assert len(digest.alarms) == 2
    for n, kind in enumerate(classes):
        town.say("clear", occurrence=f"1.{n}", alarm_class=kind)
    assert town.wait(400).count("maintenance clear") == 8


def test_level_1_has_no_budget() -> None:
    town = Town()
    for n in range(100):
        assert town.say(occurrence=f"1.{n}", **GAS) == raised(*FIRST)


def test_flood_mode_begins_above_ten_and_ends_below_five() -> None:
    town = Town()
    for n in range(10):
        town.say(occurrence=f"1.{n}")
    town.wait(1)
    assert not town.stage.flood
    town.say(occurrence="1.10")
    town.wait(1)
    assert town.stage.flood
    town.restart()
    assert town.stage.flood
    town.wait(590)
    assert town.stage.flood
    town.wait(20)
    assert not town.stage.flood


# Reminders (5.7).


@pytest.mark.parametrize(
    ("level", "period", "who"), [(1, 60, "local"), (2, 300, "community_duty"), (3, 1800, "maintenance")]
)
def test_what_nobody_acknowledges_is_said_again(level: int, period: int, who: str) -> None:
    town = Town()
    town.say(level=level)
    assert f"{who} reminder" not in town.wait(period - 2)
    assert town.wait(4).count(f"{who} reminder") == 1
    town.receipt(who, "read")
    assert town.wait(period).count(f"{who} reminder") == 1
    assert town.wait(period).count(f"{who} reminder") == 0, "the last one is still on its way"
    town.say("ack", level=level)
    town.receipt(who, "read")
    assert f"{who} reminder" not in town.wait(3 * period)


def test_acknowledged_and_standing_is_said_to_each_shift_once() -> None:
    town = Town()
    for n in range(3):
        town.say(occurrence=f"1.{n}", level=2)
        town.say("ack", occurrence=f"1.{n}", level=2)
    town.wait(60)
    assert town.wait(12 * 3600, 60).count("community_duty reminder") == 1
    assert len(town.last().alarms) == 3


def test_chatter_is_told_to_the_maintainers_once() -> None:
    assert Town().say("update", reason="chattering") == ["maintenance chatter"]


# Properties.

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["raise", "clear", "ack", "unack", "upgrade", "restart", "wait", "wait", "receipt"]),
        st.integers(0, 4),
        st.integers(0, 9),
        st.integers(1, 400),
    ),
    max_size=60,
)


class Days:
    """Days of a town, as a list of steps tells them."""

    def __init__(self) -> None:
        self.town, self.count = Town(), 0
        self.alive: dict[str, int] = {}  # occurrence -> level

    def step(self, what: str, level: int, n: int, seconds: int) -> None:
        town = self.town
        if what == "raise":
            self.count += 1
            name = f"1.{self.count}"
            self.alive[name] = level
            told = town.say(occurrence=name, level=level)
            assert level != 1 or told == raised("community_duty", "micro_station", "street"), "it waited"
        elif what == "wait":
            town.wait(seconds, 7)
        elif what == "restart":
            town.restart(seconds)
        elif what == "receipt":
            town.stage.receipt(town.seen, Receipt.READ, "", town.instant())
        elif self.alive:
            self.happen(what, sorted(self.alive)[n % len(self.alive)])

    def happen(self, what: str, name: str) -> None:
        if what == "upgrade":
            self.alive[name] = 1
        self.town.say(what, occurrence=name, level=self.alive[name])
        if what == "clear":
            del self.alive[name]

    def end(self) -> dict[tuple[str, str], list[NoticeKind]]:
        """Clear what stands and wait; what each person was told of each alarm."""
        for name in sorted(self.alive):
            self.happen("clear", name)
        self.town.wait(4000, 50)
        assert self.town.stage.climbs == {}
        told: dict[tuple[str, str], list[NoticeKind]] = {}
        for one in self.town.stage.outbox.notices.values():
            for name in one.alarms if one.kind is not NoticeKind.REMINDER else ():
                told.setdefault((name, one.person), []).append(one.kind)
        return told


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_level_1_never_waits_every_clear_is_told_and_nobody_twice(
    steps: list[tuple[str, int, int, int]],
) -> None:
    days = Days()
    for step in steps:
        days.step(*step)
    for (name, person), kinds in days.end().items():
        assert len(kinds) - kinds.count(NoticeKind.UPGRADE) == 2, (
            name,
            person,
            kinds,
        )  # one begins, one ends


def test_a_drill_says_so_in_every_text() -> None:
    town = Town()
    town.say(level=1, test=True)
    assert town.last().title == {"zh": "【演练】告警", "en": "[DRILL] alarm"}
    assert town.last().test


def test_what_is_over_before_its_digest_is_told_to_nobody() -> None:
    town = Town()
    classes = list(AlarmClass)
    for n, kind in enumerate(classes):
        town.say(occurrence=f"1.{n}", alarm_class=kind)
    town.wait(25)
    waiting = [c for c in town.stage.climbs.values() if c.told["maintenance"] == "digest"]
    assert len(waiting) == 2
    for climb in waiting:
        town.say("clear", occurrence=climb.occurrence, alarm_class=climb.alarm_class)
    assert town.wait(700) == []
    assert town.stage.together.fleeting == 4
