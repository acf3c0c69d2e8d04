"""What rules over several devices look at: the last readings of some devices, and other alarms. Pure.

Only the devices and alarms that some rule names are followed; all others cost nothing. A rule that looks at
an alarm which itself looks at others is judged after it: `link` ranks them, and refuses a circle.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from gateway.model import Quality
from rules.state import Input

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gateway.model import Sample, Value
    from rules.alarm import Alarm
    from rules.rule import AlarmKey

SILENCE = 3.0  # intervals without a sample until a reading is not believed any more, as for any alarm (3.5)
FOREVER = float("inf")


class Circle(ValueError):
    """Rules look at each other in a circle: none of them could ever be judged first. `key` is one of them."""

    def __init__(self, keys: tuple[AlarmKey, ...]) -> None:
        self.key = keys[-1]
        first = keys.index(keys[-1])
        names = " -> ".join("/".join(key) for key in keys[first:])
        super().__init__(f"rules look at each other in a circle: {names}")


class Heard(Protocol):
    """A device, and when it was heard last."""

    mono: float
    alarms: list[Alarm]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one reading: its value, or why there is none; and until when that may be believed."""

    value: Value | None
    quality: Quality
    until: float  # monotonic; FOREVER when there is nothing to lose


UNHEARD = Known(None, Quality.NO_ANSWER, FOREVER)


class Scene:
    """The part of the site that some rule looks at from outside."""

    def __init__(self, alarms: Mapping[AlarmKey, Alarm], devices: Mapping[str, Heard]) -> None:
        self.kept: dict[str, dict[str, tuple[Value | Quality, float]]] = {}  # device -> point -> last, when
        self.stirred: list[tuple[int, int, Alarm]] = []  # to be judged, by rank
        self._alarms, self._devices = alarms, devices
        self._waiting: set[AlarmKey] = set()
        self._ranks: dict[AlarmKey, tuple[int, int]] = {}
        self._readers: dict[str, list[Alarm]] = {}
        self._followers: dict[AlarmKey, list[Alarm]] = {}
        self._told: dict[AlarmKey, bool | None] = {}

    def link(self) -> None:
        """Find out who looks at whom. Raises Circle, a ValueError."""
        kept, self._followers, self._readers = self.kept, {}, {}
        self.kept = {}
        for alarm in self._alarms.values():
            rule = alarm.spec.rule
            alarm.followed, alarm.scene = False, self
            for key in rule.follows():
                self._followers.setdefault(key, []).append(alarm)
            for device in rule.watched():
                self.kept[device] = kept.get(device, {})
                if rule.wide:
                    self._readers.setdefault(device, []).append(alarm)
        for key in self._followers:
            if key in self._alarms:
                self._alarms[key].followed = True
        order = ranks({key: alarm.spec.rule.follows() for key, alarm in self._alarms.items()})
        self._ranks = {key: (order[key], n) for n, key in enumerate(self._alarms)}

    # Fed by the engine.

    def note(self, sample: Sample) -> None:
        """Keep the readings of a sample for those who look at its device."""
        readings, mono = self.kept[sample.device], sample.mono
        for point, value in sample.values.items():
            readings[point] = (value, mono)
        for point, quality in sample.bad.items():
            readings[point] = (quality, mono)
        for alarm in self._readers.get(sample.device, ()):
            self._wake(alarm)

    def stir(self, alarm: Alarm) -> None:
        """Wake those who look at an alarm, if it says something else than before."""
        key, truth = alarm.key, alarm.truth()
        if key not in self._told or self._told[key] is not truth:
            self._told[key] = truth
            for follower in self._followers.get(key, ()):
                self._wake(follower)

    def take(self) -> Alarm | None:
        """Return the next alarm to be judged, None when all are done."""
        if not self.stirred:
            return None
        _, _, alarm = heapq.heappop(self.stirred)
        self._waiting.discard(alarm.key)
        return alarm

    def _wake(self, alarm: Alarm) -> None:
        if alarm.key not in self._waiting:
            self._waiting.add(alarm.key)
            heapq.heappush(self.stirred, (*self._ranks[alarm.key], alarm))

    # Asked by the rules.

    def reading(self, device: str, point: str, now: float) -> Known:
        """Return the last reading of a point, if it is young enough to be believed."""
        found = self.kept.get(device, {}).get(point)
        if found is None:
            return UNHEARD
        value, mono = found
        until = mono + self._patience(device)
        if isinstance(value, Quality):
            return Known(None, value, FOREVER)
        if now >= until:
            return UNHEARD
        return Known(value, Quality.GOOD, until)

    def alarm(self, key: AlarmKey, now: float) -> tuple[bool | None, float]:
        """Return whether an alarm stands, and until when a "no" may be believed if nothing comes."""
        alarm = self._alarms.get(key)
        if alarm is None:
            return None, FOREVER
        truth = alarm.truth()
        if truth is not False or alarm.spec.rule.timed:
            return truth, FOREVER
        until = self._devices[key[0]].mono + alarm.pace.max_gap
        return (None, FOREVER) if now >= until else (False, until)

    def unheard(self, key: AlarmKey) -> bool:
        """Return whether an alarm has not been judged since the start: soon it will tell."""
        alarm = self._alarms.get(key)
        return alarm is not None and alarm.state.input is Input.UNVERIFIED

    def _patience(self, device: str) -> float:
        """Return how old a reading of the device may be."""
        heard = self._devices.get(device)
        intervals = [alarm.interval for alarm in heard.alarms] if heard is not None else []
        return SILENCE * max(intervals, default=1.0)


def ranks(follows: Mapping[AlarmKey, tuple[AlarmKey, ...]]) -> dict[AlarmKey, int]:
    """Return for each alarm how many others at most stand in a row before it. Raises Circle."""
    found: dict[AlarmKey, int] = {}
    for start in follows:
        path: list[tuple[AlarmKey, Iterator[AlarmKey]]] = [(start, iter(follows[start]))]
        while path and start not in found:
            key, rest = path[-1]
            for other in rest:
                if other in follows and other not in found:
                    if any(other == passed for passed, _ in path):
                        raise Circle((*(passed for passed, _ in path), other))
                    path.append((other, iter(follows[other])))
                    break
            else:
                found[key] = 1 + max((found.get(other, 0) for other in follows[key]), default=0)
                path.pop()
    return found
