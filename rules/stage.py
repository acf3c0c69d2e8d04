"""The condition of one level and its two timers (region C of alarms.md 3.1; credit as in 3.5). Pure.

              true                    on-delay complete
    NORMAL ─────────▶ PENDING ─────────────────────────────▶ ACTIVE ◀─────────────┐
      ▲      false      │                                       │ false, input    │ true,
      ├─────────────────┘                                       ▼ believed        │ bad or stale
      └──────────────────────────────────────────────────── CLEARING ─────────────┘
                             off-delay complete

Delays are not measured from a start to now: only the time between two consecutive good samples that agree
counts, so two spikes with a hole between them are not "five seconds above the limit".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from rules.look import ACTIVE, CLEARING, NORMAL, PENDING, Phase
from rules.rule import EPSILON, gravity

if TYPE_CHECKING:
    from rules.look import Stage

KEEP_CREDIT = 300.0  # seconds a gateway may be down without a pending alarm starting over (row 28)


@dataclass(frozen=True, slots=True)
class Pace:
    """How to count: the longest believable gap between samples, and what a longer one means."""

    max_gap: float  # seconds
    protected: bool  # a longer gap is credited up to max_gap; for others it starts the delay again
    timed: bool = False  # the clock itself is the input: silence needs no fresh sample


pace_of = lru_cache(maxsize=1024)(Pace)
"""The same one for all alarms that count alike."""


@dataclass(slots=True)
class Timer:
    """One level's condition: its phase, the seconds credited, and when credit was last given."""

    phase: Phase = NORMAL
    credit: float = 0.0
    count: int = 0  # true good samples in PENDING
    mark: float | None = None  # monotonic time of the last good sample that agreed; None after a restart
    frozen: bool = False  # bad input since: time does not count until the next good sample

    def see(self, stage: Stage, truth: bool | None, now: float, pace: Pace, *, believed: bool) -> None:
        """Take one look; `believed` is false while good input is still to be confirmed as normal."""
        if truth is None:
            self.lose()
        elif self.phase is NORMAL:
            if truth:
                self._start(PENDING, now, count=1)
                self._complete(stage)
        elif self.phase is PENDING:
            if truth:
                self._pay(now, pace)
                self._complete(stage)
            else:
                self._settle(NORMAL)
        elif truth or not believed:
            self._settle(ACTIVE)
        elif self.phase is ACTIVE:
            self._start(CLEARING, now)
            self._complete(stage)
        else:
            self._pay(now, pace)
            self._complete(stage)

    def force(self) -> None:
        """Be true without any delay: bad input of a loop that fails safe has had its own."""
        self._settle(ACTIVE)

    def tick(self, stage: Stage, now: float, pace: Pace) -> None:
        """Let time pass: a delay completes only while the last good sample is younger than `max_gap`."""
        if self.mark is None or self.frozen:  # nothing runs: only PENDING and CLEARING have a mark
            return
        since = now - self.mark
        if not pace.timed and since >= pace.max_gap - EPSILON:
            if self.phase is CLEARING:
                self._settle(ACTIVE)  # normality cannot be proven (row 11)
        elif self.count >= stage.min_samples or self.phase is CLEARING:
            wanted = stage.on_delay if self.phase is PENDING else stage.off_delay
            if self.credit + since >= wanted - EPSILON:
                self._settle(ACTIVE if self.phase is PENDING else NORMAL)

    def due(self, stage: Stage, pace: Pace) -> float | None:
        """Return when `tick` would change something, if no sample comes."""
        if self.mark is None or self.frozen:  # nothing runs: only PENDING and CLEARING have a mark
            return None
        pending = self.phase is PENDING
        if pending and self.count < stage.min_samples:
            return None
        left = (stage.on_delay if pending else stage.off_delay) - self.credit
        if pace.timed or left < pace.max_gap - EPSILON:
            return self.mark + left
        return None if pending else self.mark + pace.max_gap

    def _start(self, phase: Phase, now: float, count: int = 0) -> None:
        self.phase, self.credit, self.count, self.mark, self.frozen = phase, 0.0, count, now, False

    def _settle(self, phase: Phase) -> None:
        self.phase, self.credit, self.count, self.mark, self.frozen = phase, 0.0, 0, None, False

    def _pay(self, now: float, pace: Pace) -> None:
        """Credit the time since the last good sample that agreed."""
        gap = 0.0 if self.mark is None else max(0.0, now - self.mark)
        if pace.timed and self.frozen:
            gap = 0.0  # nobody knew in between, though the clock ran
        self.count += 1
        if gap <= pace.max_gap + EPSILON or pace.timed:
            self.credit += gap
        elif self.phase is PENDING and pace.protected:
            self.credit += pace.max_gap
        else:
            self.credit, self.count = 0.0, 1
        self.mark, self.frozen = now, False

    def _complete(self, stage: Stage) -> None:
        """Move on when the delay has been earned."""
        if self.phase is PENDING:
            if self.credit >= stage.on_delay - EPSILON and self.count >= stage.min_samples:
                self._settle(ACTIVE)
        elif self.phase is CLEARING and self.credit >= stage.off_delay - EPSILON:
            self._settle(NORMAL)

    def lose(self) -> None:
        """Bad input: pending time stands still, and nothing clears (rows 9 and 11)."""
        if self.phase is CLEARING:
            self._settle(ACTIVE)
        elif self.phase is PENDING:
            self.frozen = True

    def to_json(self) -> dict[str, Any]:
        """Return the timer for the disk; times are credit, not clocks."""
        if self.phase is NORMAL or self.phase is ACTIVE:
            return {"phase": self.phase.value}
        return {"phase": self.phase.value, "credit": round(self.credit, 3), "count": self.count}

    @classmethod
    def from_json(cls, data: dict[str, Any], down: float | None) -> Timer:
        """Return the timer after a restart (row 28); `down` is how long nobody looked, None if unknown."""
        phase = Phase(data["phase"])
        if phase is CLEARING:
            return cls(ACTIVE)
        if phase is PENDING:
            kept = down is not None and down <= KEEP_CREDIT
            return cls(PENDING, data["credit"] if kept else 0.0, data["count"] if kept else 0)
        return cls(phase)


def refit(timers: list[Timer], before: tuple[Stage, ...], after: tuple[Stage, ...]) -> list[Timer]:
    """Return timers for the new levels: what stood goes on standing, until the delays have judged anew."""
    live = {stage.level for stage, timer in zip(before, timers, strict=True) if timer.phase.live}
    fitted = [Timer(ACTIVE if stage.level in live else NORMAL) for stage in after]
    if live and not any(timer.phase.live for timer in fitted):
        mildest = max(range(len(after)), key=lambda i: gravity(after[i].level))
        fitted[mildest] = Timer(ACTIVE)
    return fitted


def sooner(one: float | None, other: float | None) -> float | None:
    """Return the earlier of two moments; None is never."""
    if one is None:
        return other
    return one if other is None or one <= other else other
