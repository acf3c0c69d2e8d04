"""The engine at its desk: root causes are looked for before it judges, people are told after. Pure.

A `Desk` is an engine; whoever owns one gives it samples, time and actions as ever.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gateway.model import Outcome, Sample
from rules.actions import Reply
from rules.engine import Engine
from rules.guards import Guards
from rules.interlocks import INTERLOCK, Interlocks
from rules.notices import CLIMB, DESK, NOTICE, Notices
from rules.roots import Leaf, Roots
from rules.rule import FAULTS, with_companions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from gateway.model import AlarmEvent, Instant
    from rules.actions import Action
    from rules.interlock import Interlock
    from rules.ladders import Ladder
    from rules.receipts import Receipt
    from rules.roots import Move
    from rules.rule import AlarmKey, AlarmSpec

KEPT = frozenset(
    {NOTICE, CLIMB, DESK, INTERLOCK}
)  # what is kept beside the alarms, under names that no device can have


@dataclass(frozen=True, slots=True)
class Tree:
    """What hangs on what: devices on lines, lines on the gateway."""

    devices: Mapping[str, tuple[str, float]] = field(default_factory=dict)  # -> line, seconds between polls
    lines: Mapping[str, AlarmKey] = field(default_factory=dict)  # -> the fault that says it is down
    gateway: AlarmKey = ("gateway", "lines-down")


@dataclass(frozen=True, slots=True)
class Telling:
    """Who is told: the ladders of the site, the place of each device, seconds east of UTC at a wall time."""

    ladders: Mapping[str, Ladder] = field(default_factory=dict)
    zones: Mapping[str, str] = field(default_factory=dict)
    offset: Callable[[int], float] = lambda _: 0.0
    foreign: frozenset[str] = frozenset()  # devices of another gateway: that one tells


class Desk(Engine):
    """All alarms of a site, and the faults that are only a consequence of others."""

    def __init__(
        self,
        specs: Sequence[AlarmSpec],
        restored: Mapping[AlarmKey, dict[str, Any]],
        new_id: Callable[[], str],
        now: Instant,
        tree: Tree,
        telling: Telling | None = None,
        interlocks: Sequence[Interlock] = (),
    ) -> None:
        """Take up all that was left: alarms, what is hidden, what is told, what is to be done.

        Raises as `Engine` does.
        """
        super().__init__(specs, {key: s for key, s in restored.items() if key[0] not in KEPT}, new_id, now)
        alarms = list(self.alarms())
        hidden = [(alarm.key, _roots_of(alarm.state.roots)) for alarm in alarms if alarm.state.roots]
        standing = [alarm.key for alarm in alarms if alarm.state.live]
        self.roots = Roots(leaves(specs, tree), tree.lines, tree.gateway, hidden, standing, now.mono)
        telling = telling or Telling()
        guards, self._foreign = Guards.of(specs, tree.devices), telling.foreign
        self.notices = Notices(telling.ladders, telling.zones, telling.offset, restored, now, guards)
        self.interlocks = Interlocks(interlocks, restored, now)
        self._sampled = 0  # wall time of the last sample of an interlock: they strictly increase
        first = self._interlock(now, self.interlocks.watched)
        self._owed = [*self._owed, *first]

    def observe(self, samples: Sequence[Sample], now: Instant) -> list[AlarmEvent]:
        """Judge samples; what they say of lines and devices comes first."""
        moves = self.roots.observe(samples, now.mono)
        hidden = self._hide(moves, now) if moves else []
        events = super().observe(samples, now)
        events += self._interlock(now)
        if events:
            self._tell(events, now)
        return hidden + events

    def tick(self, now: Instant) -> list[AlarmEvent]:
        """Let time pass up to `now`."""
        hidden, events = self._hide(self.roots.tick(now.mono), now), super().tick(now)
        events += self._interlock(now, time=True)
        self._tell(events, now)
        self.notices.tick(now)
        return hidden + events

    def act(self, key: AlarmKey, action: Action, now: Instant) -> Reply:
        """Do something to an alarm; those who were told of it hear of it."""
        reply = super().act(key, action, now)
        reply.events.extend(self._interlock(now))
        self._tell(reply.events, now)
        return reply

    def put(self, spec: AlarmSpec, now: Instant, actor: str = "") -> list[AlarmEvent]:
        """Take in a new or edited rule."""
        events = [*super().put(spec, now, actor), *self._interlock(now)]
        self._tell(events, now)
        return events

    def remove(self, key: AlarmKey, now: Instant, actor: str = "") -> list[AlarmEvent]:
        """Take out a rule."""
        events = [*super().remove(key, now, actor), *self._interlock(now)]
        self._tell(events, now)
        return events

    def receipt(self, number: int, receipt: Receipt, reason: str, now: Instant) -> Reply:
        """Take a receipt of a notice, from the way that carried it."""
        self._now = now
        if number not in self.notices.outbox.notices:
            return Reply(Outcome.UNKNOWN, "no_such_notice", [])
        self.notices.receipt(number, receipt, reason, now)
        return Reply(Outcome.DONE, "", [])

    def begun(self, interlock: str, now: Instant) -> Reply:
        """Note that the errand of an interlock is being carried out."""
        self._now = now
        self.interlocks.begun(interlock)
        return Reply(Outcome.DONE, "", [])

    def ended(self, interlock: str, errand: str, *, proven: bool, why: str, now: Instant) -> Reply:
        """Take in what became of an errand."""
        self._now = now
        self.interlocks.ended(interlock, errand, proven=proven, why=why, now=now)
        events = self._interlock(now, time=True)
        self.notices.note(events, now)
        return Reply(Outcome.DONE, "", events)

    @property
    def dirty(self) -> bool:
        """Whether `take_dirty` has something to give."""
        return super().dirty or self.notices.dirty or self.interlocks.dirty

    def take_dirty(self) -> list[tuple[AlarmKey, dict[str, Any] | None]]:
        """Return the states changed since the last call, and what people are to be told."""
        interlocks = self.interlocks.take_dirty(self._now)
        return [*super().take_dirty(), *self.notices.take_dirty(self._now), *interlocks]

    def next_deadline(self) -> float | None:
        """Return the monotonic second at which `tick` may have something to do."""
        moments = (
            super().next_deadline(),
            self.roots.next_deadline(),
            self.notices.next_deadline(),
            self.interlocks.next_deadline(),
        )
        return min((moment for moment in moments if moment is not None), default=None)

    def _tell(self, events: Sequence[AlarmEvent], now: Instant) -> None:
        """Tell people what happened, but for what another gateway tells them."""
        if self._foreign:
            events = [event for event in events if event.device not in self._foreign]
        self.notices.note(events, now)

    def _interlock(
        self, now: Instant, touched: Iterable[AlarmKey] | None = None, *, time: bool = False
    ) -> list[AlarmEvent]:
        """Let the interlocks look at what changed; their failures are alarms like any other."""
        watched = self.interlocks.watched
        if not watched or (touched is None and not time and watched.isdisjoint(self._dirty)):
            return []
        events: list[AlarmEvent] = []
        looked = frozenset(watched & self._dirty.keys() if touched is None else touched)
        while True:
            self.interlocks.look({key: self._alarms.get(key) for key in looked}, now)
            failures = self.interlocks.failures()
            if not failures:
                return events
            self._sampled = max(self._sampled + 1, now.wall)
            samples = [Sample(i.device, self._sampled, now.mono, {"failed": int(bad)}) for i, bad in failures]
            events += super().observe(samples, now)
            looked = watched & self._dirty.keys()  # one may wait for the failure of another

    def _hide(self, moves: Sequence[Move], now: Instant) -> list[AlarmEvent]:
        return [event for move in moves for event in self.act(move.key, move.action, now).events]


def leaves(specs: Iterable[AlarmSpec], tree: Tree) -> dict[str, Leaf]:
    """Return the devices with the faults that say no more than that nothing is heard."""
    whole: dict[str, list[AlarmKey]] = {name: [] for name in tree.devices}
    points: dict[str, list[AlarmKey]] = {name: [] for name in tree.devices}
    for spec in with_companions(specs):
        rule = spec.rule
        if (
            spec.device in tree.devices
            and rule.timed
            and rule.alarm_class in FAULTS
            and not rule.is_protected
        ):
            (points if rule.inputs() else whole)[spec.device].append(spec.key)
    return {
        # A device without a fault of its own cannot speak for its points.
        name: Leaf(line, cycle, tuple(whole[name]), tuple(points[name]) if whole[name] else ())
        for name, (line, cycle) in tree.devices.items()
    }


def _roots_of(roots: Mapping[str, float | None]) -> list[str]:
    """Return those that still hide; the others are in their grace."""
    return [root for root, end in roots.items() if end is None]
