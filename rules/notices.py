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
from rules.groups import Budget, Group
from rules.ladders import Climb, choose
from rules.outbox import Outbox
from rules.receipts import Notice, NoticeKind, Receipt
from rules.rule import EPSILON
from rules.shifts import next_shift
from rules.state import NANO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from gateway.model import AlarmEvent, Instant
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
    ) -> None:
        """`zones`: the place of each device. `offset`: seconds east of UTC at a wall time."""
        self._ladders, self._zones, self._offset = ladders, zones, offset
        self.climbs: dict[str, Climb] = {}
        self.outbox = Outbox()
        self._groups: dict[tuple[str, str], Group] = {}
        self._budgets: dict[str, Budget] = {}
        self._rows: deque[float] = deque(maxlen=FLOOD_BEGINS + 1)
        self.flood, self.fleeting = False, 0  # `fleeting`: over before anybody was told
        self._shift = next_shift(now.wall, offset)
        self._mono = now.mono
        self._looked, self._changed = now.mono, False
        self._dirty: set[str] = set()  # climbs
        self._restore(restored, now)

    # The entrances.

    def note(self, events: Iterable[AlarmEvent], now: Instant) -> None:
        """Take in what the engine said."""
        self._mono = now.mono
        for event in events:
            if event.kind in TELLS:
                self._announced(event, now)
            elif event.kind is EventKind.UPDATE and event.reason == BEGINS:
                self._chatter(event, now)
            elif (climb := self.climbs.get(event.occurrence)) is not None:
                self._happened(climb, event, now)

    def tick(self, now: Instant) -> None:
        """Let time pass, once a second: steps, groups, digests, reminders, second ways."""
        if now.mono < self._looked + EVERY - EPSILON:
            return
        self._mono = self._looked = now.mono
        for climb in list(self.climbs.values()):
            self._climb(climb, now)
            self._remind(climb, now)
        for group in list(self._groups.values()):
            if group.due is not None and now.mono >= group.due - EPSILON:
                self._flush(group, now)
            elif not group.alive(now.mono):
                del self._groups[group.person, group.key]
        for person, budget in self._budgets.items():
            if budget.waiting and budget.spend(now.mono):
                self._digest(person, budget, now)
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

    def next_deadline(self) -> float | None:
        """Return the monotonic second at which `tick` has something to do."""
        busy = self.climbs or self._groups or self.outbox.notices
        return self._looked + EVERY if busy else None

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
        if climb is None or climb.over:
            climb = self._begin(event, climb, now)
        elif event.kind is EventKind.UPGRADE:
            climb.upgrade(event)
        else:
            climb.settle(now.mono)
            climb.acked = False
        climb.shift = climb.shift or next_shift(now.wall, self._offset)
        self._dirty.add(climb.occurrence)
        self._climb(climb, now, upgrade=event.kind is EventKind.UPGRADE)

    def _begin(self, event: AlarmEvent, before: Climb | None, now: Instant) -> Climb:
        """Begin a way up; who was not told yet that the one before is over need not be told of this one."""
        climb = self.climbs[event.occurrence] = Climb.of(event, now.mono)
        for person in before.told if before is not None else ():
            self._group(person, climb).leave(climb.occurrence)
            climb.told[person] = "sent"
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
        elif event.kind is EventKind.CLEAR and not climb.over:
            self._cleared(climb, now)

    def _cleared(self, climb: Climb, now: Instant) -> None:
        """Tell everybody who was told; who was not told yet hears nothing, but for level 2."""
        climb.over = True
        for person in list(climb.told):
            group = self._group(person, climb)
            if climb.told[person] == "waiting" and climb.level in {1, 2}:
                climb.over = False
                self._flush(group, now)
                climb.over = True
            if climb.told[person] in {"waiting", "digest"}:
                group.leave(climb.occurrence)
                self._budget(person).waiting.pop(climb.occurrence, None)
                del climb.told[person]
                self.fleeting += 1
            elif climb.level in {1, 2}:
                self.outbox.write(person, NoticeKind.CLEAR, [climb], now)
                del climb.told[person]
            else:
                climb.told[person] = "over"
                group.join(climb.occurrence, now.mono)
        self._forget(climb)

    def _forget(self, climb: Climb) -> None:
        if climb.over and not climb.told:
            self.climbs.pop(climb.occurrence, None)
        self._dirty.add(climb.occurrence)

    def _chatter(self, event: AlarmEvent, now: Instant) -> None:
        """Tell the maintainers once that an alarm comes and goes (5.2)."""
        for person in choose(self._ladders, 0, event.alarm_class).steps[0].to:
            climb = Climb.of(event, now.mono)
            climb.level = 0
            climb.title = {"zh": f"抖动：{climb.title['zh']}", "en": f"chattering: {climb.title['en']}"}
            self.outbox.write(person, NoticeKind.CHATTER, [climb], now)

    # The way up.

    def _climb(self, climb: Climb, now: Instant, *, upgrade: bool = False) -> None:
        ladder = choose(self._ladders, climb.level, climb.alarm_class)
        climb.settle(now.mono)
        while (step := climb.ready(ladder, now.wall)) is not None:
            wanted = climb.wanted(step)
            climb.taken += 1
            self._dirty.add(climb.occurrence)
            for person in step.to if wanted else ():
                if upgrade or person not in climb.told:
                    self._tell(person, climb, now, upgrade=upgrade)

    def _tell(self, person: str, climb: Climb, now: Instant, *, upgrade: bool) -> None:
        group = self._group(person, climb)
        known = climb.told.get(person) == "sent"
        climb.told[person] = "sent"
        if upgrade or climb.level == 1:
            group.leave(climb.occurrence)
            self._budget(person).waiting.pop(climb.occurrence, None)
            self.outbox.write(
                person, NoticeKind.UPGRADE if upgrade and known else NoticeKind.RAISE, [climb], now
            )
        elif climb.level == 2 and group.first(now.mono):
            self.outbox.write(person, NoticeKind.RAISE, [climb], now)
        else:
            climb.told[person] = "waiting"
            group.join(climb.occurrence, now.mono)

    # Together.

    def _group(self, person: str, climb: Climb) -> Group:
        key = (
            f"{self._zones.get(climb.device, '')}|{climb.alarm_class}|{'2' if climb.level in {1, 2} else '3'}"
        )
        group = self._groups.get((person, key))
        if group is None:
            group = self._groups[person, key] = Group(person, key, urgent=climb.level in {1, 2})
        return group

    def _budget(self, person: str) -> Budget:
        return self._budgets.setdefault(person, Budget(self._mono))

    def _flush(self, group: Group, now: Instant) -> None:
        """Send what waits in a group; beyond the budget what began goes into the digest."""
        members = [self.climbs[name] for name in group.take(now.mono) if name in self.climbs]
        person, budget = group.person, self._budget(group.person)
        begun = [climb for climb in members if climb.told.get(person) == "waiting"]
        over = [climb for climb in members if climb.told.get(person) == "over"]
        if begun and not group.urgent and not budget.spend(now.mono):
            for climb in begun:
                budget.waiting[climb.occurrence] = None
                climb.told[person] = "digest"
                self._dirty.add(climb.occurrence)
            begun = []
        if begun or over:
            kind = (
                (NoticeKind.RAISE if begun else NoticeKind.CLEAR)
                if len(begun) + len(over) == 1
                else NoticeKind.GROUP
            )
            self.outbox.write(person, kind, [*begun, *over], now, group.key)
        self._sent(person, begun, over)

    def _sent(self, person: str, begun: Sequence[Climb], over: Sequence[Climb]) -> None:
        for climb in begun:
            climb.told[person] = "sent"
            self._dirty.add(climb.occurrence)
        for climb in over:
            climb.told.pop(person, None)
            self._forget(climb)

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

    def _digest(self, person: str, budget: Budget, now: Instant) -> None:
        """Send what went beyond the budget, as one."""
        waiting = [self.climbs[name] for name in budget.waiting if name in self.climbs]
        budget.waiting.clear()
        if waiting:
            self.outbox.write(person, NoticeKind.DIGEST, waiting, now, f"digest|{person}")
            self._sent(person, waiting, ())

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
            "groups": [group.to_json(now.mono) for group in self._groups.values() if group.alive(now.mono)],
            "budgets": {person: budget.to_json(now.mono) for person, budget in self._budgets.items()},
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
        for person, data in desk["budgets"].items():
            self._budgets[person] = Budget.from_json(data, now.mono, down)
        for data in desk["groups"]:
            group = Group.from_json(data, now.mono, down)
            self._groups[group.person, group.key] = group
        kept = [(int(name), data) for (kind, name), data in restored.items() if kind == NOTICE]
        for _, data in sorted(kept, key=lambda pair: pair[0]):
            self.outbox.put(Notice.from_json(data, now, down))
        for (kind, _), data in restored.items():
            if kind == CLIMB:
                self._take_up(Climb.from_json(data, now), now)

    def _take_up(self, climb: Climb, now: Instant) -> None:
        """Let an alarm wait again where it waited."""
        self.climbs[climb.occurrence] = climb
        for person, state in climb.told.items():
            if state == "digest":
                self._budget(person).waiting[climb.occurrence] = None
            elif state != "sent":
                self._group(person, climb).join(climb.occurrence, now.mono)
