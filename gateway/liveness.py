"""Which devices of a line are believed alive, and when the others are asked again. Pure.

                 good                       good (restores normal polling at once)
        +--------------------+   +------------------------------------------------+
        v                    |   v                                                |
      LIVE --- a failure --> SUSPECT --- >= 2 failures and >= 3 s without good --> LOST

A suspect is retried soon, a lost device is probed with a growing pause. Retries together may take
30 % of the line's time, probes together 5 % (a timeout of 300 ms: one probe in 6 s), and only one of
either is on the wire at once. A success costs nothing, so a whole segment that comes back is back at once.
While no device of the line is live there is nobody to protect: the shares are lifted and pauses stay short.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from heapq import heapify, heappop, heappush
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Timing:
    """How a line treats devices that do not answer. Seconds."""

    timeout: float = 0.3  # what a silent device costs at first guess; learned afterwards
    phase: float = 0.0  # before the very first poll: lines that start together shall not poll together
    inflight: int = 1  # devices that may be read at the same time
    lost_cycles: int = 2  # failures in a row before a device can be lost
    retry: float = 1.0  # pause before a suspect is asked again
    retry_share: float = 0.3  # of the line's time, for all suspects together
    probe_first: float = 4.0  # pause before the first probe of a lost device
    probe_growth: float = 2.0
    probe_limit: float = 20.0  # a probe pause never grows beyond this
    probe_share: float = 0.05  # of the line's time, for all lost devices together
    blind_limit: float = 2.0  # probe pause while no device of the line is live


class State(StrEnum):
    """What the line believes of a device."""

    LIVE = "live"
    SUSPECT = "suspect"  # failed, but not yet long enough to be called lost
    LOST = "lost"


class Life:
    """What is known of one device: its state, and when it may be asked again if it is not live."""

    __slots__ = (
        "at",
        "back",
        "cycle",
        "device",
        "failures",
        "heard",
        "last_good",
        "latest",
        "lost_after",
        "missed",
        "pause",
        "polls",
        "state",
    )

    def __init__(self, device: str, lost_after: float, now: float) -> None:
        self.device = device
        self.lost_after = lost_after
        self.state = State.LIVE
        self.last_good = now  # at the start nothing is held against a device
        self.heard = False  # True once it has answered at all
        self.failures = 0  # in a row
        self.polls = 0  # good ones
        self.missed = 0  # periods that passed without a poll because the line was busy
        self.cycle = 0.0  # smoothed seconds between good polls of its first group
        self.back = now  # when its first group was last good: what `cycle` is measured from
        self.pause = 0.0
        self.at = inf  # not asked before this
        self.latest = inf  # after this it no longer waits for a hole that fits


class Ailing:
    """The devices of one line that are not live. Says which may be asked, never does it."""

    def __init__(self, timing: Timing, cycle: float, devices: int) -> None:
        self._timing = timing
        self._cycle = cycle  # the shortest period of the line: a hole comes round once in it
        self.live = devices
        self.lost = 0
        self.cost = timing.timeout  # what asking in vain takes, learned
        self.count = 0
        self._asked: Life | None = None
        self._serial = 0
        self._queues: dict[State, list[tuple[float, int, Life]]] = {State.SUSPECT: [], State.LOST: []}
        self._gates = {State.SUSPECT: -inf, State.LOST: -inf}
        self._shares = {State.SUSPECT: timing.retry_share, State.LOST: timing.probe_share}

    def candidate(self, now: float) -> Life | None:
        """Return the device that may be asked at `now`, suspects first."""
        if self._asked is not None:
            return None
        for state, queue in self._queues.items():
            if queue and queue[0][0] <= now and self._open(state) <= now:
                return queue[0][2]
        return None

    def next_at(self) -> float:
        """Return when a candidate appears; `inf` if one is being asked or there is none."""
        if self._asked is not None:
            return inf
        return min((max(q[0][0], self._open(s)) for s, q in self._queues.items() if q), default=inf)

    def ask(self, life: Life) -> None:
        """Take the candidate from its queue: it is being asked."""
        heappop(self._queues[life.state])
        self._asked = life

    def give_back(self, life: Life) -> None:
        """Undo `ask`: the line went away, nothing was learned of the device."""
        if life is self._asked:
            self._asked = None
            self._enqueue(life)

    def failed(self, life: Life, now: float, took: float) -> bool:
        """Note a failure that took `took` seconds; return True when it made the device lost."""
        life.failures += 1
        self.cost += (took - self.cost) / 4
        if life.state is State.LIVE:
            life.state = State.SUSPECT
            self.live -= 1
            self.count += 1
        else:
            self._asked = None
            share = self._shares[life.state]
            self._gates[life.state] = now + took * (1 / share - 1)
        lost_now = life.state is State.SUSPECT and self._is_lost(life, now)
        if lost_now:
            life.state = State.LOST
            self.lost += 1
        self._postpone(life, now, first=lost_now)
        if self.live == 0 and life.failures == 1:
            self._pull(now + self._timing.blind_limit)
        return lost_now

    def good(self, life: Life, now: float) -> bool:
        """Note an answer of a device that was not live; return True when it had been lost."""
        was_lost = life.state is State.LOST
        if life is self._asked:
            self._asked = None
        life.state = State.LIVE
        life.failures = 0
        life.pause = 0.0
        self.live += 1
        self.count -= 1
        if was_lost:
            # What silenced this one (a fuse, a cable, an adapter) silenced others: ask them now.
            self.lost -= 1
            self.all_due(now)
        return was_lost

    def all_due(self, now: float) -> None:
        """Let every device that is not live be asked now, one after the other, pauses short again."""
        for queue in self._queues.values():
            for _, _, life in queue:
                life.pause = self._timing.probe_first
        self._pull(now)
        self._gates = dict.fromkeys(self._gates, now)

    def pull(self, life: Life, now: float) -> None:
        """Let this device be asked at the next chance its share allows."""
        for queue in self._queues.values():
            if any(entry[2] is life for entry in queue):
                queue[:] = [entry for entry in queue if entry[2] is not life]
                heapify(queue)
                self._set(life, now)
                self._enqueue(life)

    def _is_lost(self, life: Life, now: float) -> bool:
        long_enough = now - life.last_good >= life.lost_after
        return long_enough and life.failures >= self._timing.lost_cycles

    def _open(self, state: State) -> float:
        return self._gates[state] if self.live else -inf

    def _postpone(self, life: Life, now: float, *, first: bool) -> None:
        timing = self._timing
        if life.state is State.SUSPECT:
            life.pause = timing.retry
        elif first:
            life.pause = timing.probe_first
        else:
            life.pause = min(life.pause * timing.probe_growth, timing.probe_limit)
        pause = life.pause if self.live else min(life.pause, timing.blind_limit)
        self._set(life, now + pause)
        self._enqueue(life)

    def _set(self, life: Life, at: float) -> None:
        life.at = at
        life.latest = at + min(2 * self._cycle, life.pause)

    def _pull(self, to: float) -> None:
        for state, queue in self._queues.items():
            lives = [entry[2] for entry in queue]
            self._queues[state] = []
            for life in lives:
                self._set(life, min(life.at, to))
                self._enqueue(life)

    def _enqueue(self, life: Life) -> None:
        self._serial += 1
        heappush(self._queues[life.state], (life.at, self._serial, life))


@dataclass(frozen=True, slots=True)
class DeviceHealth:
    """What the poller knows of one device."""

    device: str
    state: State
    last_good: float | None  # monotonic seconds; None before the first answer
    failures: int  # in a row
    polls: int  # good ones since the start
    missed: int  # periods that passed because the line was busy
    cycle: float  # seconds between good polls of its first group, smoothed; 0 before the second
    errors: Mapping[str, int] = field(default_factory=dict)  # by the name of the exception
    quiet: bool = False  # says nothing while all is well: nobody can tell by its silence how it is

    @classmethod
    def of(cls, life: Life, errors: Mapping[str, int]) -> DeviceHealth:
        """Take a picture of a life."""
        heard = life.last_good if life.heard else None
        return cls(
            life.device, life.state, heard, life.failures, life.polls, life.missed, life.cycle, dict(errors)
        )


@dataclass(frozen=True, slots=True)
class LineHealth:
    """What the poller knows of its line."""

    line: str
    is_open: bool
    silent: bool  # open, but every device is lost
    utilisation: float  # 0..1, over the last ten seconds
    reopened: int
    missed: int
    waiting: int  # commands in the queue
    polls: int  # good ones of all its devices since the start
    lost: tuple[str, ...]  # devices
    strangers: tuple[tuple[str, str, int, float], ...] = ()  # number, from where, messages, seconds since
    connections: int | None = None  # on a line that is dialled into; None: it is asked
