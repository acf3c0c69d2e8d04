"""The edge cases of alarms.md 4.5 that concern these rule types, and what the conditions do with odd input."""

from __future__ import annotations

import math

import pytest
from alarm_life import NANO, WALL, Life, limit

from gateway.model import AlarmClass, EventKind, Instant, Outcome, Quality, Sample
from rules.actions import Ack, Disable, Dispose, Shelve, Suppress
from rules.conditions import (
    AlarmSpec,
    BadData,
    Code,
    Context,
    Deviation,
    Level,
    Limit,
    OverRange,
    Rate,
    Stale,
    State,
)
from rules.engine import Engine, counted_ids

RAISE, CLEAR = "raise", "clear"


def sample(
    at: float, values: dict[str, object], bad: dict[str, Quality] | None = None, device: str = "d"
) -> Sample:
    return Sample(device, WALL + round(at * NANO), 1000.0 + at, values, bad or {})  # type: ignore[arg-type]


def instant(at: float) -> Instant:
    return Instant(1000.0 + at, WALL + round(at * NANO))


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf, "open"])
def test_what_is_not_a_number_is_never_compared(odd: object) -> None:
    life = Life(limit(on_delay=0.0, off_delay=0.0))
    assert life.see(1, 60.0) == [RAISE]
    assert RAISE not in life.see(2, odd)
    assert life.letter == "B"
    assert life.alarm.state.input == "bad"


def test_not_a_number_at_rest_is_bad_and_not_normal() -> None:
    life = Life()
    life.see(1, 10.0)
    life.see(2, math.nan)
    assert life.alarm.state.input == "bad"


def test_a_duplicate_gives_no_credit() -> None:
    life = Life(limit(on_delay=0.0, min_samples=2))
    one = sample(1, {"p": 60.0})
    assert life.engine.observe([one, one, one], instant(1)) == []
    assert life.engine.late == 2
    assert [e.kind for e in life.engine.observe([sample(2, {"p": 60.0})], instant(2))] == [EventKind.RAISE]


def test_a_sample_from_the_past_raises_nothing() -> None:
    life = Life(limit(on_delay=0.0))
    life.see(5, 10.0)
    assert [e.kind for e in life.engine.observe([sample(3, {"p": 99.0})], instant(6))] == [EventKind.LATE]
    assert life.engine.late == 1
    assert life.occurrence is None


def test_readings_of_the_past_are_told_for_the_record_once_and_change_no_alarm() -> None:
    life = Life(limit(on_delay=2.0, level=2))
    life.see(100, 10.0)
    past = [*range(10, 15), *range(20, 25), *range(30, 34)]  # above, normal for its off-delay, above
    values = [60.0] * 5 + [10.0] * 5 + [70.0] * 4
    found = [
        e
        for at, v in zip(past, values, strict=True)
        for e in life.engine.observe([sample(at, {"p": v})], instant(101))
    ]
    assert [(e.kind, e.mono - 1000, e.at - WALL, e.level, e.value, e.reason) for e in found] == [
        (EventKind.LATE, 12.0, 12 * NANO, 2, 60.0, "late"),
        (EventKind.LATE, 32.0, 32 * NANO, 2, 70.0, "late"),
    ]
    assert {(e.occurrence, e.active, e.acked) for e in found} == {("", False, True)}
    assert found[0].message["en"] == "d: 60 mA, limit 50 mA"
    assert life.occurrence is None
    assert life.see(102, 10.0) == []


def test_the_past_beside_an_alarm_that_stands_leaves_it_as_it_is() -> None:
    life = Life(limit(on_delay=0.0))
    for at in (98, 99, 100):
        life.see(at, 60.0)
    found = life.engine.observe([sample(10, {"p": 99.0})], instant(101))
    assert [(e.kind, e.occurrence, e.value) for e in found] == [(EventKind.LATE, "", 99.0)]
    assert (life.letter, life.occurrence.activations, life.alarm.value) == ("B", 1, 60.0)
    assert life.see(102, 10.0) == []
    assert life.see(105, 10.0) == [CLEAR]


def test_bad_readings_of_the_past_and_rules_with_a_memory_say_nothing() -> None:
    life = Life(limit(on_delay=0.0))
    life.see(100, 10.0)
    assert life.engine.observe([sample(10, {}, {"p": Quality.SENTINEL})], instant(101)) == []
    slope = Life(Rate(name="heating", point="p", limit=1.0, per=1.0, window=5.0))
    slope.see(100, 10.0)
    for at in range(10, 30):
        assert slope.engine.observe([sample(at, {"p": at * 10.0})], instant(101)) == []


def test_what_comes_twice_shows_that_the_device_lives() -> None:
    life = Life(Stale(name="stale"))
    life.see(1, 1.0)
    for at in range(2, 60):  # its own clock stands still
        assert life.engine.observe([Sample("d", WALL + NANO, 1000.0 + at, {"p": 1.0})], instant(at)) == []
        assert life.tick(at) == []
    assert life.tick(88) == []
    assert life.tick(89) == [RAISE]


@pytest.mark.parametrize("year_1970", [0, 1, 86_400 * NANO])
def test_a_device_clock_in_1970_drives_nothing_either(year_1970: int) -> None:
    life = Life()
    life.see(1, 60.0)
    old = Sample("d", year_1970, 1003.0, {"p": 60.0})
    assert [e.kind.value for e in life.engine.observe([old], instant(3))] == [RAISE]


def test_a_device_clock_in_the_future_drives_nothing() -> None:
    life = Life()
    future = Sample("d", WALL + 10**18, 1001.0, {"p": 60.0})
    assert life.engine.observe([future], instant(1)) == []
    assert life.phase == "pending"
    assert life.see(3, 60.0) == [RAISE]


def test_two_spikes_with_a_hole_between_are_not_a_long_excess() -> None:
    life = Life(limit(on_delay=5.0))
    life.see(1, 60.0)
    assert life.see(8, 60.0) == []
    assert life.phase == "pending"


def test_a_protected_alarm_goes_on_counting_over_the_hole() -> None:
    life = Life(limit(on_delay=5.0, alarm_class=AlarmClass.GAS))
    life.see(1, 60.0)
    life.see(8, 60.0)
    assert life.see(10, 60.0) == [RAISE]


def test_pending_credit_outlives_a_short_restart_and_not_a_long_one() -> None:
    for down, after in ((200.0, [RAISE]), (400.0, [])):
        life = Life(limit(on_delay=10.0))
        for at in range(1, 10):
            life.see(at, 60.0)
        life.restart(9 + down)
        life.see(10 + down, 60.0)
        life.see(12 + down, 60.0)
        life.see(14 + down, 60.0)
        assert life.see(16 + down, 60.0) == after  # up to 5 s of credit are not on the disk


def test_a_restart_on_a_clock_nobody_vouches_for_starts_the_delay_again() -> None:
    life = Life(limit(on_delay=10.0))
    for at in range(1, 10):
        life.see(at, 60.0)
    life.synced = False
    life.restart(20)
    life.see(21, 60.0)
    assert life.see(24, 60.0) == []


def test_a_wrong_clock_may_shorten_a_shelf_and_never_lengthen_it() -> None:
    life = Life()
    life.act(0, Shelve(600, actor="li", reason="why"))
    life.wall_step = 700 * NANO
    assert life.tick(1) == ["unshelve"]
    life.act(2, Shelve(600, actor="li", reason="why"))
    life.wall_step = -(10**18)
    assert life.tick(602) == ["unshelve"]


def test_after_a_restart_a_shelf_still_ends_by_the_wall_clock() -> None:
    life = Life()
    life.act(0, Shelve(100, actor="li", reason="why"))
    life.restart(90)
    assert life.tick(100) == ["unshelve"]


def test_a_shelf_is_saved_again_while_it_runs() -> None:
    life = Life()
    life.act(0, Shelve(7200, actor="li", reason="why"))
    life.see(3000, 10.0)
    life.tick(3000)
    assert life.kept[life.key]["holds"]["shelf"]["left"] <= 7200 - 3000 + 600


def test_what_is_put_on_an_alarm_late_has_no_deadline_in_the_past() -> None:
    life = Life()
    life.see(7000, 10.0)
    life.act(7001, Shelve(60, actor="li", reason="why"))
    assert life.engine.next_deadline() == pytest.approx(1000.0 + 7061)


def test_a_slow_device_is_not_stale_when_the_poller_says_so() -> None:
    life = Life(Stale(name="stale", k=3, floor=0))
    life.see(1, 1.0)
    life.engine.stretch("d", 100.0)
    assert life.tick(4.5) == []
    assert life.tick(302) == [RAISE]


def test_a_device_that_was_never_seen_is_a_fault_too() -> None:
    life = Life(Stale(name="stale"))
    assert life.tick(29) == []
    assert life.tick(30) == [RAISE]
    assert life.see(31, 1.0) == []
    assert life.see(32, 1.0) == [CLEAR, "closed"]


def test_bad_answers_do_not_keep_a_device_fresh() -> None:
    life = Life(Stale(name="stale"))
    life.see(1, 1.0)
    for at in range(2, 31):
        assert life.see(at, Quality.NO_ANSWER) == []
    assert life.tick(31) == [RAISE]


def test_no_answer_is_the_business_of_stale_not_of_bad_data() -> None:
    life = Life(BadData(name="bad"))
    for at in range(1, 20):
        assert life.see(at, Quality.NO_ANSWER) == []


def test_beyond_the_range_is_no_bad_data_where_it_is_an_alarm() -> None:
    life = Life(BadData(name="bad", point="p", over_range=OverRange.ALARM))
    for at in range(1, 9):
        assert life.see(at, Quality.OVER_RANGE) == []


def test_an_alarm_and_the_fault_of_its_input_stand_beside_each_other() -> None:
    specs = [AlarmSpec("d", limit(on_delay=0.0)), AlarmSpec("d", BadData(name="bad", point="p"))]
    engine = Engine(specs, {}, counted_ids(1), instant(0))
    engine.observe([sample(1, {"p": 60.0})], instant(1))
    for at in (2, 3, 4):
        engine.observe([sample(at, {}, {"p": Quality.SENTINEL})], instant(at))
    assert {(v.rule, v.letter, v.input.value) for v in engine.view()} == {
        ("high", "B", "bad"),
        ("bad", "B", "good"),
    }


def test_a_sample_without_the_point_says_nothing_about_it() -> None:
    life = Life()
    life.see(1, 60.0)
    life.see(2, 1.0, point="q")
    assert life.phase == "pending"
    assert life.alarm.state.input == "good"


def test_what_is_closed_at_level_2_asks_what_it_was_and_takes_the_answer_later() -> None:
    life = Life(limit(on_delay=0.0, off_delay=0.0, level=2))
    life.see(1, 60.0)
    life.ack(2)
    assert life.see(3, 10.0) == [CLEAR, "closed"]
    life.restart(4)
    assert life.alarm.state.asks == "1.1"
    assert life.act(5, Dispose("false", actor="li")) == "disposition"
    assert (life.events[-1].occurrence, life.events[-1].reason) == ("1.1", "false")
    assert life.act(6, Dispose("false", actor="li")) == "gone"


@pytest.mark.parametrize(
    ("level", "disposed", "drill"), [(3, False, False), (2, True, False), (2, False, True)]
)
def test_a_mild_alarm_a_drill_and_one_that_was_disposed_of_ask_nothing(
    level: int, disposed: bool, drill: bool
) -> None:
    life = Life(limit(on_delay=0.0, off_delay=0.0, level=level))
    if drill:
        life.do(0, "drill 600")
    life.see(1, 60.0)
    if disposed:
        life.do(2, "dispose")
    life.ack(3)
    life.see(4, 10.0)
    assert (life.occurrence, life.alarm.state.asks) == (None, "")


def test_an_edited_limit_says_so_in_the_timeline() -> None:
    life = Life(limit(on_delay=0.0))
    life.see(1, 60.0)
    life.do(2, "edit 70")
    assert life.events[-1].reason == "caused by rule change"


def test_a_rule_edited_while_the_gateway_was_down_keeps_its_occurrence() -> None:
    life = Life(limit(on_delay=0.0))
    life.see(1, 60.0)
    life.specs = [AlarmSpec("d", limit(on_delay=0.0, limit=70.0), Context())]
    life.restart(2)
    assert life.tick(3) == ["rule_changed"]
    assert life.occurrence.id == "1.1"


def test_a_rule_deleted_while_the_gateway_was_down_gives_its_clear() -> None:
    life = Life(limit(on_delay=0.0))
    life.see(1, 60.0)
    life.specs = []
    life.restart(2)
    assert life.tick(3) == [CLEAR, "closed"]
    assert life.kept[life.key] is None


def test_two_alarms_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two alarms"):
        Engine([AlarmSpec("d", limit()), AlarmSpec("d", limit())], {}, counted_ids(1), instant(0))


def test_an_action_on_what_is_not_there_is_answered() -> None:
    engine = Engine([], {}, counted_ids(1), instant(0))
    assert engine.act(("d", "x"), Ack("1", 1), instant(1)).outcome is Outcome.UNKNOWN


def test_fire_is_never_suppressed_and_takes_two_to_disable() -> None:
    life = Life(limit(alarm_class=AlarmClass.FIRE))
    assert life.act(1, Suppress("bus")) == "protected"
    assert life.act(1, Disable(60, "li", actor="li", reason="why")) == "second_person"


def test_an_unknown_code_holds_the_alarm_and_raises_its_own_fault() -> None:
    rule = State(name="mode", point="p", codes={"fire": Code(level=1)}, alarm_class=AlarmClass.FIRE)
    life = Life(rule)
    assert life.see(1, "fire") == [RAISE]
    assert life.see(2, 77) == [RAISE, "update"] or life.letter == "B"
    assert life.letter == "B"
    raised = {e.rule for e in life.events if e.kind is EventKind.RAISE}
    assert raised == {"mode", "mode-unknown"}


def test_a_code_the_profile_does_not_list_is_that_fault_as_well() -> None:
    life = Life(State(name="mode", point="p", codes={1: Code(level=2)}, normal=(0,)))
    life.see(1, 0)
    life.see(2, Quality.UNKNOWN_CODE)
    assert [(e.rule, e.kind.value) for e in life.events] == [("mode-unknown", RAISE)]


@pytest.mark.parametrize(
    ("points", "baseline", "values", "angle"),
    [
        (("x",), {"x": 1.0}, {"x": 11.0}, 10.0),
        (("x", "y"), {"x": 0.0, "y": 0.0}, {"x": 3.0, "y": 4.0}, 5.0),
        (("x",), {"x": 179.0}, {"x": -179.0}, 2.0),
        (("x", "y", "z"), {"x": 0.0, "y": 0.0, "z": 1.0}, {"x": 1.0, "y": 0.0, "z": 1.0}, 45.0),
        (("x", "y", "z"), {"x": 0.0, "y": 0.0, "z": 1.0}, {"x": 0.0, "y": 0.0, "z": -0.98}, 180.0),
    ],
)
def test_how_far_it_has_turned(
    points: tuple[str, ...], baseline: dict[str, float], values: dict[str, float], angle: float
) -> None:
    for limit_, kinds in ((angle - 0.001, [EventKind.RAISE]), (min(angle + 0.001, 180), [])):
        if limit_ == angle:
            continue
        rule = Deviation(name="t", points=points, limit=limit_)
        engine = Engine([AlarmSpec("d", rule, Context(baseline=baseline))], {}, counted_ids(1), instant(0))
        assert [e.kind for e in engine.observe([sample(1, dict(values))], instant(1))] == kinds


def test_without_a_baseline_nobody_knows_how_far_it_has_turned() -> None:
    rule = Deviation(name="t", points=("x", "y"), limit=5)
    engine = Engine([AlarmSpec("d", rule)], {}, counted_ids(1), instant(0))
    assert engine.observe([sample(1, {"x": 90.0, "y": 0.0})], instant(1)) == []
    assert next(engine.alarms()).state.input == "bad"


@pytest.mark.parametrize(("value", "kinds"), [(284.9, [CLEAR]), (285.0, [])])
def test_a_deadband_in_percent_of_the_limit(value: float, kinds: list[str]) -> None:
    life = Life(limit(limit=300.0, deadband="5%", on_delay=0.0, off_delay=0.0))
    assert life.see(1, 300) == [RAISE]
    assert life.see(2, value) == kinds


def test_a_limit_from_below() -> None:
    life = Life(limit(when="below", limit=20.0, deadband=5.0, on_delay=0.0, off_delay=0.0))
    assert life.see(1, 20.0) == [RAISE]
    assert life.see(2, 25.0) == []
    assert life.see(3, 25.1) == [CLEAR]


def test_the_message_speaks_both_languages_and_names_the_place() -> None:
    text = {"zh": "{place} {value}{unit} 超过 {limit}", "en": "{place} {device}: {value} above {limit}"}
    specs = [AlarmSpec("d", limit(on_delay=0.0, message=text), Context("mA", {"zh": "三楼", "en": "3rd"}))]
    engine = Engine(specs, {}, counted_ids(1), instant(0))
    event = engine.observe([sample(1, {"p": 61.5})], instant(1))[0]
    assert event.message == {"zh": "三楼 61.5mA 超过 50", "en": "3rd d: 61.5 above 50"}


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"level": 7}, "level 7"),
        ({"limit": None}, "either limit or levels"),
        ({"levels": (Level(limit=1, level=1),)}, "either limit or levels"),
        ({"limit": math.nan}, "not a number"),
        ({"deadband": -1.0}, "negative"),
        ({"deadband": "5 %%"}, "percentage"),
        ({"on_delay": -1.0}, "negative"),
        ({"level": 1, "auto_ack": True}, "auto_ack"),
        ({"alarm_class": AlarmClass.FIRE, "protected": False}, "always protected"),
        ({"message": {"zh": "x"}}, "zh and en"),
        ({"message": {"zh": "{wert}", "en": "x"}}, "wert"),
        ({"min_samples": 0}, "min_samples"),
    ],
)
def test_a_rule_that_cannot_work_is_refused_with_its_reason(settings: dict[str, object], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        limit(**settings)


def test_all_mistakes_of_a_rule_are_told_at_once() -> None:
    with pytest.raises(ValueError, match=r"level 9.*negative.*not a number"):
        Limit(name="x", point="p", limit=math.inf, level=9, on_delay=-1.0)
