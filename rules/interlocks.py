"""The interlocks of a site, beside its engine: what changed goes in, orders that are due come out. Pure.

Kept with the alarms, in the transaction of the event that was the cause. Orders are not carried out here:
`due` says what is to be done, `begun` and `ended` take in what became of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from rules.errand import Guard
from rules.interlock import cause_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gateway.model import Instant, Value
    from rules.alarm import Alarm
    from rules.errand import Errand
    from rules.interlock import Interlock
    from rules.rule import AlarmKey

INTERLOCK = "@interlock"  # no device has an @ in its name


class Due(NamedTuple):
    """An order that is due now."""

    interlock: Interlock
    errand: Errand


class Interlocks:
    """All interlocks of a site."""

    def __init__(
        self, interlocks: Iterable[Interlock], restored: Mapping[AlarmKey, Any], now: Instant
    ) -> None:
        self._guards = {interlock.name: Guard(interlock) for interlock in interlocks}
        self.watched: frozenset[AlarmKey] = frozenset(
            key for guard in self._guards.values() for key in guard.interlock.when
        )
        self._gone: list[str] = []
        self._told: dict[str, bool] = {}  # of which the engine knows whether they have failed
        for (kind, name), data in restored.items():
            if kind != INTERLOCK:
                continue
            if name in self._guards:
                self._guards[name].restore(data, now)
            else:
                self._gone.append(name)  # taken out of the site: nobody waits for it any more

    def __iter__(self) -> Iterator[Guard]:
        return iter(self._guards.values())

    # What happens.

    def look(self, alarms: Mapping[AlarmKey, Alarm | None], now: Instant) -> None:
        """Take in alarms that have changed (None: there is no such alarm any more), and let time pass."""
        for guard in self._guards.values():
            interlock = guard.interlock
            touched = {
                key: None if (alarm := alarms[key]) is None else cause_of(alarm, interlock)
                for key in interlock.when
                if key in alarms
            }
            if touched:
                guard.look(touched, now)
            else:
                guard.advance(now)

    def begun(self, name: str) -> None:
        """Note that the errand of an interlock is being carried out."""
        self._guards[name].begun()

    def ended(self, name: str, errand: str, *, proven: bool, why: str, now: Instant) -> None:
        """Take in what became of an errand."""
        self._guards[name].ended(errand, proven=proven, why=why, now=now)

    # What is asked.

    def due(self, mono: float) -> list[Due]:
        """Return what is to be carried out now."""
        found = ((guard.interlock, guard.due(mono)) for guard in self._guards.values())
        return [Due(interlock, errand) for interlock, errand in found if errand is not None]

    def next_deadline(self) -> float | None:
        """Return the monotonic second at which `look` has something to do."""
        moments = [guard.next_deadline() for guard in self._guards.values()]
        return min((moment for moment in moments if moment is not None), default=None)

    def next_try(self) -> float | None:
        """Return the monotonic second from which on `due` has something to say."""
        moments = [guard.next_try() for guard in self._guards.values()]
        return min((moment for moment in moments if moment is not None), default=None)

    def veto(self, device: str, point: str, value: Value) -> str:
        """Return which interlock, and which of its alarms, stands against an order; "" when none does."""
        for guard in self._guards.values():
            order = guard.interlock.order
            if (order.device, order.point) == (device, point) and (alarm := guard.veto(value)):
                return f"{guard.interlock.name} ({alarm})"
        return ""

    def is_safe(self, device: str, point: str, value: Value) -> bool:
        """Return whether an interlock of the site orders the same."""
        orders = (guard.interlock.order for guard in self._guards.values())
        return any((o.device, o.point, o.value) == (device, point, value) for o in orders)

    def failures(self) -> list[tuple[Interlock, bool]]:
        """Return the interlocks whose failure began or ended since the last call; at first, all."""
        found = [
            (guard.interlock, guard.failed)
            for name, guard in self._guards.items()
            if self._told.get(name) is not guard.failed
        ]
        self._told.update((interlock.name, failed) for interlock, failed in found)
        return found

    @property
    def dirty(self) -> bool:
        """Whether `take_dirty` has something to give."""
        for guard in self._guards.values():
            if guard.dirty:
                return True
        return bool(self._gone)

    def take_dirty(self, now: Instant) -> list[tuple[AlarmKey, Any]]:
        """Return what changed since the last call; None: it is no more."""
        taken: list[tuple[AlarmKey, Any]] = [((INTERLOCK, name), None) for name in self._gone]
        self._gone.clear()
        for name, guard in self._guards.items():
            if guard.dirty:
                guard.dirty = False
                taken.append(((INTERLOCK, name), guard.to_json(now)))
        return taken

    def of(self, key: AlarmKey, mono: float) -> list[dict[str, Any]]:
        """Return how those stand that wait for an alarm, for people."""
        if key not in self.watched:
            return []
        return [_shown(guard, mono) for guard in self._guards.values() if key in guard.interlock.when]

    def shown(self, mono: float) -> list[dict[str, Any]]:
        """Return how all stand, for people."""
        return [_shown(guard, mono) for guard in self._guards.values()]


def _shown(guard: Guard, mono: float) -> dict[str, Any]:
    interlock, errand = guard.interlock, guard.errand
    return {
        "name": interlock.name,
        "device": interlock.order.device,
        "point": interlock.order.point,
        "value": interlock.order.value,
        "when": ["/".join(key) for key in interlock.when],
        "state": guard.phase.value,
        "causes": ["/".join(key) for key in guard.causes],
        "held_back": guard.held_back(mono),
        "errand": None
        if errand is None
        else {
            "id": errand.id,
            "value": errand.value,
            "due": errand.at,
            "tries": errand.tries,
            "why": errand.why,
        },
        "last": guard.last or None,
    }
