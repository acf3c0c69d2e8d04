"""What is told to which person, and when (alarms.md 5.4 to 5.7, 6). Pure.

Events of the engine come in, notices come out; the ways to people take them and give receipts back. What is
published as `event` never passes here. Everything is kept with the alarms, in their transaction.

    level 1             told at once, alone, always
    level 2             the first of its place and class at once, those of the next 30 s together
    3, 4 and faults     together after 20 s, then at most once in 5 min, within the budget of the person
    UPGRADE             at once; CLEAR to everybody who was told, levels 1 and 2 at once
"""

from __future__ import annotations

from collections import deque
from math import inf
from typing import TYPE_CHECKING, Any

from gateway.model import EventKind
from rules.chatter import BEGINS
from rules.guards import NO_GUARDS, changes
from rules.ladders import Climb, choose
from rules.outbox import Outbox
from rules.receipts import Notice, NoticeKind, Receipt
from rules.rule import EPSILON
from rules.shifts import next_shift
from rules.state import NANO
from rules.together import Together
from rules.told import way_up
from rules.verify import is_fire, is_real, others

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gateway.model import AlarmEvent, Instant
    from rules.guards import Change, Guards
    from rules.ladders import Ladder
    from rules.rule import AlarmKey

NOTICE, CLIMB, DESK = "@notice", "@climb", "@people"  # no device has an @ in its name
LOCAL = "local"  # the sounder and the screen of the gateway itself
TELLS = frozenset({EventKind.RAISE, EventKind.REPEAT, EventKind.UPGRADE})
REMIND = {
    1: 60.0,
    2: 300.0,
    3: 1800.0,
    0: 86400.0,
}  # seconds between two reminders of what is not acknowledged
FLOOD_BEGINS, FLOOD_ENDS, FLOOD_WINDOW = 10, 5, 600.0  # new alarms in so many seconds
EVERY = 1.0  # seconds between two looks
TAKEN = frozenset({Receipt.ACCEPTED, Receipt.DISPATCHED, Receipt.ON_SCENE, Receipt.CLOSED})


class Notices:
    """The announcements stage of a site."""

    def __init__(
        self,
        ladders: Mapping[str, Ladder],
        zones: Mapping[str, str],
        offset: Callable[[int], float],
        restored: Mapping[AlarmKey, Any],
        now: Instant,
        guards: Guards = NO_GUARDS,
    ) -> None:
        """`zones`: the place of each device. `offset`: seconds east of UTC at a wall time."""
        self._ladders, self._offset, self._guards = ladders, offset, guards
        self.climbs: dict[str, Climb] = {}
        self.outbox = Outbox()
        self._rows: deque[float] = deque(maxlen=FLOOD_BEGINS + 1)
        self.flood = False
        self._shift = next_shift(now.wall, offset)
        self._looked, self._changed = now.mono, False
        self._dirty: set[str] = set()  # climbs
        self.together = Together(zones, self.climbs, self.outbox, self._dirty)
        self._restore(restored, now)

    # The entrances.

    def note(self, events: Sequence[AlarmEvent], now: Instant) -> None:
        """Take in what the engine said."""
        for event in events:
            if event.kind in TELLS:
                self._announced(event, now)
            elif event.kind is EventKind.UPDATE and event.reason == BEGINS:
                self._chatter(event, now)
            elif (climb := self.climbs.get(event.occurrence)) is not None:
                self._happened(climb, event, now)
        for change in changes(events, self._guards):
            self._disabled(change, now)

    def tick(self, now: Instant) -> None:
        """Let time pass, once a second: steps, groups, digests, reminders, second ways."""
        if now.mono < self._looked + EVERY - EPSILON:
            return
        self._looked = now.mono
        for climb in list(self.climbs.values()):
            self._climb(climb, now)
            self._remind(climb, now)
        self.together.tick(now)
        self.outbox.tick(now.mono)
        if now.wall >= self._shift:
            self._new_shift(now)
        self._count_rows(now.mono)

    def receipt(self, number: int, receipt: Receipt, reason: str, now: Instant) -> bool:
        """Take a receipt of a notice; False when there is no such notice or it changes nothing."""
        notice = self.outbox.notices.get(number)
        if notice is None or not notice.take(receipt, now.mono, reason):
            return False
        self.outbox.dirty.add(number)
        for name in notice.alarms:
            climb = self.climbs.get(name.rsplit("/", 1)[-1])
            if climb is not None and receipt.rank > Receipt(climb.receipts.get(notice.person, "queued")).rank:
                climb.receipts[notice.person] = receipt.value
                climb.accepted |= receipt in TAKEN
                self._dirty.add(climb.occurrence)
        return True

    def way_up(self, occurrence: str, now: Instant) -> dict[str, Any] | None:
        """Return how far the ladder of an alarm has been climbed; None when nobody is told of it."""
        climb = self.climbs.get(occurrence)
        return None if climb is None else way_up(climb, self._ladders, now)

    def next_deadline(self) -> float | None:
        """Return the monotonic second at which `tick` has something to do."""
        busy = self.climbs or self.together.busy or self.outbox.notices
        return self._looked + EVERY if busy else None

    @property
    def dirty(self) -> bool:
        """Whether `take_dirty` has something to give."""
        return self._changed or bool(self._dirty or self.outbox.dirty)

    def take_dirty(self, now: Instant) -> list[tuple[AlarmKey, Any]]:
        """Return what changed since the last call; None: it is no more."""
        taken: list[tuple[AlarmKey, Any]] = [
            ((NOTICE, name), data) for name, data in self.outbox.take_dirty(now.mono)
        ]
        for name in self._dirty:
            climb = self.climbs.get(name)
            taken.append(((CLIMB, name), None if climb is None else climb.to_json(now)))
        if taken or self._changed:
            taken.append(((DESK, ""), self._desk(now)))
        self._dirty.clear()
        self._changed = False
        return taken

    # What happens to an alarm.

    def _announced(self, event: AlarmEvent, now: Instant) -> None:
        climb = self.climbs.get(event.occurrence)
        if event.kind is not EventKind.UPGRADE:
            self._rows.append(now.mono)
        known: tuple[str, ...] = ()
        if climb is None or climb.over:
            climb = self._begin(event, climb, now)
            self._look_first(climb, now, fresh=True)
        elif event.kind is EventKind.UPGRADE:
            known = tuple(climb.told)
            climb.upgrade(event)
            self._look_first(climb, now, fresh=False)
        else:
            climb.settle(now.mono)
            climb.acked = False
        climb.shift = climb.shift or next_shift(now.wall, self._offset)
        self._dirty.add(climb.occurrence)
        self._climb(climb, now, known)

    def _begin(self, event: AlarmEvent, before: Climb | None, now: Instant) -> Climb:
        """Begin a way up; who was not told yet that the one before is over need not be told of this one."""
        climb = self.climbs[event.occurrence] = Climb.of(event, now.mono)
        climb.blind = self._guards.blinds(event)
        for person in before.told if before is not None else ():
            self.together.same_again(person, climb)
        return climb

    def _happened(self, climb: Climb, event: AlarmEvent, now: Instant) -> None:
        self._dirty.add(climb.occurrence)
        climb.settle(now.mono)
        if event.kind is EventKind.ACK:
            climb.acked = True
        elif event.kind is EventKind.UNACK:  # the way up goes on, and those who know are reminded at once
            climb.acked, climb.reminded = False, -inf
        elif event.kind is EventKind.DISPOSITION:
            climb.disposed = True
            if climb.verifying and is_real(event):
                climb.begin()
                self._climb(climb, now)
        elif event.kind is EventKind.CLEAR and not climb.over:
            self.together.cleared(climb, now)

    def _chatter(self, event: AlarmEvent, now: Instant) -> None:
        """Tell the maintainers once that an alarm comes and goes (5.2)."""
        for person in choose(self._ladders, 0, event.alarm_class).steps[0].to:
            climb = Climb.of(event, now.mono)
            climb.level = 0
            climb.title = {"zh": f"抖动：{climb.title['zh']}", "en": f"chattering: {climb.title['en']}"}
            self.outbox.write(person, NoticeKind.CHATTER, [climb], now)

    def _look_first(self, climb: Climb, now: Instant, *, fresh: bool) -> None:
        """Let somebody look before the ladder is climbed, where the site wants it: at a single detector."""
        if not is_fire(climb):
            return
        second = others(climb, self.climbs.values())
        for other in second:
            if other.verifying:
                other.begin()
                self._climb(other, now)
        verify = choose(self._ladders, climb.level, climb.alarm_class).verify
        if fresh and not second and verify is not None:
            climb.verifying = True
            for person in verify.to:
                self.together.tell(person, climb, now, upgrade=False)

    def _disabled(self, change: Change, now: Instant) -> None:
        """Tell those of the first step, the fire centre among them, what does not watch any more (row 24)."""
        for person in choose(self._ladders, 1, change.alarm_class).steps[0].to:
            self.outbox.post(change.notice(self.outbox.next, person, now))

    # The way up.

    def _climb(self, climb: Climb, now: Instant, known: Sequence[str] = ()) -> None:
        """Take the steps that are due; `known`: those who know of a milder level, and hear of this one."""
        for person in known:
            self.together.tell(person, climb, now, upgrade=True)
        ladder = choose(self._ladders, climb.level, climb.alarm_class)
        climb.settle(now.mono)
        if climb.verifying and (ladder.verify is None or ladder.verify.over(climb)):
            climb.begin()
        while (step := climb.ready(ladder, now.wall)) is not None:
            wanted = climb.wanted(step)
            climb.taken += 1
            self._dirty.add(climb.occurrence)
            for person in step.to if wanted else ():
                if person not in climb.told:
                    self.together.tell(person, climb, now, upgrade=bool(known))

    # Reminders.

    def _remind(self, climb: Climb, now: Instant) -> None:
        period = REMIND.get(climb.level)
        if period is None or climb.acked or climb.over or now.mono < climb.reminded + period - EPSILON:
            return
        climb.reminded = now.mono
        self._dirty.add(climb.occurrence)
        told = [person for person, state in climb.told.items() if state == "sent"]
        for person in [LOCAL] if climb.level == 1 else told:
            self.outbox.write(person, NoticeKind.REMINDER, [climb], now)

    def _new_shift(self, now: Instant) -> None:
        """Remind the next shift of what is acknowledged and still stands."""
        self._shift = next_shift(now.wall, self._offset)
        people: dict[str, list[Climb]] = {}
        for climb in self.climbs.values():
            for person, state in climb.told.items() if climb.acked and not climb.over else ():
                if state == "sent":
                    people.setdefault(person, []).append(climb)
        for person, climbs in people.items():
            self.outbox.write(person, NoticeKind.REMINDER, climbs, now, "shift")

    # Time.

    def _count_rows(self, mono: float) -> None:
        recent = sum(mono - then <= FLOOD_WINDOW for then in self._rows)
        flood = recent > FLOOD_BEGINS or (self.flood and recent >= FLOOD_ENDS)
        if flood is not self.flood:
            self.flood = flood
            self._changed = True

    # The disk.

    def _desk(self, now: Instant) -> dict[str, Any]:
        return {
            "next": self.outbox.next,
            "flood": self.flood,
            "dropped": self.outbox.dropped,
            "rows": [now.mono - then for then in self._rows],
            **self.together.to_json(now.mono),
            "saved": now.wall if now.synced else None,
        }

    def _restore(self, restored: Mapping[AlarmKey, Any], now: Instant) -> None:
        desk = restored.get((DESK, ""))
        if desk is None:
            return
        trusted = desk["saved"] is not None and now.synced
        down = max(0.0, (now.wall - desk["saved"]) / NANO) if trusted else 0.0
        self.outbox.next, self.flood, self.outbox.dropped = desk["next"], desk["flood"], desk["dropped"]
        self._rows.extend(now.mono - down - age for age in desk["rows"])
        self.together.restore(desk, now.mono, down)
        kept = [(int(name), data) for (kind, name), data in restored.items() if kind == NOTICE]
        for _, data in sorted(kept, key=lambda pair: pair[0]):
            self.outbox.put(Notice.from_json(data, now, down))
        for (kind, name), data in restored.items():
            if kind == CLIMB:
                climb = self.climbs[name] = Climb.from_json(data, now)
                self.together.take_up(climb, now)
