"""What is sent next: alarms first, a bounded window, new beside old, again until there is a receipt."""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.links.outbox import LIMITS, Outbox
from gateway.links.record import ALARM, TELEMETRY, Key, key_of
from gateway.store.records import Lane, Record

NOW = 1000.0


def record(lane: str, seq: int, epoch: int = 1, size: int = 10) -> Record:
    return Record(Lane(lane), epoch, seq, 1, b"x" * size, at=0)


def offer(box: Outbox, lane: str, *seqs: int, size: int = 10) -> None:
    box.lanes[lane].offer([record(lane, seq, size=size) for seq in seqs])


def take(box: Outbox, now: float = NOW) -> list[tuple[str, int]]:
    """All that may be sent now, each PUBACKed at once."""
    found = []
    while r := box.next(now):
        found.append((str(r.lane), r.seq))
        box.lanes[r.lane].puback(key_of(r), now, accepted=True, heard=True)
    return found


def numbers(box: Outbox, lane: str, now: float = NOW) -> list[int]:
    return [seq for name, seq in take(box, now) if name == lane]


def test_an_alarm_goes_before_all_waiting_telemetry() -> None:
    box = Outbox()
    offer(box, TELEMETRY, *range(1, 10))
    offer(box, ALARM, 1, 2)
    assert take(box)[:2] == [(ALARM, 1), (ALARM, 2)]


def test_telemetry_without_receipts_stops_at_its_window_and_leaves_alarms_free() -> None:
    box = Outbox()
    offer(box, TELEMETRY, *range(1, 200))
    window = LIMITS[TELEMETRY].window - LIMITS[TELEMETRY].kept_for_fresh
    assert numbers(box, TELEMETRY) == list(range(1, window + 1))
    assert take(box) == []
    offer(box, ALARM, 1)
    assert take(box) == [(ALARM, 1)]


def test_pubacks_alone_open_no_window() -> None:
    box = Outbox()
    offer(box, TELEMETRY, *range(1, 100))
    window = LIMITS[TELEMETRY].window - LIMITS[TELEMETRY].kept_for_fresh
    assert len(take(box)) == window
    assert take(box) == []
    box.lanes[TELEMETRY].receipt(1, [(1, 10)], NOW)
    assert len(take(box)) == 10


def test_every_alarm_is_told_once_though_no_receipt_ever_comes() -> None:
    """Who listens at the broker must not fall silent because a database is away."""
    box = Outbox()
    told = []
    for seq in range(1, 1001):
        offer(box, ALARM, seq)
        told += numbers(box, ALARM)
    assert told == list(range(1, 1001))
    assert len(box.lanes[ALARM].flights) == LIMITS[ALARM].window  # the rest waits in the store


def test_alarms_that_were_left_to_the_store_are_sent_again_when_receipts_come() -> None:
    box = Outbox()
    offer(box, ALARM, *range(1, 1001))
    take(box)
    lane = box.lanes[ALARM]
    lane.wants()
    assert lane.read_to == Key(1, 1000)
    lane.receipt(1, [(1, LIMITS[ALARM].window)], NOW)
    assert lane.wants()
    assert lane.read_to == Key(
        1, LIMITS[ALARM].window
    )  # the store is read again from the first that was left
    offer(box, ALARM, *range(LIMITS[ALARM].window + 1, 1001))
    assert numbers(box, ALARM) == list(range(LIMITS[ALARM].window + 1, 1001))


def test_the_bytes_in_hand_are_bounded_but_one_record_always_goes() -> None:
    box = Outbox()
    big = LIMITS[TELEMETRY].bytes_in_hand * 2
    offer(box, TELEMETRY, 1, 2, size=big)
    first = box.next(NOW)
    assert first
    assert first.seq == 1
    assert box.next(NOW) is None
    box.lanes[TELEMETRY].puback(Key(1, 1), NOW, accepted=True, heard=True)
    second = box.next(NOW)
    assert second
    assert second.seq == 2


def test_no_more_than_a_hundred_messages_are_in_hand() -> None:
    limits = {ALARM: replace(LIMITS[ALARM], window=500)}
    box = Outbox(limits=limits)
    offer(box, ALARM, *range(1, 300))
    sent = 0
    while box.next(NOW):
        sent += 1
    assert sent == box.in_hand == 100


def test_the_newest_group_goes_out_of_turn_while_the_window_is_full_of_backlog() -> None:
    box = Outbox()
    offer(box, TELEMETRY, *range(1, 100))
    take(box)
    assert box.behind(TELEMETRY)
    box.offer_fresh(record(TELEMETRY, 5000))
    assert take(box) == [(TELEMETRY, 5000)]


def test_a_newer_group_takes_the_place_of_one_that_had_no_room() -> None:
    box = Outbox()
    offer(box, TELEMETRY, *range(1, 100))
    take(box)
    for seq in range(5000, 5010):
        box.offer_fresh(record(TELEMETRY, seq))
    assert numbers(box, TELEMETRY) == [5009]


def test_a_group_sent_out_of_turn_is_not_sent_again_in_its_turn() -> None:
    box = Outbox()
    offer(box, TELEMETRY, 1)
    box.offer_fresh(record(TELEMETRY, 3))
    assert sorted(numbers(box, TELEMETRY)) == [1, 3]
    offer(box, TELEMETRY, 2, 3, 4)
    assert numbers(box, TELEMETRY) == [2, 4]


def test_a_record_without_receipt_is_sent_again_with_growing_pauses() -> None:
    box = Outbox()
    offer(box, ALARM, 1)
    take(box)
    times, now = [], NOW
    for _ in range(7):
        deadline = box.next_deadline()
        assert deadline is not None
        assert numbers(box, ALARM, deadline - 0.001) == []
        assert numbers(box, ALARM, deadline) == [1]
        times.append(deadline - now)
        now = deadline
    assert times == [5.0, 10.0, 20.0, 40.0, 60.0, 60.0, 60.0]


def test_where_nobody_listens_it_is_tried_again_soon_and_steadily() -> None:
    box = Outbox()
    offer(box, TELEMETRY, 1)
    assert box.next(NOW)
    for _ in range(9):
        box.lanes[TELEMETRY].puback(Key(1, 1), NOW, accepted=True, heard=False)
        assert box.next_deadline() == NOW + 2
        assert box.next(NOW + 2)


def test_nothing_is_sent_again_while_it_is_still_in_hand() -> None:
    box = Outbox()
    offer(box, ALARM, 1)
    assert box.next(NOW)
    assert box.next(NOW + 1e6) is None


def test_a_lost_connection_sends_all_in_flight_again_at_once() -> None:
    box = Outbox()
    offer(box, ALARM, 1, 2)
    offer(box, TELEMETRY, 1, 2)
    before = take(box)
    box.disconnected()
    assert sorted(take(box)) == sorted(before)


def test_slow_receipts_make_the_link_more_patient() -> None:
    box = Outbox()
    offer(box, ALARM, *range(1, 60))
    now = NOW
    for seq in range(1, 50):
        r = box.next(now)
        assert r
        box.lanes[ALARM].puback(key_of(r), now, accepted=True, heard=True)
        box.lanes[ALARM].receipt(1, [(seq, seq)], now + 30)
        now += 30
    r = box.next(now)
    assert r
    box.lanes[ALARM].puback(key_of(r), now, accepted=True, heard=True)
    deadline = box.next_deadline()
    assert deadline is not None
    assert deadline - now > 30


def test_a_receipt_ends_the_long_pause_of_the_others() -> None:
    box = Outbox()
    offer(box, ALARM, 1, 2)
    take(box)
    now = NOW
    for _ in range(5):
        now = box.next_deadline() or 0.0
        take(box, now)
    box.lanes[ALARM].receipt(1, [(2, 2)], now)
    assert (box.next_deadline() or 0.0) - now <= 5.0


def test_receipts_for_what_was_never_sent_are_counted_and_not_believed() -> None:
    box = Outbox({ALARM: Key(3, 10)})
    offer(box, ALARM, 1)
    take(box)
    lane = box.lanes[ALARM]
    assert lane.receipt(3, [(11, 12)], NOW) == []
    assert lane.receipt(4, [(1, 1)], NOW) == []
    assert lane.receipt(3, [(0, 5), (7, 6)], NOW) == []
    assert lane.counts.unknown == 4
    assert lane.receipt(3, [(9, 1 << 60)], NOW) == [(9, 10)], "clipped to what may have been sent"


def test_a_receipt_for_an_earlier_life_is_passed_on_to_the_store() -> None:
    box = Outbox({ALARM: Key(3, 10)})
    assert box.lanes[ALARM].receipt(2, [(1, 7)], NOW) == [(1, 7)]


def test_doubled_receipts_change_nothing() -> None:
    box = Outbox()
    offer(box, ALARM, 1, 2)
    take(box)
    lane = box.lanes[ALARM]
    assert lane.receipt(1, [(1, 1)], NOW) == [(1, 1)]
    lane.receipt(1, [(1, 1)], NOW)
    assert (lane.counts.confirmed, lane.counts.unknown) == (1, 1)
    assert list(lane.flights) == [Key(1, 2)]


def test_a_refused_record_stays_and_is_tried_again() -> None:
    box = Outbox()
    offer(box, ALARM, 1)
    assert box.next(NOW)
    box.lanes[ALARM].puback(Key(1, 1), NOW, accepted=False, heard=True)
    assert box.lanes[ALARM].counts.refused == 1
    assert numbers(box, ALARM, NOW + 5) == [1]


def test_what_follows_directly_on_all_that_was_read_is_taken_at_once() -> None:
    box = Outbox()
    offer(box, ALARM)
    assert box.lanes[ALARM].offer_next([record(ALARM, 1), record(ALARM, 2)])
    assert box.lanes[ALARM].offer_next([record(ALARM, 3)])
    assert numbers(box, ALARM) == [1, 2, 3]


def test_what_leaves_something_out_must_be_read_from_the_store() -> None:
    box = Outbox()
    offer(box, ALARM, 1)
    assert not box.lanes[ALARM].offer_next([record(ALARM, 3)])
    assert numbers(box, ALARM) == [1]


def test_before_the_first_look_nothing_is_known_to_follow() -> None:
    assert not Outbox().lanes[ALARM].offer_next([record(ALARM, 1)])


def test_what_was_taken_at_once_and_is_read_as_well_is_sent_once() -> None:
    box = Outbox()
    offer(box, ALARM, 1)
    box.lanes[ALARM].offer_next([record(ALARM, 2)])
    assert numbers(box, ALARM) == [1, 2]
    box.lanes[ALARM].receipt(1, [(1, 2)], NOW)
    offer(box, ALARM, 2)  # the store was being read when it was committed, and gives it only now
    assert numbers(box, ALARM) == []


@settings(max_examples=60, deadline=None)
@given(st.integers())
def test_alarms_taken_at_once_arrive_all_and_in_order_whatever_the_store_gives_meanwhile(seed: int) -> None:
    luck, box, stored = random.Random(seed), Outbox(), list[int]()
    lane, sent, total = box.lanes[ALARM], list[int](), 0
    read: list[int] | None = None
    while total < 200 or lane.wants() or len(set(sent)) < 200:
        if read is None and lane.wants() and (luck.random() < 0.4 or total == 200):
            read = [seq for seq in stored if seq > lane.read_to.seq][:5]  # a look that takes a while
        if total < 200 and luck.random() < 0.7:
            total += 1
            stored.append(total)
            box.grew(ALARM)
            if luck.random() < 0.7:
                lane.offer_next([record(ALARM, total)])
        if read is not None and (luck.random() < 0.5 or total == 200):
            offer(box, ALARM, *read)
            read = None
        for seq in numbers(box, ALARM):
            sent.append(seq)
            if luck.random() < 0.9:
                lane.puback(Key(1, seq), NOW, accepted=True, heard=True)
                lane.receipt(1, [(seq, seq)], NOW)
                stored.remove(seq)
    assert sent == list(range(1, 201))


class World:
    """A store, a link and a far end; what passes between them is lost, doubled and shuffled by luck."""

    def __init__(self, luck: random.Random, total: int) -> None:
        self.luck, self.box, self.now = luck, Outbox(), NOW
        self.stored = dict.fromkeys(range(1, total + 1))
        self.got: set[int] = set()

    def step(self, *, fair: bool) -> None:
        for lane, after, limit in self.box.wants():
            rest = [s for s in self.stored if s > after.seq] if lane == TELEMETRY else []
            offer(self.box, lane, *rest[:limit])
        if self.stored and self.lucky(0.3):
            self.box.offer_fresh(record(TELEMETRY, max(self.stored)))
        self.receive([seq for seq in self.send() if fair or self.lucky(0.6)], fair=fair)
        self.now += 10

    def send(self) -> list[int]:
        sent = []
        while r := self.box.next(self.now):
            sent.append(r.seq)
            self.box.lanes[TELEMETRY].puback(key_of(r), self.now, accepted=True, heard=True)
        return sent

    def receive(self, arrived: list[int], *, fair: bool) -> None:
        self.got.update(arrived)
        self.luck.shuffle(arrived)
        for seq in arrived:
            if fair or self.lucky(0.5):
                self.receipt(seq)
                if self.lucky(0.2):
                    self.receipt(seq)

    def receipt(self, seq: int) -> None:
        for first, last in self.box.lanes[TELEMETRY].receipt(1, [(seq, seq)], self.now):
            for n in range(first, last + 1):
                self.stored.pop(n, None)

    def lucky(self, chance: float) -> bool:
        return self.luck.random() < chance


@settings(max_examples=40, deadline=None)
@given(st.integers())
def test_every_record_arrives_whatever_is_lost_doubled_and_reordered(seed: int) -> None:
    world = World(random.Random(seed), total=60)
    for step in range(300):
        world.step(fair=step > 200)
        if step <= 200 and world.lucky(0.2):
            world.box.disconnected()
        assert len(world.box.lanes[TELEMETRY].flights) <= LIMITS[TELEMETRY].window
    assert world.got == set(range(1, 61))
    assert not world.stored
