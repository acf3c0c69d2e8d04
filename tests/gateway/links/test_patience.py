"""Pauses grow with jitter; a peer that is silent although asked is dead in time."""

from __future__ import annotations

import random

import pytest

from gateway.links.live import Pace
from gateway.links.patience import Backoff, Watchdog
from gateway.links.retained import Retained


def test_pauses_lie_between_one_second_and_a_minute_and_grow() -> None:
    longest = [Backoff(1, 60, lambda: 1.0)]
    assert [longest[0].pause() for _ in range(8)] == [2, 4, 8, 16, 32, 60, 60, 60]
    luck = random.Random(1)
    pauses = [Backoff(1, 60, luck.random).pause() for _ in range(1000)]
    assert min(pauses) >= 1
    assert max(pauses) <= 2
    assert len({round(p, 3) for p in pauses}) > 300, "a thousand gateways do not knock together"


def test_success_starts_again_from_the_shortest_pause() -> None:
    pause = Backoff(1, 60, lambda: 1.0)
    for _ in range(9):
        pause.pause()
    pause.succeeded()
    assert pause.pause() == 2


def test_a_silent_peer_is_asked_and_then_dead_within_ten_seconds() -> None:
    dog, probes = Watchdog(heard=0.0), []
    now = 0.0
    while not dog.dead(now):
        now += 0.5
        if dog.probe_due(now):
            probes.append(now)
        assert now < 60
    assert probes[0] == 3.0
    assert now <= 9.5


def test_a_peer_that_answers_lives() -> None:
    dog = Watchdog(heard=0.0)
    for half in range(1, 1000):
        now = half / 2
        if dog.probe_due(now):
            dog.hear(now + 0.1)
        assert not dog.dead(now)


def test_a_suspended_process_does_not_mistake_its_own_sleep_for_a_dead_peer() -> None:
    dog = Watchdog(heard=0.0)
    assert not dog.dead(3600.0), "it was not asked yet"
    assert dog.probe_due(3600.0)


def test_the_first_change_is_told_at_once_and_the_rest_once_a_second() -> None:
    pace = Pace(1.0)
    assert pace.changed("d", 0.0)
    assert [pace.changed("d", t) for t in (0.1, 0.2, 0.89)] == [False] * 3
    assert pace.next_deadline() == 1.0
    assert pace.due(0.999) == []
    assert pace.due(1.0) == ["d"]
    assert pace.next_deadline() is None
    assert not pace.changed("d", 1.5)
    assert pace.due(2.0) == ["d"]
    assert pace.changed("d", 9.0)


def test_a_device_that_is_read_each_second_a_little_early_or_late_is_told_at_once_each_time() -> None:
    pace, jitter = Pace(1.0), (0.0, -0.02, 0.03, -0.04, 0.0, 0.01, -0.03)
    assert all(pace.changed("d", second + late) for second, late in enumerate(jitter))


def test_what_always_comes_early_is_still_told_no_more_than_once_a_second() -> None:
    pace, told = Pace(1.0), 0
    for n in range(1000):
        told += pace.changed("d", n * 0.91) + len(pace.due(n * 0.91))
    assert told <= 1000 * 0.91 + 1


def test_what_could_not_be_told_is_told_later() -> None:
    pace = Pace(1.0)
    assert pace.changed("d", 0.0)
    pace.put_off("d", 0.0)
    assert not pace.changed("d", 0.5)
    assert pace.due(1.0) == ["d"]


@pytest.fixture
def board() -> Retained:
    return Retained()


def test_what_is_wanted_is_told_once_and_again_on_a_new_connection(board: Retained) -> None:
    board.want("a", b"1")
    board.want("a", b"1")
    assert board.next() == ("a", b"1")
    assert board.next() is None
    board.disconnected()
    assert board.next() == ("a", b"1")


def test_a_cleared_topic_is_forgotten_only_when_the_broker_has_said_so(board: Retained) -> None:
    board.want("a", b"1")
    board.want("a", b"")
    assert board.next() == ("a", b"")
    board.handed(1, "a", b"")
    board.disconnected()
    assert board.next() == ("a", b""), "no PUBACK came: clear it again"
    board.handed(1, "a", b"")
    assert board.told(1)
    board.disconnected()
    assert board.next() is None


def test_what_an_earlier_life_left_behind_is_cleared(board: Retained) -> None:
    board.want("a", b"1")
    board.next()
    board.found("a", b"0")
    board.found("old", b"0")
    assert board.next() == ("old", b"")
    assert board.next() is None
