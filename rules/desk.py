"""The engine at its desk: root causes are looked for before it judges. Pure.

A `Desk` is an engine; whoever owns one gives it samples, time and actions as ever.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rules.engine import Engine, with_companions
from rules.roots import Leaf, Roots
from rules.rule import FAULTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from gateway.model import AlarmEvent, Instant, Sample
    from rules.roots import Move
    from rules.rule import AlarmKey, AlarmSpec


@dataclass(frozen=True, slots=True)
class Tree:
    """What hangs on what: devices on lines, lines on the gateway."""

    devices: Mapping[str, tuple[str, float]] = field(default_factory=dict)  # -> line, seconds between polls
    lines: Mapping[str, AlarmKey] = field(default_factory=dict)  # -> the fault that says it is down
    gateway: AlarmKey = ("gateway", "lines-down")


class Desk(Engine):
    """All alarms of a site, and the faults that are only a consequence of others."""

    def __init__(
        self,
        specs: Sequence[AlarmSpec],
        restored: Mapping[AlarmKey, dict[str, Any]],
        new_id: Callable[[], str],
        now: Instant,
        tree: Tree,
    ) -> None:
        """Take up the alarms and what is hidden where they were left. Raises ValueError as `Engine` does."""
        super().__init__(specs, restored, new_id, now)
        alarms = list(self.alarms())
        hidden = [(alarm.key, _roots_of(alarm.state.roots)) for alarm in alarms if alarm.state.roots]
        standing = [alarm.key for alarm in alarms if alarm.state.live]
        self.roots = Roots(leaves(specs, tree), tree.lines, tree.gateway, hidden, standing, now.mono)

    def observe(self, samples: Sequence[Sample], now: Instant) -> list[AlarmEvent]:
        """Judge samples; what they say of lines and devices comes first."""
        moves = self.roots.observe(samples, now.mono)
        return [*self._hide(moves, now), *super().observe(samples, now)]

    def tick(self, now: Instant) -> list[AlarmEvent]:
        """Let time pass up to `now`."""
        return [*self._hide(self.roots.tick(now.mono), now), *super().tick(now)]

    def next_deadline(self) -> float | None:
        """Return the monotonic second at which `tick` may have something to do."""
        moments = (super().next_deadline(), self.roots.next_deadline())
        return min((moment for moment in moments if moment is not None), default=None)

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
