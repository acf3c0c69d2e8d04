"""What of one place and class is told together, and what goes beyond a budget (alarms.md 5.4, 5.5). Pure.

Who waits for what stands in `Climb.told`, and is kept with it; here are the times.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rules.groups import Budget, Group
from rules.receipts import NoticeKind
from rules.rule import EPSILON

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.model import Instant
    from rules.ladders import Climb
    from rules.outbox import Outbox


class Together:
    """The groups and budgets of a site. Works on the alarms of `Notices`, and says which changed."""

    def __init__(
        self, zones: Mapping[str, str], climbs: dict[str, Climb], outbox: Outbox, dirty: set[str]
    ) -> None:
        self._zones, self._climbs, self._outbox, self._dirty = zones, climbs, outbox, dirty
        self._groups: dict[tuple[str, str], Group] = {}
        self._budgets: dict[str, Budget] = {}
        self.fleeting = 0  # over before anybody was told

    @property
    def busy(self) -> bool:
        """Whether time changes anything here."""
        return bool(self._groups)

    def tick(self, now: Instant) -> None:
        """Send the groups that are due, and the digests that a budget allows."""
        for group in list(self._groups.values()):
            if group.due is not None and now.mono >= group.due - EPSILON:
                self._flush(group, now)
            elif not group.alive(now.mono):
                del self._groups[group.person, group.key]
        for person, budget in self._budgets.items():
            if budget.waiting and budget.spend(now.mono):
                self._digest(person, budget, now)

    def same_again(self, person: str, climb: Climb) -> None:
        """Let one go on as told whose end was not told yet."""
        self._group(person, climb).leave(climb.occurrence)
        climb.told[person] = "sent"

    def tell(self, person: str, climb: Climb, now: Instant, *, upgrade: bool) -> None:
        """Tell one person of an alarm, now or with others."""
        group = self._group(person, climb)
        known = climb.told.get(person) == "sent"
        climb.told[person] = "sent"
        if upgrade or climb.level == 1:
            group.leave(climb.occurrence)
            self._budget(person, now).waiting.pop(climb.occurrence, None)
            self._outbox.write(
                person, NoticeKind.UPGRADE if upgrade and known else NoticeKind.RAISE, [climb], now
            )
        elif climb.urgent and group.first(now.mono):
            self._outbox.write(person, NoticeKind.RAISE, [climb], now)
        else:
            climb.told[person] = "waiting"
            group.join(climb.occurrence, now.mono)

    def cleared(self, climb: Climb, now: Instant) -> None:
        """Tell everybody who was told; who was not told yet hears nothing, but for level 2."""
        climb.over = True
        for person in list(climb.told):
            group = self._group(person, climb)
            if climb.told[person] == "waiting" and climb.urgent:
                climb.over = False
                self._flush(group, now)
                climb.over = True
            if climb.told[person] in {"waiting", "digest"}:
                group.leave(climb.occurrence)
                self._budget(person, now).waiting.pop(climb.occurrence, None)
                del climb.told[person]
                self.fleeting += 1
            elif climb.urgent:
                self._outbox.write(person, NoticeKind.CLEAR, [climb], now)
                del climb.told[person]
            else:
                climb.told[person] = "over"
                group.join(climb.occurrence, now.mono)
        self.forget(climb)

    def _group(self, person: str, climb: Climb) -> Group:
        key = f"{self._zones.get(climb.device, '')}|{climb.alarm_class}|{'2' if climb.urgent else '3'}"
        group = self._groups.get((person, key))
        if group is None:
            group = self._groups[person, key] = Group(person, key, urgent=climb.urgent)
        return group

    def _budget(self, person: str, now: Instant) -> Budget:
        return self._budgets.setdefault(person, Budget(now.mono))

    def _flush(self, group: Group, now: Instant) -> None:
        """Send what waits in a group; beyond the budget what began goes into the digest."""
        members = [self._climbs[name] for name in group.take(now.mono) if name in self._climbs]
        person, budget = group.person, self._budget(group.person, now)
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
            self._outbox.write(person, kind, [*begun, *over], now, group.key)
        self._sent(person, begun, over)

    def _sent(self, person: str, begun: Sequence[Climb], over: Sequence[Climb]) -> None:
        for climb in begun:
            climb.told[person] = "sent"
            self._dirty.add(climb.occurrence)
        for climb in over:
            climb.told.pop(person, None)
            self.forget(climb)

    def _digest(self, person: str, budget: Budget, now: Instant) -> None:
        """Send what went beyond the budget, as one."""
        waiting = [self._climbs[name] for name in budget.waiting if name in self._climbs]
        budget.waiting.clear()
        if waiting:
            self._outbox.write(person, NoticeKind.DIGEST, waiting, now, f"digest|{person}")
            self._sent(person, waiting, ())

    def forget(self, climb: Climb) -> None:
        """Let go of an alarm that is over and of which everybody knows."""
        if climb.over and not climb.told:
            self._climbs.pop(climb.occurrence, None)
        self._dirty.add(climb.occurrence)

    # The disk.

    def to_json(self, mono: float) -> dict[str, Any]:
        """Return it for the disk."""
        return {
            "groups": [group.to_json(mono) for group in self._groups.values() if group.alive(mono)],
            "budgets": {person: budget.to_json(mono) for person, budget in self._budgets.items()},
        }

    def restore(self, data: Mapping[str, Any], mono: float, down: float) -> None:
        """Take it up after a restart; `down` seconds were slept through."""
        for person, budget in data["budgets"].items():
            self._budgets[person] = Budget.from_json(budget, mono, down)
        for kept in data["groups"]:
            group = Group.from_json(kept, mono, down)
            self._groups[group.person, group.key] = group

    def take_up(self, climb: Climb, now: Instant) -> None:
        """Let an alarm wait again where it waited."""
        for person, state in climb.told.items():
            if state == "digest":
                self._budget(person, now).waiting[climb.occurrence] = None
            elif state != "sent":
                self._group(person, climb).join(climb.occurrence, now.mono)
