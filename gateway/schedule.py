"""Which device of a line is read next. Pure: time comes in, nothing waits, nothing is read.

The polls of a line stand on a grid: `deadline += period`, so they never drift. Of the polls that are
due, alarm groups go first, then the nearest end of a period (`gateway.due`). A period that went by
without a poll is counted as missed and never made up for: each period holds one poll or is counted, so
nothing can queue up.

Deadlines are spread over the shortest period but for one hole at its end, as long as a timeout. Into
that hole go the retries and probes of devices that do not answer (see `gateway.liveness`), and so a
silent device does not move the others' polls.
"""

from __future__ import annotations

from itertools import groupby
from math import floor
from typing import TYPE_CHECKING

from gateway.due import Due
from gateway.liveness import Ailing, State, Timing
from gateway.turns import Turn, Unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gateway.liveness import Life
    from gateway.turns import Member

ALARM_ROW = 7  # an overfull line still gives one poll in eight to what is not an alarm
YIELD = 0.05  # a retry may push the next poll by this part of its period
SMOOTH = 0.125
FIRST_ROUND = 1.0  # seconds in which every group is first asked, where the line can


class Schedule:
    """The polls of one line. A turn taken is given back by exactly one of good, failed, held, released."""

    def __init__(self, members: Sequence[Member], now: float, timing: Timing | None = None) -> None:
        self._timing = timing or Timing()
        self.units = {m.device: Unit(m, now) for m in members}
        turns = [turn for unit in self.units.values() for turn in unit.turns]
        self.cycle = min((t.period for t in turns), default=0.0)
        self.ailing = Ailing(self._timing, self.cycle, len(self.units))
        self.missed = 0
        self._busy = 0
        self._row = 0
        self._alarm = Due()
        self._rest = Due()
        self.restart(now)

    def take(self, now: float) -> Turn | None:
        """Return the poll to begin at `now`, or None while nothing may begin."""
        turn = (self._attempt(now) if self.ailing.count else None) or self._next(now)
        if turn is not None:
            turn.unit.busy = True
            turn.started = now
            self._busy += 1
        return turn

    def next_at(self, now: float) -> float:
        """Return when `take` is worth calling again if nothing is given back before; `inf` if never."""
        at = max(now, min(self._alarm.next_at(), self._rest.next_at()))
        if self.ailing.count:
            ask = self.ailing.next_at()
            life = self.ailing.candidate(now)
            at = min(at, ask if life is None else life.latest if life.latest > now else at)
        return at

    def good(self, turn: Turn, now: float) -> bool:
        """Note that the device answered; return True when it had been lost."""
        unit = turn.unit
        life = unit.life
        life.polls += 1
        if turn is unit.turns[0]:
            if life.heard:
                life.cycle += (now - life.back - life.cycle) * (SMOOTH if life.cycle else 1.0)
            life.back = now
        life.last_good = now
        life.heard = True
        if life.state is State.LIVE:
            life.failures = 0
            self._give_back(unit)
            self._push(turn)
            return False
        was_lost = self.ailing.good(life, now)
        self._give_back(unit)
        self._rejoin(turn, now)
        return was_lost

    def failed(self, turn: Turn, now: float) -> bool:
        """Note that the device did not answer; return True when this made it lost."""
        lost = self.ailing.failed(turn.unit.life, now, now - turn.started)
        self._give_back(turn.unit)
        return lost

    def held(self, turn: Turn, until: float) -> None:
        """Note that the device was not asked and may not be before `until`: nothing was learned."""
        life = turn.unit.life
        self._give_back(turn.unit)
        if life.state is State.LIVE:
            self._push(turn, until)
        else:
            life.at = max(life.at, until)
            life.latest = max(life.latest, life.at + self.cycle)
            self.ailing.give_back(life)

    def released(self, turn: Turn) -> None:
        """Note that the line went away under the poll: nothing was learned."""
        self.held(turn, turn.started)

    def restart(self, now: float) -> None:
        """Begin the grid afresh at `now`: the start, or a line that is back after a while."""
        self._alarm.clear()
        self._rest.clear()
        for turn, first in self._spread(now):
            if turn.unit.life.state is State.LIVE:
                self._push(turn, first)
        self.ailing.all_due(now)

    def hold(self, device: str) -> bool:
        """Keep a device from being polled while a command uses it; False if it is being read now."""
        unit = self.units[device]
        if unit.busy:
            return False
        unit.busy = True
        self._busy += 1
        return True

    def free(self, device: str) -> None:
        """End a `hold`."""
        self._give_back(self.units[device])

    def nudge(self, device: str, now: float) -> None:
        """Ask a device that is not live at the next chance: somebody wants it."""
        self.ailing.pull(self.units[device].life, now)

    @property
    def silent(self) -> bool:
        """True while every device of the line is lost."""
        return self.ailing.lost == len(self.units) > 0

    def _attempt(self, now: float) -> Turn | None:
        """Return the turn of a device that is not live, if it may be asked and the moment is right.

        Right is: another request can go on beside it, or it fits before the next poll. After waiting
        in vain it takes the first idle moment, and a cycle later any moment.
        """
        life = self.ailing.candidate(now)
        if life is None:
            return None
        unit = self.units[life.device]
        if unit.busy or not (now >= life.latest + self.cycle or self._fits(now, life)):
            return None
        self.ailing.ask(life)
        return unit.turns[0]

    def _fits(self, now: float, life: Life) -> bool:
        if self._timing.inflight - self._busy > 1:
            return True
        patient = now < life.latest
        end = now + self.ailing.cost
        for lane in (self._alarm, self._rest):
            at, turn = lane.next_at(), lane.next()
            if at <= now or (patient and turn is not None and end > at + YIELD * turn.period):
                return False
        return True

    def _next(self, now: float) -> Turn | None:
        while True:
            alarm, rest = self._alarm.first(now), self._rest.first(now)
            if alarm is not None and not (rest is not None and self._overtakes(rest, alarm, now)):
                turn = self._alarm.pop()
            elif rest is not None:
                turn = self._rest.pop()
            else:
                return None
            unit = turn.unit
            if unit.busy:
                unit.parked.append(turn)
                continue
            turn.queued = False
            self._row = self._row + (rest is not None) if turn.alarm else 0
            self._step(turn, now)
            return turn

    def _overtakes(self, rest: Turn, alarm: Turn, now: float) -> bool:
        """Tell whether what is no alarm goes before an alarm that is due.

        So it is after a row of alarms; and when half its own period is over and not yet half that of the
        alarm: on a full line it would lose the period, while the alarm is still in good time.
        """
        late, early = now - rest.deadline >= rest.period / 2, now - alarm.deadline < alarm.period / 2
        return self._row >= ALARM_ROW or (late and early)

    def _step(self, turn: Turn, now: float) -> None:
        """Move the turn to its next place on the grid, counting the periods that are over."""
        late, period = now - turn.deadline, turn.period
        if late >= period:
            if period:
                over = floor(late / period)
                self.missed += over
                turn.unit.life.missed += over
                turn.deadline += over * period
            else:
                turn.deadline = now
        turn.deadline += period

    def _rejoin(self, first: Turn, now: float) -> None:
        """Put the groups of a device that is back on their old grid; those not just read are due now."""
        for turn in first.unit.turns:
            if turn.queued:
                continue
            if turn.period:
                turn.deadline += (floor((now - turn.deadline) / turn.period) + (turn is first)) * turn.period
            else:
                turn.deadline = now
            self._push(turn)

    def _give_back(self, unit: Unit) -> None:
        unit.busy = False
        self._busy -= 1
        if unit.parked:
            for turn in unit.parked:
                turn.queued = False
                if unit.life.state is State.LIVE:
                    self._push(turn)
            unit.parked.clear()

    def _push(self, turn: Turn, at: float | None = None) -> None:
        lane = self._alarm if turn.alarm else self._rest
        lane.push(turn, turn.deadline if at is None else at)

    def _spread(self, now: float) -> Iterator[tuple[Turn, float]]:
        """Give every turn its place on the grid; yield it with the time of its very first poll.

        Those of the shortest period are spread over it but for a hole at its end, as long as a timeout
        with a quarter to spare; slower ones stand behind them, dealt evenly over the cycles they have.
        The very first polls come sooner: nobody waits five minutes for the first value of a slow group.
        """
        cycle = self.cycle
        span = max(cycle / 4, cycle - 1.25 * self._timing.timeout)
        turns = [turn for unit in self.units.values() for turn in unit.turns]
        turns.sort(key=lambda turn: (turn.period, not turn.alarm))
        for period, same in groupby(turns, key=lambda turn: turn.period):
            batch = list(same)
            cycles = floor(period / cycle) if cycle else 0
            for number, turn in enumerate(batch):
                share = number / len(batch)
                if cycles > 1:
                    offset = number * cycles // len(batch) * cycle + span
                    first = min(offset, span, FIRST_ROUND)
                else:
                    offset = span * share
                    first = min(span, FIRST_ROUND) * share
                turn.deadline = now + offset - (period if first < offset else 0.0)
                yield turn, now + first
