"""A new baseline for a device, from its own still samples, asked for by a person, never by itself. Pure.

The capture of alarms.md 4.2: the median of at least 30 samples that lie within half a degree.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from rules.actions import Action
from rules.kinds.deviation import VECTOR, VOID, dot, turn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.model import Instant
    from rules.alarm import Alarm

LEAST = 30  # samples
SPREAD = 0.5  # degrees; a spread of so much is no rest


class Rest(NamedTuple):
    """Where a sensor rests, and how still it was."""

    values: tuple[float, ...]
    spread: float  # degrees


@dataclass(frozen=True, slots=True)
class Rezero(Action):
    """Take in a new baseline; an occurrence that is open stays so until the delays have judged anew."""

    baseline: Mapping[str, float]

    def apply(self, alarm: Alarm, now: Instant) -> None:
        """Give the rule its new baseline, as an edit of the rule (row 29)."""
        alarm.state.memory.pop(VOID, None)  # this one is of the sensor that is there now
        context = replace(alarm.spec.context, baseline=self.baseline)
        alarm.change_rule(replace(alarm.spec, context=context), now, self.actor)


def rest(samples: Sequence[tuple[float, ...]]) -> Rest:
    """Return the median of samples, each one or two angles or a gravity vector, and their spread."""
    if len(samples[0]) == VECTOR:
        middle = tuple(median(axis) for axis in zip(*samples, strict=True))
        return Rest(middle, 2 * max(_between(sample, middle) for sample in samples))
    values, spread = [], 0.0
    for axis in zip(*samples, strict=True):
        turned = [turn(value, axis[0]) for value in axis]  # +179.9 and -179.9 are neighbours
        values.append(turn(axis[0] + median(turned), 0.0))
        spread = max(spread, max(turned) - min(turned))
    return Rest(tuple(values), spread)


def _between(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    """Return the angle between two vectors in degrees; a vector without length points nowhere."""
    lengths = math.hypot(*a) * math.hypot(*b)
    if not lengths:
        return 180.0
    return math.degrees(math.acos(max(-1.0, min(1.0, dot(list(a), list(b)) / lengths))))
