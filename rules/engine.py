"""All alarms of the site. Samples, time and people go in, events come out. Pure: nothing runs by itself.

engine.observe(samples, now)   judge; returns the events, in order
engine.tick(now)               let time pass; call it at `next_deadline()`, or once a second
engine.act(key, action, now)   what people do: outcome, reason, events
engine.take_dirty()            the states to be stored with the events, in the same transaction
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from gateway.model import EventKind, Instant, Outcome
from rules.actions import Refusal, Reply
from rules.agenda import Agenda
from rules.alarm import Alarm
from rules.late import Latecomers
from rules.message import describe
from rules.rule import EPSILON, with_companions
from rules.scene import Scene
from rules.state import NANO
from rules.storage import close_orphan, restore
from rules.view import View, to_be_seen, view_of
from rules.worked import Works

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from gateway.model import AlarmEvent, Sample
    from rules.actions import Action
    from rules.rule import AlarmKey, AlarmSpec

RETRY = 0.001  # seconds: what a tick did not settle is not asked for again at once


class _Device:
    """The alarms of one device, and the last sample they saw."""

    __slots__ = ("alarms", "at", "kept", "mono")

    def __init__(self) -> None:
        self.alarms: list[Alarm] = []
        self.mono = float("-inf")
        self.at: int | None = None
        self.kept = False  # rules of others look at its readings


class Engine:
    """Owns the alarms; a sample touches only those of its device."""

    machine: type[Alarm] = Alarm

    def __init__(
        self,
        specs: Iterable[AlarmSpec],
        restored: Mapping[AlarmKey, dict[str, Any]],
        new_id: Callable[[], str],
        now: Instant,
    ) -> None:
        """Take up the alarms where they were left; by itself a restart announces nothing (row 28).

        `new_id` names occurrences, unique for ever: see `counted_ids`. Raises ValueError for two
        alarms of one name.
        """
        self.late = 0  # samples older than one already judged: not judged
        self._new_id, self._now = new_id, now
        self._alarms: dict[AlarmKey, Alarm] = {}
        self._devices: dict[str, _Device] = {}
        self._agenda = Agenda()
        self._dirty: dict[AlarmKey, Alarm | None] = {}
        self._held: dict[AlarmKey, Alarm] = {}  # with something on it that ends by itself
        self._owed: list[AlarmEvent] = []  # from the start, given out with the first step
        self._scene, self._latecomers = Scene(self._alarms, self._devices), Latecomers()
        self._works = Works()
        for spec in with_companions(specs):
            self._add(spec, restored.get(spec.key))
        self._link()
        for key, state in restored.items():
            if key not in self._alarms:  # its rule was deleted (row 30)
                self._owed += close_orphan(key, state, now)
                self._dirty[key] = None

    # The three entrances.

    def observe(self, samples: Sequence[Sample], now: Instant) -> list[AlarmEvent]:
        """Judge samples, oldest first; what was due before a sample happens before it."""
        self._now = now
        out, agenda, scene = self._take_owed(), self._agenda, self._scene
        stirred = scene.stirred
        for sample in samples:
            mono, at, then = sample.mono, sample.at, None
            if (due := agenda.next()) is not None and due < mono - EPSILON:
                self._run_until(mono - EPSILON, now, out)
            device = self._devices.get(sample.device)
            if device is None:
                continue
            if mono < device.mono or at == device.at:
                self.late += 1  # out of order, or twice the same: no credit, no alarm
                out += self._latecomers.take(sample, device, now)
                for alarm in device.alarms:
                    self._after(alarm, out)
                continue
            device.mono, device.at = mono, at
            for alarm in device.alarms:
                if alarm.idle and alarm.calm is not None and alarm.calm(sample, alarm.state.memory):
                    continue
                then = then or Instant(mono, at, now.synced)  # most samples need none: plainly normal
                alarm.observe(sample, then)
                self._after(alarm, out)
            if device.kept:
                scene.note(sample)
            if stirred:
                self._follow(then or Instant(mono, at, now.synced), out)
        return out

    def tick(self, now: Instant) -> list[AlarmEvent]:
        """Let time pass up to `now`."""
        self._now = now
        out = self._take_owed()
        self._run_until(now.mono + EPSILON, now, out)
        self._end_by_the_wall(now, out)
        return out

    def next_deadline(self) -> float | None:
        """Return the monotonic second at which `tick` may have something to do."""
        return self._now.mono if self._owed else self._agenda.next()

    def act(self, key: AlarmKey, action: Action, now: Instant) -> Reply:
        """Do something to an alarm; what the machine refuses is answered, and leaves everything as it was."""
        self._now = now
        alarm = self._alarms.get(key)
        if alarm is None:
            return Reply(Outcome.UNKNOWN, "no_such_alarm", [])
        out = self._take_owed()
        try:
            action.apply(alarm, now)
        except Refusal as refusal:
            return Reply(refusal.outcome, refusal.reason, out)
        alarm.settle(now)
        alarm.changed, alarm.saved_at = True, now.mono
        self._after(alarm, out)
        self._follow(now, out)
        return Reply(Outcome.DONE, "", out)

    # The site changes.

    def stretch(self, device: str, effective: float) -> list[AlarmEvent]:
        """Take in the seconds between samples of a device as it is really polled."""
        out: list[AlarmEvent] = []
        for alarm in self._devices[device].alarms if device in self._devices else ():
            alarm.stretch(effective)
            self._after(alarm, out)
        return out

    def relabel(self, seconds: float) -> None:
        """Put right when alarms began that were opened by a clock that nobody vouched for (row 31)."""
        for alarm in self._alarms.values():
            if alarm.state.occurrence is not None and alarm.state.occurrence.relabel(seconds):
                self._dirty[alarm.key] = alarm

    def put(self, spec: AlarmSpec, now: Instant, actor: str = "") -> list[AlarmEvent]:
        """Take in a new or edited rule; an open occurrence is kept (row 29)."""
        out: list[AlarmEvent] = []
        specs = list(with_companions([spec]))
        old = self._alarms.get(spec.key)
        names = {spec.key} if old is None else {each.key for each in with_companions([old.spec])}
        for key in names - {each.key for each in specs}:
            out += self.remove(key, now, actor)
        self._now = now
        for each in specs:
            alarm = self._alarms.get(each.key) or self._add(each, None)
            if alarm.spec is not each:
                alarm.change_rule(each, now, actor)
            self._after(alarm, out)
        self._link()
        self._follow(now, out)
        return out

    def remove(self, key: AlarmKey, now: Instant, actor: str = "") -> list[AlarmEvent]:
        """Take out a rule that was deleted; what was announced is given back (row 30)."""
        self._now = now
        alarm = self._alarms.pop(key, None)
        if alarm is None:
            return []
        alarm.finish("config", now, actor)
        alarm.scheduled = None
        if not alarm.spec.rule.wide:
            self._devices[key[0]].alarms.remove(alarm)
        self._held.pop(key, None)
        self._dirty[key] = None
        self._link()
        return alarm.out

    # What is read out.

    @property
    def dirty(self) -> bool:
        """Whether `take_dirty` has something to give."""
        return bool(self._dirty)

    def take_dirty(self) -> list[tuple[AlarmKey, dict[str, Any] | None]]:
        """Return the states changed since the last call, JSON-able; None: the alarm is no more."""
        taken = [
            (key, None if alarm is None else alarm.to_json(self._now)) for key, alarm in self._dirty.items()
        ]
        self._dirty.clear()
        return taken

    def snapshot(self, now: Instant) -> list[tuple[AlarmKey, dict[str, Any] | None]]:
        """Return every state that differs from a fresh one, for an orderly stop."""
        self._now = now
        busy = {key: a for key, a in self._alarms.items() if not a.idle or a.spec.rule.keep_every}
        self._dirty |= busy
        return self.take_dirty()

    def view(self) -> list[View]:
        """Return every alarm that people should see, as it stands."""
        return [view_of(alarm, self._now.mono) for alarm in self._alarms.values() if to_be_seen(alarm)]

    def standing(self) -> list[AlarmEvent]:
        """Return every open alarm as it stands, for those who show states; nothing happens by it."""
        opened = (alarm for alarm in self._alarms.values() if alarm.state.occurrence is not None)
        return [describe(alarm, EventKind.UPDATE, self._now) for alarm in opened]

    def alarms(self) -> Iterator[Alarm]:
        """Yield every alarm; look, but do not touch."""
        return iter(self._alarms.values())

    # Inside.

    def _add(self, spec: AlarmSpec, saved: dict[str, Any] | None) -> Alarm:
        if spec.key in self._alarms:
            raise ValueError(f"two alarms are called {spec.rule.name} at {spec.device}")
        worked = self._works.of(spec.rule)
        state, note = (None, "") if saved is None else restore(spec, worked, saved, self._now)
        alarm = self.machine(spec, worked, self._new_id, self._now, state)
        self._alarms[spec.key] = alarm
        if alarm.state.held:
            self._held[spec.key] = alarm
        device = self._devices.setdefault(spec.device, _Device())
        if not spec.rule.wide:  # those are fed by the scene
            device.alarms.append(alarm)
        if note and alarm.state.occurrence is not None:
            alarm.emit(EventKind.RULE_CHANGED, self._now, reason=note)
        self._after(alarm, self._owed)
        return alarm

    def _after(self, alarm: Alarm, out: list[AlarmEvent], not_before: float = 0.0) -> None:
        """Take what a step produced: events, a state to save, a deadline."""
        if alarm.out:
            out += alarm.out
            alarm.out.clear()
        if alarm.followed:
            self._scene.stir(alarm)
        if alarm.dirty:
            alarm.dirty = False
            self._dirty[alarm.key] = alarm
            if alarm.state.held:
                self._held[alarm.key] = alarm
            else:
                self._held.pop(alarm.key, None)
        if alarm.changed or alarm.scheduled is None:
            alarm.changed = False
            due = alarm.due()
            self._agenda.plan(alarm, due if due is None or due > not_before else not_before)

    def _link(self) -> None:
        self._scene.link()
        for device in self._devices.values():
            device.kept = False
        for name in self._scene.kept:  # also a device without alarms of its own is listened to
            self._devices.setdefault(name, _Device()).kept = True

    def _follow(self, now: Instant, out: list[AlarmEvent]) -> None:
        """Judge what looks at alarms and devices that have changed, each after all that it looks at."""
        while (alarm := self._scene.take()) is not None:
            alarm.observe(None, now)
            self._after(alarm, out)

    def _run_until(self, mono: float, now: Instant, out: list[AlarmEvent]) -> None:
        """Do what was due, each at its own time: a late caller changes nothing but the delay."""
        while (found := self._agenda.take(mono)) is not None:
            then, alarm = found
            moment = Instant(then, now.wall - round((now.mono - then) * NANO), now.synced)
            alarm.tick(moment)
            self._after(alarm, out, then + RETRY)
            if self._scene.stirred:
                self._follow(moment, out)

    def _end_by_the_wall(self, now: Instant, out: list[AlarmEvent]) -> None:
        """End holds whose wall time has come first: a wrong clock may shorten a silence."""
        for alarm in list(self._held.values()):
            if any(hold.over(now) for hold in alarm.holds()):
                alarm.tick(now)
                self._after(alarm, out)
        self._follow(now, out)

    def _take_owed(self) -> list[AlarmEvent]:
        owed, self._owed = self._owed, []
        return owed


def counted_ids(epoch: int) -> Callable[[], str]:
    """Return the names of occurrences, 7.1, 7.2 ...; `epoch` grows by one with each start of the gateway."""
    numbers = itertools.count(1)
    return lambda: f"{epoch}.{next(numbers)}"
