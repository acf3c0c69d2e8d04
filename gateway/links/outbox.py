"""What a link sends next: alarms before telemetry, new beside old, again until there is a receipt. Pure.

A record is in *flight* from its first sending until its receipt. The window bounds what is in flight and
not what awaits a PUBACK: else a slow database would let thousands of readings pile up inside the broker,
and an alarm would have to wait behind them. What is in *hand* is with the MQTT client and not yet PUBACKed.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.links.ranges import Range, Ranges
from gateway.links.record import ALARM, START, TELEMETRY, Key, Record, key_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


UNHEARD = 2.0  # s: the broker says that nobody listens, so there is no receipt to wait for


@dataclass(frozen=True, slots=True)
class LaneLimits:
    """How much of one lane is under way, and how long a receipt may take. Seconds and bytes."""

    window: int  # records in flight
    kept_for_fresh: int = 0  # of these, how many only the newest record may use
    bytes_in_hand: int = 1 << 20  # one record is always allowed
    patience: float = 5.0  # until the first repetition; doubles with each
    longest: float = 60.0
    tell_all: bool = False  # everything new is sent at once; the window bounds only what waits to be repeated


LIMITS = {
    # A database that is away must not silence an alarm for those who listen at the broker.
    ALARM: LaneLimits(window=64, patience=5.0, longest=60.0, tell_all=True),
    # 64 KiB ahead of an alarm are half a second on a line of 1 Mbit/s.
    TELEMETRY: LaneLimits(16, kept_for_fresh=2, bytes_in_hand=1 << 16, patience=20.0, longest=120.0),
}


@dataclass(slots=True)
class Flight:
    """A record that was sent and has no receipt yet."""

    record: Record
    fresh: bool  # sent ahead of its turn; its turn comes again with the backlog
    sent: float
    due: float  # when to send again
    tries: int = 1
    in_hand: bool = True


@dataclass(slots=True)
class Counts:
    """What one lane has lived through since the start."""

    sent: int = 0
    resent: int = 0
    confirmed: int = 0
    unknown: int = 0  # receipts for what was never sent, or known already
    refused: int = 0  # PUBACKs that say no
    unheard: int = 0  # PUBACKs that say nobody listens


@dataclass(slots=True)
class LaneBox:
    """The sending state of one lane."""

    limits: LaneLimits
    read_to: Key = START  # everything up to here was read from the store
    highest: Key = START  # the newest record ever sent
    drained: bool = False  # the store had no more at the last look
    grown: bool = False  # the store grew since that look began
    ready: deque[Record] = field(default_factory=deque)
    fresh: Record | None = None
    flights: dict[Key, Flight] = field(default_factory=dict)
    parked: Key | None = None  # the oldest that was told and then left to the store, to be repeated later
    typical: float = 0.0  # seconds until a receipt, smoothed
    last_receipt: float | None = None
    counts: Counts = field(default_factory=Counts)

    def wants(self) -> int:
        """Return how many records to read from the store now."""
        if self.parked and not self.ready and len(self.flights) <= self.limits.window // 2:
            self.read_to, self.parked, self.drained = Key(self.parked.epoch, self.parked.seq - 1), None, False
        if self.drained or len(self.ready) > self.limits.window // 2:
            return 0
        self.grown = False
        return self.limits.window

    def offer(self, records: Sequence[Record]) -> None:
        """Take in what the store gave: unconfirmed records after `read_to`, oldest first; none = no more."""
        self.drained = not records and not self.grown
        for record in records:
            if (
                key := key_of(record)
            ) > self.read_to:  # else it came by `offer_next` while the store was read
                self.read_to = key
                self.ready.append(record)

    def offer_next(self, records: Sequence[Record]) -> bool:
        """Take in what comes directly after all that was read; False when something lies between."""
        if not records or self.parked or len(self.ready) > self.limits.window:
            return False
        first = key_of(records[0])
        begins = self.drained and first.seq == 1  # nothing can lie between an older epoch and its first
        if not begins and first != (self.read_to.epoch, self.read_to.seq + 1):
            return False
        self.offer(records)
        return True

    def next(self, now: float) -> Record | None:
        """Return the record to send now, and count it as in hand; None when there is none or no room."""
        return self._fresh(now) or self._again(now) or self._ready(now)

    def _fresh(self, now: float) -> Record | None:
        record = self.fresh
        if record is None or not self._room(record, self.limits.window):
            return None
        self.fresh = None
        return None if key_of(record) in self.flights else self._send(record, now, fresh=True)

    def _again(self, now: float) -> Record | None:
        for key, flight in self.flights.items():
            if flight.due > now or flight.in_hand or not self._room(flight.record, self.limits.window + 1):
                continue
            if flight.fresh and key > self.read_to:
                del self.flights[key]  # it comes with the backlog; its place is for a newer one
                return None
            flight.sent, flight.in_hand = now, True
            flight.tries += 1
            self.counts.resent += 1
            return flight.record
        return None

    def _ready(self, now: float) -> Record | None:
        while self.ready:
            record = self.ready[0]
            if key_of(record) not in self.flights:
                window = self.limits.window - self.limits.kept_for_fresh
                if self.limits.tell_all:
                    window = len(self.flights) + 1
                return self._send(self.ready.popleft(), now) if self._room(record, window) else None
            self.ready.popleft()
        return None

    def _room(self, record: Record, window: int) -> bool:
        if len(self.flights) >= window:
            return False
        in_hand = sum(len(f.record.payload) for f in self.flights.values() if f.in_hand)
        return not in_hand or in_hand + len(record.payload) <= self.limits.bytes_in_hand

    def _send(self, record: Record, now: float, *, fresh: bool = False) -> Record:
        key = key_of(record)
        self.flights[key] = Flight(record, fresh, now, float("inf"))
        self.highest = max(self.highest, key)
        self.counts.sent += 1
        return record

    def _pause(self, flight: Flight) -> float:
        first = max(self.limits.patience, 2 * self.typical)
        return min(self.limits.longest, first * 2.0 ** min(flight.tries - 1, 20))

    def puback(self, key: Key, now: float, *, accepted: bool, heard: bool) -> None:
        """Note the broker's answer for a record: no more in hand; the wait for the receipt begins."""
        self.counts.refused += not accepted
        self.counts.unheard += not heard
        if flight := self.flights.get(key):
            flight.in_hand = False
            flight.due = now + (self._pause(flight) if heard else min(UNHEARD, self._pause(flight)))
            self._park()

    def _park(self) -> None:
        """Leave the newest of those that wait beyond the window to the store; they were told once."""
        waiting = [key for key, flight in self.flights.items() if not flight.in_hand]
        if len(waiting) > self.limits.window:
            key = max(waiting)
            del self.flights[key]
            self.parked = min(self.parked or key, key)

    def receipt(self, epoch: int, ranges: Iterable[Range], now: float) -> list[Range]:
        """Take a receipt; return the part of it that may be true, for the store to forget."""
        believed = Ranges()
        for first, claimed in ranges:
            # nobody can have what was never sent
            last = min(claimed, self.highest.seq) if epoch == self.highest.epoch else claimed
            if epoch > self.highest.epoch or last < first or first < 1:
                self.counts.unknown += 1
            else:
                believed.add(first, last)
        if not believed:
            return []
        self.last_receipt = now
        self._land(epoch, believed, now)
        return list(believed)

    def _land(self, epoch: int, believed: Ranges, now: float) -> None:
        landed = [k for k in self.flights if k.epoch == epoch and k.seq in believed]
        for key in landed:
            flight = self.flights.pop(key)
            if flight.tries == 1:
                self.typical += (now - flight.sent - self.typical) / 8
        here = len(self.ready)
        self.ready = deque(r for r in self.ready if r.epoch != epoch or r.seq not in believed)
        if self.fresh and self.fresh.epoch == epoch and self.fresh.seq in believed:
            self.fresh = None
        self.counts.confirmed += len(landed) + here - len(self.ready)
        self.counts.unknown += not landed and here == len(self.ready) and self.parked is None
        for flight in self.flights.values():  # the far end lives: no reason to sit out a long pause
            if not flight.in_hand:
                flight.due = min(flight.due, now + max(self.limits.patience, 2 * self.typical))

    def disconnected(self) -> None:
        """Have all in flight sent again: the broker may have forgotten it."""
        for key, flight in list(self.flights.items()):
            if flight.fresh and key > self.read_to:
                del self.flights[key]
            flight.in_hand, flight.due, flight.tries = False, float("-inf"), 0

    def next_deadline(self) -> float | None:
        """Return the monotonic second at which something is to be sent again."""
        return min((f.due for f in self.flights.values() if not f.in_hand), default=None)


class Outbox:
    """The lanes of one link; the first lane goes first, always."""

    def __init__(
        self,
        newest: Mapping[str, Key] | None = None,
        limits: Mapping[str, LaneLimits] | None = None,
        in_hand: int = 100,
    ) -> None:
        """`newest`: the last record of each lane that an earlier life may have sent."""
        newest = newest or {}
        self._in_hand = in_hand
        self.lanes = {
            name: LaneBox(lane, highest=newest.get(name, START)) for name, lane in (limits or LIMITS).items()
        }

    def wants(self) -> list[tuple[str, Key, int]]:
        """Return what to read from the store: (lane, after, how many)."""
        return [(name, box.read_to, n) for name, box in self.lanes.items() if (n := box.wants())]

    def grew(self, lane: str | None = None) -> None:
        """Note that the store has more of this lane, or of any."""
        for name, box in self.lanes.items():
            if lane in {None, name}:
                box.drained, box.grown = False, True

    def behind(self, lane: str) -> bool:
        """Return whether the lane has a backlog, so that its newest record is worth sending out of turn."""
        box = self.lanes[lane]
        return not box.drained or len(box.ready) > box.limits.window

    def offer_fresh(self, record: Record) -> None:
        """Take the newest record of a lane that is behind, instead of one that was not sent yet."""
        box = self.lanes[record.lane]
        key = key_of(record)
        if key > box.highest and key > box.read_to:
            box.fresh = record

    def next(self, now: float) -> Record | None:
        """Return the next record to hand to the MQTT client; None when nothing may be sent now."""
        if self.in_hand >= self._in_hand:
            return None
        for box in self.lanes.values():
            if record := box.next(now):
                return record
        return None

    @property
    def in_hand(self) -> int:
        """How many records the MQTT client holds."""
        return sum(f.in_hand for box in self.lanes.values() for f in box.flights.values())

    def disconnected(self) -> None:
        """Note that the connection is gone."""
        for box in self.lanes.values():
            box.disconnected()

    def next_deadline(self) -> float | None:
        """Return the monotonic second at which `next` is worth asking again; None when only news helps."""
        return min((d for b in self.lanes.values() if (d := b.next_deadline()) is not None), default=None)
