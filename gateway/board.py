"""The last value of every point, for whoever looks: live topics, the local API, people.

Readers keep the number of the last change they have seen and ask for what is newer. Who must tell of a change
in the moment it is read listens.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from gateway.model import Quality, Sample, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


class Last(NamedTuple):
    """The newest reading of one point."""

    value: Value | None
    quality: Quality
    at: int
    mono: float


class DeviceBoard:
    """What is known of one device: its newest samples, one for each set of points that is read together."""

    __slots__ = ("changed", "last_good", "last_good_at", "samples")

    def __init__(self) -> None:
        self.samples: tuple[Sample, ...] = ()  # no two of them have a point in common
        self.changed = 0  # number of the board's change that touched this device last
        self.last_good: float | None = None  # monotonic seconds
        self.last_good_at = 0  # nanoseconds since 1970 UTC

    @property
    def points(self) -> dict[str, Last]:
        """The newest reading of every point, made when somebody asks: far more is noted than looked at."""
        points: dict[str, Last] = {}
        for sample in self.samples:
            at, mono = sample.at, sample.mono
            for point, value in sample.values.items():
                points[point] = Last(value, Quality.GOOD, at, mono)
            for point, quality in sample.bad.items():
                points[point] = Last(None, quality, at, mono)
        return points

    def note(self, sample: Sample) -> bool:
        """Take in a sample; return whether a value or a quality is different from before."""
        if sample.values:
            self.last_good, self.last_good_at = sample.mono, sample.at
        samples = self.samples
        if len(samples) == 1 and samples[0].values.keys() == sample.values.keys():
            before = samples[0]
            if not before.bad and not sample.bad:  # the common case: the same points as ever, all good
                self.samples = (sample,)
                return before.values != sample.values
        known = self.points
        now: dict[str, tuple[Value | None, Quality]]
        now = {point: (value, Quality.GOOD) for point, value in sample.values.items()}
        now |= {point: (None, quality) for point, quality in sample.bad.items()}
        self._put(sample)
        return any(point not in known or known[point][:2] != reading for point, reading in now.items())

    def _put(self, sample: Sample) -> None:
        """Let it take the place of the first that it has a point of; the rest of the others stays."""
        new = sample.values.keys() | sample.bad.keys()
        kept, placed = list[Sample](), False
        for old in self.samples:
            if new.isdisjoint(old.values) and new.isdisjoint(old.bad):
                kept.append(old)
                continue
            if not placed:
                kept.append(sample)
                placed = True
            rest = replace(
                old,
                values={point: value for point, value in old.values.items() if point not in new},
                bad={point: quality for point, quality in old.bad.items() if point not in new},
            )
            if rest:
                kept.append(rest)
        self.samples = tuple(kept if placed else [*kept, sample])


class Board:
    """Newest readings of all devices, with a running number of changes."""

    def __init__(self, devices: Iterable[str]) -> None:
        self.devices = {name: DeviceBoard() for name in devices}
        self.change = 0
        self._order: dict[str, None] = {}  # names in the order of their last change
        self.listeners: list[Callable[[str], None]] = []  # told the device at each change; quick

    def note(self, sample: Sample) -> bool:
        """Take in a sample; return whether a value or a quality is different from before."""
        device = self.devices[sample.device]
        different = device.note(sample)
        if different:
            self.change += 1
            device.changed = self.change
            self._order.pop(sample.device, None)
            self._order[sample.device] = None
            for changed in self.listeners:
                changed(sample.device)
        return different

    def since(self, change: int) -> Iterator[str]:
        """Yield the devices that changed after the given change, the latest first. O(those)."""
        for name in reversed(self._order):
            if self.devices[name].changed <= change:
                return
            yield name
