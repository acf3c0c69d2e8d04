"""How well the alarms serve their people: the figures of alarms.md 9.1, kept event by event. Pure.

Counts are of the last 24 hours in steps of ten minutes; times (to acknowledge, to normal) and dispositions
of the last 1000. Drills do not count. `at` is the wall time of the events: after a restart the same events
out of the journal give the same figures.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from gateway.model import EventKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gateway.model import AlarmEvent
    from rules.view import View

NANO = 1_000_000_000
STEP = 600 * NANO
STEPS = 144  # of ten minutes: a day
FLOOD, CALM = 10, 5  # annunciations in a step: a flood begins above, and ends below
CHATTER = (3, 60 * NANO)  # so many activations within so long
FLEETING = 60 * NANO  # cleared so soon, and nobody had acknowledged
STALE = 86400 * NANO
KEPT = 1000
CALLS = frozenset({EventKind.RAISE, EventKind.UPGRADE, EventKind.REPEAT})
LEVELS = (1, 2, 3, 4, 0)


class Step(NamedTuple):
    """What of an event counts."""

    kind: EventKind
    device: str
    rule: str
    occurrence: str
    at: int
    level: int
    test: bool
    reason: str

    @staticmethod
    def of(event: AlarmEvent) -> Step:
        """Return it of an event that has just been committed."""
        return Step(
            event.kind,
            event.device,
            event.rule,
            event.occurrence,
            event.at,
            event.level,
            event.test,
            event.reason,
        )

    @staticmethod
    def parsed(event: Mapping[str, Any]) -> Step:
        """Return it of an event out of the journal."""
        return Step(
            EventKind(event["event"]),
            event["device"],
            event["rule"],
            event["occurrence"],
            event["at"],
            event["level"],
            event["status"] != "Actual",
            event["reason"],
        )


@dataclass(slots=True)
class _Bucket:
    number: int
    calls: int = 0
    raised: int = 0
    fleeting: int = 0
    levels: Counter[int] = field(default_factory=Counter)
    sources: Counter[tuple[str, str]] = field(default_factory=Counter)


class _Open(NamedTuple):
    """An occurrence that was told and is not over."""

    raised: int
    acked: bool


class Kpis:
    """The figures. A step costs about ten microseconds, a report some hundreds in a flood."""

    def __init__(self) -> None:
        self._buckets: deque[_Bucket] = deque()
        self._levels: Counter[int] = Counter()  # sums of all buckets, kept as they come and go
        self._sources: Counter[tuple[str, str]] = Counter()
        self._times: dict[str, float | None] = {}  # empty: to be reckoned anew
        self._open: dict[tuple[str, str, str], _Open] = {}
        self._recent: dict[tuple[str, str], deque[int]] = {}
        self._chattered: dict[tuple[str, str], int] = {}
        self._acks: deque[tuple[int, float]] = deque(maxlen=KEPT)  # level, seconds
        self._normals: deque[float] = deque(maxlen=KEPT)
        self._dispositions: deque[str] = deque(maxlen=KEPT)
        self.seen = 0

    def note(self, steps: Iterable[Step]) -> None:
        """Take in what happened, oldest first."""
        for step in steps:
            if not step.test:
                self.seen += 1
                self._take(step)

    def _take(self, step: Step) -> None:
        key, kind = (step.device, step.rule, step.occurrence), step.kind
        if kind in CALLS:
            self._call(step)
            was = self._open.get(key)
            self._open[key] = _Open(step.at if was is None else was.raised, acked=False)
        elif kind is EventKind.ACK and (was := self._open.get(key)) is not None and not was.acked:
            self._acks.append((step.level, (step.at - was.raised) / NANO))
            self._times = {}
            self._open[key] = _Open(was.raised, acked=True)
        elif kind is EventKind.CLEAR and (was := self._open.get(key)) is not None:
            self._normals.append((step.at - was.raised) / NANO)
            self._times = {}
            if not was.acked and step.at - was.raised < FLEETING:
                self._bucket(step.at).fleeting += 1
        elif kind is EventKind.DISPOSITION:
            self._dispositions.append(step.reason.partition(":")[0])
        elif kind is EventKind.CLOSED:
            self._open.pop(key, None)

    def _call(self, step: Step) -> None:
        bucket, alarm = self._bucket(step.at), (step.device, step.rule)
        bucket.calls += 1
        bucket.raised += step.kind is EventKind.RAISE
        for counts in (bucket.levels, self._levels):
            counts[step.level] += 1
        for sources in (bucket.sources, self._sources):
            sources[alarm] += 1
        times = self._recent.setdefault(alarm, deque(maxlen=CHATTER[0]))
        times.append(step.at)
        if len(times) == CHATTER[0] and times[-1] - times[0] <= CHATTER[1]:
            self._chattered[alarm] = step.at

    def _bucket(self, at: int) -> _Bucket:
        number = at // STEP
        if not self._buckets or number > self._buckets[-1].number:
            self._drop(number - STEPS)
            self._buckets.append(_Bucket(number))
        return self._buckets[-1]  # a clock set back counts where it was

    def _drop(self, last: int) -> None:
        """Forget the steps up to a number."""
        while self._buckets and self._buckets[0].number <= last:
            old = self._buckets.popleft()
            self._levels.subtract(old.levels)
            self._sources.subtract(old.sources)
            for alarm in old.sources:
                if not self._sources[alarm]:
                    del self._sources[alarm]

    def report(self, now: int, views: Iterable[View] = ()) -> dict[str, Any]:
        """Return the figures at a wall time; `views` are the alarms as they stand."""
        last = now // STEP
        self._drop(last - STEPS)
        self._forget(now)
        buckets = self._buckets
        calls = sum(bucket.calls for bucket in buckets)
        worst = self._sources.most_common(10)
        raised = sum(bucket.raised for bucket in buckets)
        flooded, flood = self._floods(last)
        return {
            "annunciated_day": calls,
            "annunciated_hour": sum(bucket.calls for bucket in buckets if bucket.number > last - 6),
            "peak_10min": max((bucket.calls for bucket in buckets), default=0),
            "flood": flood,
            "flood_share": round(flooded / STEPS, 4),
            "top10_share": share(sum(n for _, n in worst), calls),
            "top": [{"device": d, "rule": r, "count": n} for (d, r), n in worst],
            "chattering": len(self._chattered),
            "fleeting": sum(bucket.fleeting for bucket in buckets),
            "mix": {str(level): share(self._levels[level], calls) for level in LEVELS},
            "per_occurrence": round(calls / raised, 2) if raised else None,
            **self._took(),
            "false_share": self._false(),
            **standing(now, views),
        }

    def _took(self) -> dict[str, float | None]:
        """Return how long it took to acknowledge and to be normal; sorted only when there is news."""
        if not self._times:
            acks = [seconds for _, seconds in self._acks]
            self._times = {
                "ack_p50": quantile(acks, 0.5),
                "ack_p95": quantile(acks, 0.95),
                "ack_p95_level1": quantile([seconds for level, seconds in self._acks if level == 1], 0.95),
                "normal_p50": quantile(self._normals, 0.5),
                "normal_p95": quantile(self._normals, 0.95),
            }
        return self._times

    def _forget(self, now: int) -> None:
        old = now - STEPS * STEP
        self._chattered = {alarm: at for alarm, at in self._chattered.items() if at > old}
        self._recent = {alarm: times for alarm, times in self._recent.items() if times[-1] > old}

    def _floods(self, last: int) -> tuple[int, bool]:
        """Return in how many steps of the day there was a flood, and whether there is one now."""
        calls = {bucket.number: bucket.calls for bucket in self._buckets}
        flooded, flood = 0, False
        for number in range(last - STEPS + 1, last + 1):
            found = calls.get(number, 0)
            flood = found > FLOOD or (flood and (found >= CALM or number == last))
            flooded += flood
        return flooded, flood

    def _false(self) -> float | None:
        said = [word for word in self._dispositions if word]
        return round(said.count("false") / len(said), 4) if said else None


def standing(now: int, views: Iterable[View]) -> dict[str, Any]:
    """Return what is to be said of the alarms as they stand; ages in seconds."""
    found = {"stale": 0, "shelved": 0, "out_of_service": 0, "suppressed": 0}
    oldest = 0.0
    for view in views:
        found["stale"] += view.active and not view.test and 0 < view.opened < now - STALE
        found["shelved"] += view.shelved is not None
        found["out_of_service"] += view.out_of_service is not None
        found["suppressed"] += bool(view.roots)
        if view.shelved is not None or view.out_of_service is not None or view.roots:
            oldest = max(oldest, (now - view.at) / NANO)
    return {**found, "hidden_for": round(oldest, 1)}


def share(part: int, whole: int) -> float | None:
    """Return a part of a whole, None of nothing."""
    return round(part / whole, 4) if whole else None


def quantile(values: Iterable[float], q: float) -> float | None:
    """Return the value below which a share of q lies, None of nothing."""
    ordered = sorted(values)
    return round(ordered[min(int(q * len(ordered)), len(ordered) - 1)], 1) if ordered else None
