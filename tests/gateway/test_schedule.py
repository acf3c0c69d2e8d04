from __future__ import annotations

import random
import tracemalloc
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from timed_line import TimedLine, intervals, line, members

from gateway.liveness import State, Timing
from gateway.schedule import Schedule
from gateway.turns import Group, Member, groups

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.turns import Turn


def always(device: str, now: float) -> bool:
    return True


def without(*dead: str) -> Callable[[str, float], bool]:
    return lambda device, now: device not in dead


def ratio(times: TimedLine, every: float, since: float = 0.0) -> tuple[float, float]:
    """Mean and 95th percentile of all intervals between good polls, in periods."""
    all_ = sorted(i / every for times_ in times.good.values() for i in intervals(times_, since))
    return sum(all_) / len(all_), all_[int(len(all_) * 0.95)]


# --- the grid ---


def test_devices_of_one_line_do_not_start_together_and_all_are_heard_within_a_second() -> None:
    for every in (1.0, 60.0):
        played = line(members(10, every), always, cost=0.001)
        played.run(1.2)
        first = sorted(times[0] for times in played.good.values())
        assert len(first) == 10
        assert all(b - a > 0.01 for a, b in pairwise(first))


def test_a_period_does_not_drift() -> None:
    played = line(members(3, 0.1), always, cost=0.007)
    played.run(1000.05)
    for times in played.good.values():
        assert len(times) == pytest.approx(10_000, abs=1)
        assert times[-1] - times[0] == pytest.approx((len(times) - 1) * 0.1, abs=1e-6)


def test_every_period_holds_one_poll_or_is_counted_as_missed() -> None:
    played = line(members(30, 1.0), always, cost=0.05)  # wants 1.5 s of line time per second
    played.run(200.0)
    polls = sum(map(len, played.good.values()))
    assert polls + played.schedule.missed == pytest.approx(30 * 200, abs=60)
    assert polls == pytest.approx(200 / 0.05, abs=2)


def test_after_a_long_stall_each_group_is_polled_once_not_made_up_for() -> None:
    schedule = Schedule(members(2, 1.0), 0.0)
    later = 1_000_000.5
    for _ in range(2):
        turn = schedule.take(later)
        assert turn is not None
        schedule.good(turn, later)
    assert schedule.take(later) is None
    assert schedule.missed == pytest.approx(2_000_000, abs=2)


def test_alarm_groups_go_first_when_both_are_due() -> None:
    both = (Group(("lel",), 1.0, alarm=True), Group(("serial",), 2.0))
    schedule = Schedule([Member(f"d{n}", both) for n in range(4)], 0.0)
    order = []
    for _ in range(8):
        turn = schedule.take(10.0)
        assert turn is not None
        order.append(turn.alarm)
        schedule.good(turn, 10.0)
    assert order == [True] * 4 + [False] * 4


def test_what_is_late_may_not_make_an_alarm_lose_its_period() -> None:
    alarms = [Member(f"a{n}", (Group(("lel",), 1.0, alarm=True),)) for n in range(5)]
    others = [Member(f"o{n}", (Group(("serial",), 0.2),)) for n in range(10)]
    played = line(alarms + others, always, cost=0.1)  # the alarms need half the line, the others want 500 %
    played.run(60.0)
    for member in alarms:
        assert len(played.good[member.device]) >= 59


def test_an_overfull_line_still_polls_what_is_not_an_alarm() -> None:
    both = (Group(("lel",), 0.1, alarm=True), Group(("serial",), 5.0))
    played = line([Member(f"d{n}", both) for n in range(10)], always, cost=0.05)
    played.run(300.0)
    for device in (f"d{n}" for n in range(10)):
        assert len(played.groups[device, "serial"]) == pytest.approx(60, abs=2)


def test_more_lanes_than_devices_starve_no_group() -> None:
    both = (Group(("lel",), 0.0, alarm=True), Group(("serial",), 0.0))
    played = line([Member(f"d{n}", both) for n in range(2)], always, 0.01, Timing(inflight=4))
    played.run(10.0)
    assert all(len(times) > 2000 / 8 * 0.9 / 2 for times in played.groups.values())


def test_slow_groups_keep_their_period_beside_fast_ones() -> None:
    both = (Group(("lel",), 1.0, alarm=True), Group(("serial",), 10.0))
    played = line([Member(f"d{n}", both) for n in range(10)], always, cost=0.046)
    played.run(100.0)
    for (_, point), times in played.groups.items():
        every = 1.0 if point == "lel" else 10.0
        assert intervals(times, 15.0) == pytest.approx([every] * len(intervals(times, 15.0)), rel=0.05)
        assert times[0] < 2.0


def test_with_one_period_a_device_is_one_group() -> None:
    assert groups(["a", "b"], ["b"], 1.0, 1.0) == (Group(("a", "b"), 1.0, alarm=True),)
    assert groups(["a", "b"], [], 5.0, 1.0) == (Group(("a", "b"), 5.0),)
    assert groups(["a", "b"], ["a", "b"], 5.0, 1.0) == (Group(("a", "b"), 1.0, alarm=True),)
    assert groups(["a", "b"], ["b"], 5.0, 1.0) == (Group(("b",), 1.0, alarm=True), Group(("a",), 5.0))


@pytest.mark.parametrize("every", [0.0, 1e-9, 0.001, 0.01])
def test_always_due_means_round_robin_without_growth(every: float) -> None:
    played = line(members(32, every), always, cost=0.0125)
    played.run(10.0)
    counts = [len(times) for times in played.good.values()]
    assert sum(counts) == pytest.approx(800, abs=2)
    assert max(counts) - min(counts) <= 1


def test_a_held_device_is_not_read_and_not_forgotten() -> None:
    schedule = Schedule(members(1, 1.0), 0.0)
    assert schedule.hold("d00")
    assert not schedule.hold("d00")
    assert schedule.take(0.5) is None
    schedule.free("d00")
    assert schedule.take(0.5) is not None
    assert not schedule.hold("d00")


def test_a_device_that_may_not_be_asked_yet_waits_without_being_called_dead() -> None:
    schedule = Schedule(members(1, 1.0), 0.0)
    turn = schedule.take(0.0)
    assert turn is not None
    schedule.held(turn, 0.7)
    assert schedule.next_at(0.0) == 0.7
    assert schedule.take(0.69) is None
    assert schedule.take(0.7) is turn
    assert turn.unit.life.state is State.LIVE


# --- those that do not answer ---

SILENT_ONES = [
    # devices, period, cost, lanes, observed seconds
    pytest.param(16, 1.0, 0.046, 1, 60.0, id="one of sixteen at 9600 baud"),
    pytest.param(16, 1.0, 0.048, 1, 60.0, id="one of sixteen at 9600 baud, slow ones"),
    pytest.param(32, 0.5, 0.001, 1, 60.0, id="one of 32 behind one endpoint"),
    pytest.param(32, 0.5, 0.010, 4, 60.0, id="one of 32 behind one endpoint, four at a time"),
    pytest.param(16, 1.0, 0.058, 1, 600.0, id="no hole long enough: rare probes"),
]


@pytest.mark.parametrize(("count", "every", "cost", "lanes", "seconds"), SILENT_ONES)
def test_a_silent_device_does_not_move_the_periods_of_the_others(
    count: int, every: float, cost: float, lanes: int, seconds: float
) -> None:
    played = line(members(count, every), without("d05"), cost, Timing(inflight=lanes))
    played.run(seconds)
    mean, p95 = ratio(played, every)
    assert 0.9 < mean < 1.1
    assert p95 < 1.1
    assert len(played.good) == count - 1
    assert played.schedule.missed == 0


def test_control_a_silent_device_polled_like_the_others_does_move_them() -> None:
    eager = Timing(retry=1.0, retry_share=1.0, lost_cycles=10**9)
    played = line(members(16, 1.0), without("d05"), 0.058, eager)
    played.run(60.0)
    assert ratio(played, 1.0)[1] > 1.1


@given(
    dead=st.integers(1, 15),
    timeout=st.floats(0.1, 0.5),
    cost=st.floats(0.005, 0.06),
    every=st.sampled_from([0.0, 0.1, 0.5, 1.0, 5.0]),
)
@settings(max_examples=15, deadline=None)
def test_lost_devices_together_take_a_twentieth_of_the_line(
    dead: int, timeout: float, cost: float, every: float
) -> None:
    names = [f"d{n:02}" for n in range(dead)]
    played = line(members(16, every), without(*names), cost, Timing(timeout=timeout))
    played.run(120.0)  # by now they are all known to be lost
    assert all(played.schedule.units[name].life.state is State.LOST for name in names)
    before = played.wasted
    played.run(420.0)
    assert played.wasted - before <= 0.05 * 300 + timeout


def test_a_device_is_lost_only_by_time_and_failures_together() -> None:
    schedule = Schedule(members(1, 10.0), 0.0, Timing(retry=1.0))
    seen = []
    now = 0.0
    for _ in range(5):
        now = max(schedule.next_at(now), now)
        turn = schedule.take(now)
        assert turn is not None
        now += 0.3
        schedule.failed(turn, now)
        seen.append((now >= 3.0, turn.unit.life.failures, turn.unit.life.state))
    assert all((state is State.LOST) == (late and failures >= 2) for late, failures, state in seen)
    assert seen[-1][2] is State.LOST


def test_one_failure_after_an_hour_is_not_a_loss() -> None:
    schedule = Schedule(members(1, 3600.0), 0.0)
    turn = schedule.take(3601.0)
    assert turn is not None
    assert not schedule.failed(turn, 3601.3)
    assert turn.unit.life.state is State.SUSPECT
    assert schedule.next_at(3601.3) == pytest.approx(3602.3)  # and not in an hour


def test_a_line_that_was_wholly_silent_is_whole_again_soon_after_its_first_answer() -> None:
    played = line(members(16, 1.0), lambda _, now: now < 10 or now > 600, cost=0.046)
    played.run(599.0)
    assert played.schedule.silent
    played.run(630.0)
    for times in played.good.values():
        assert min(t for t in times if t > 600) < 603


def test_a_segment_that_comes_back_is_back_together() -> None:
    segment = [f"d{n:02}" for n in range(8)]
    played = line(members(16, 1.0), lambda d, now: d not in segment or now < 10 or now > 600, cost=0.02)
    played.run(599.0)
    assert {u.life.state for d, u in played.schedule.units.items() if d in segment} == {State.LOST}
    played.run(660.0)
    back = [min(t for t in played.good[d] if t > 600) for d in segment]
    assert min(back) < 600 + 6 * 8
    assert max(back) - min(back) < 10


def test_a_nudged_device_is_asked_without_waiting_for_its_pause() -> None:
    played = line(members(4, 1.0), without("d01"), cost=0.02)
    played.run(100.0)
    *_, before, last = played.failed["d01"]
    assert last - before == pytest.approx(20.0, abs=4.0)
    played.run(last + 8)
    assert played.failed["d01"][-1] == last
    played.schedule.nudge("d01", played.now)
    played.run(played.now + 2.5)
    assert played.failed["d01"][-1] >= last + 8


HISTORIES = st.lists(st.tuples(st.integers(0, 7), st.floats(0, 80), st.floats(0.1, 60)), max_size=12)


@given(HISTORIES, st.sampled_from([1, 3]), st.sampled_from([0.5, 1.0, 5.0]))
@settings(max_examples=40, deadline=None)
def test_after_any_history_of_failures_everyone_is_polled_at_its_period_again(
    outages: list[tuple[int, float, float]], lanes: int, every: float
) -> None:
    def alive(device: str, now: float) -> bool:
        return not any(device == f"d{n:02}" and a <= now < a + length for n, a, length in outages)

    timing = Timing(inflight=lanes)
    played = line(members(8, every), alive, cost=0.02, timing=timing)
    played.run(140.0)
    # One probe limit and its wait for a hole, behind one vain probe at most: all are alive since 140 s.
    whole = 140.0 + timing.probe_limit + timing.timeout / timing.probe_share + 3 * every
    played.run(whole + 10 * every)
    assert {u.life.state for u in played.schedule.units.values()} == {State.LIVE}
    for device in (f"d{n:02}" for n in range(8)):
        assert intervals(played.good[device], whole) == pytest.approx([every] * 9, abs=0.1 * every + 0.06)


@given(
    st.lists(st.tuples(st.sampled_from([0.2, 0.5, 1.0, 3.0]), st.booleans()), min_size=1, max_size=12),
    st.integers(1, 4),
)
@example([(0.2, False), (0.2, True), (0.5, False), (0.5, True), (0.5, True), (1.0, True)], 1)
@example([(0.5, True), (3.0, True), (1.0, False), (3.0, True), (0.5, True), (0.2, False), (3.0, False)], 1)
@settings(max_examples=40, deadline=None)
def test_no_device_starves_while_the_line_has_room(shape: list[tuple[float, bool]], lanes: int) -> None:
    many = [Member(f"d{n}", (Group(("a",), every, alarm=alarm),)) for n, (every, alarm) in enumerate(shape)]
    cost = 0.9 / sum(1 / every for every, _ in shape)  # nine tenths of one lane
    played = line(many, always, min(cost, 0.15), Timing(inflight=lanes))
    played.run(60.0)
    for member in many:
        every = member.groups[0].every
        assert len(played.good[member.device]) >= 60 / every * 0.9 - 2


def test_memory_and_queues_stay_as_they_are_whatever_happens() -> None:
    rng = random.Random(7)
    both = (Group(("lel",), 0.2, alarm=True), Group(("serial",), 1.0))
    schedule = Schedule([Member(f"d{n}", both) for n in range(20)], 0.0, Timing(inflight=4))

    def end(turn: Turn, now: float) -> None:
        fate = rng.random()
        if fate < 0.6:
            schedule.good(turn, now)
        elif fate < 0.9:
            schedule.failed(turn, now)
        else:
            schedule.held(turn, now + 1)

    def play(now: float, steps: int) -> float:
        under_way: list[Turn] = []
        for step in range(steps):
            now += rng.random() * 0.05
            while len(under_way) < 4 and (turn := schedule.take(now)):
                under_way.append(turn)
            if under_way:
                end(under_way.pop(0), now)
            if step % 500 == 499:
                while under_way:
                    schedule.released(under_way.pop())
                schedule.restart(now)
        return now

    now = play(0.0, 5_000)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    play(now, 20_000)
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 20_000
    assert len(schedule._alarm) + len(schedule._rest) <= 40
    assert sum(len(q) for q in schedule.ailing._queues.values()) == schedule.ailing.count <= 20
    assert schedule.ailing.live + schedule.ailing.count == 20
