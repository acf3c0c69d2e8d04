"""What rules would have said to readings of the past: the real engine, fed from a record. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gateway.model import EventKind, Instant
from rules.engine import Engine, counted_ids

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gateway.model import AlarmEvent, Sample
    from rules.rule import AlarmKey, AlarmSpec

FIRED = frozenset({EventKind.RAISE, EventKind.REPEAT})
ENDED = frozenset({EventKind.CLEAR, EventKind.COND_NORMAL, EventKind.CLOSED})
SILENCE = 60.0  # seconds without a line of any device: nobody was recording, so nobody was judging
SHORTEST_SILENCE = 10.0  # intervals of the slowest device; a slower site may rest longer
MOST_TIMES = 10_000  # firings of one rule whose times are kept


@dataclass(slots=True)
class Fired:
    """How often one rule would have fired, and how long it would have stood."""

    count: int = 0  # raised, and raised again
    worst: int = 0  # the gravest level it reached
    stood: float = 0.0  # seconds
    times: list[int] = field(default_factory=list)  # wall nanoseconds of the first MOST_TIMES firings
    since: float | None = None  # monotonic second from which it stands


@dataclass(slots=True)
class Silence:
    """What the record does not cover."""

    times: int = 0
    seconds: float = 0.0


class Replay:
    """One set of rules over one record. Nobody acknowledges, resets or shelves anything.

    The hold of chattering alarms is off: it would hide how often a rule fires, which is what one asks here.
    """

    def __init__(self, specs: Iterable[AlarmSpec]) -> None:
        """Take the rules. Raises ValueError for two alarms of one name."""
        self._specs = tuple(replace(spec, rule=replace(spec.rule, chatter_hold=False)) for spec in specs)
        self._starts = 0
        self._engine: Engine | None = None
        self._last = 0.0
        self._silence = max(
            SILENCE, SHORTEST_SILENCE * max((s.context.interval for s in self._specs), default=0.0)
        )
        self.silence = Silence()
        self.fired: dict[AlarmKey, Fired] = {}
        self.samples = 0

    def feed(self, sample: Sample) -> None:
        """Take the next sample; the samples of all devices come in the order of their times."""
        engine = self._engine
        if engine is None or sample.mono - self._last > self._silence:
            engine = self._start(engine, sample)
        self._last = sample.mono
        self.samples += 1
        self._note(engine.observe((sample,), Instant(sample.mono, sample.at)))

    def finish(self) -> dict[AlarmKey, Fired]:
        """Return what fired, in the order of the rules; every rule is in it."""
        if self._engine is not None:
            for key, alarm in ((a.key, a) for a in self._engine.alarms()):
                fired = self.fired.setdefault(key, Fired())
                if fired.since is not None and alarm.state.live:
                    fired.stood += self._last - fired.since
                fired.since = None
        return self.fired

    def _start(self, old: Engine | None, sample: Sample) -> Engine:
        """Start, or start again after a silence, as the gateway does: with the states it had saved."""
        now = Instant(sample.mono, sample.at)
        kept: dict[AlarmKey, dict[str, object]] = {}
        if old is not None:
            self.silence.times += 1
            self.silence.seconds += sample.mono - self._last
            then = Instant(self._last, sample.at - round((sample.mono - self._last) * 1e9))
            states = old.snapshot(then)
            kept = {key: json.loads(json.dumps(state)) for key, state in states if state is not None}
        self._starts += 1
        self._engine = Engine(self._specs, kept, counted_ids(self._starts), now)
        for alarm in self._engine.alarms():
            self.fired.setdefault(alarm.key, Fired())
        return self._engine

    def _note(self, events: Sequence[AlarmEvent]) -> None:
        for event in events:
            if event.test:
                continue
            fired = self.fired.setdefault((event.device, event.rule), Fired())
            if event.kind in FIRED:
                fired.count += 1
                if len(fired.times) < MOST_TIMES:
                    fired.times.append(event.at)
                fired.since = event.mono if fired.since is None else fired.since
            if event.active:
                fired.worst = min(fired.worst or 5, event.level or 5)
            if event.kind in ENDED and fired.since is not None:
                fired.stood += event.mono - fired.since
                fired.since = None
