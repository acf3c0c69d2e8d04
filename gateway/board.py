"""The last value of every point, for whoever looks: live topics, the local API, people.

Readers keep the number of the last change they have seen and ask for what is newer; nobody is called back.
"""

from __future__ import annotations

import asyncio
from itertools import compress
from typing import TYPE_CHECKING, NamedTuple

from gateway.model import Quality, Sample, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Last(NamedTuple):
    """The newest reading of one point."""

    value: Value | None
    quality: Quality
    at: int
    mono: float


class DeviceBoard:
    """What is known of one device: its newest samples, one for each set of points that is read together."""

    __slots__ = ("_samples", "changed", "last_good", "last_good_at")

    def __init__(self) -> None:
        self._samples: tuple[Sample, ...] = ()
        self.changed = 0  # number of the board's change that touched this device last
        self.last_good: float | None = None  # monotonic seconds
        self.last_good_at = 0  # nanoseconds since 1970 UTC

    @property
    def points(self) -> dict[str, Last]:
        """The newest reading of every point, made when somebody asks: far more is noted than looked at."""
        points: dict[str, Last] = {}
        for sample in self._samples:
            at, mono = sample.at, sample.mono
            for point, value in sample.values.items():
                if point not in points or points[point].mono <= mono:
                    points[point] = Last(value, Quality.GOOD, at, mono)
            for point, quality in sample.bad.items():
                if point not in points or points[point].mono <= mono:
                    points[point] = Last(None, quality, at, mono)
        return points

    def note(self, sample: Sample) -> bool:
        """Take in a sample; return whether a value or a quality is different from before."""
        if sample.values:
            self.last_good, self.last_good_at = sample.mono, sample.at
        samples = self._samples
        if len(samples) == 1 and not sample.bad and samples[0].values.keys() == sample.values.keys():
            before = samples[0]  # the common case: the same points as ever, all good
            self._samples = (sample,)
            return before.values != sample.values or bool(before.bad)
        known = self.points
        different = any(
            point not in known or known[point].value != value or known[point].quality is not Quality.GOOD
            for point, value in sample.values.items()
        ) or any(
            point not in known or known[point].quality is not quality for point, quality in sample.bad.items()
        )
        covered = sample.values.keys() | sample.bad.keys()
        stays = [not old.values.keys() | old.bad.keys() <= covered for old in samples]
        kept = list(compress(samples, stays))
        # In the place of the first it covers, so that points keep their order for those who look.
        kept.insert(stays.index(False) if False in stays else len(kept), sample)
        self._samples = tuple(kept)
        return different


class Board:
    """Newest readings of all devices, with a running number of changes."""

    def __init__(self, devices: Iterable[str]) -> None:
        self.devices = {name: DeviceBoard() for name in devices}
        self.change = 0
        self._order: dict[str, None] = {}  # names in the order of their last change
        self.grew = asyncio.Event()  # set at each change; a reader clears it before it looks

    def note(self, sample: Sample) -> bool:
        """Take in a sample; return whether a value or a quality is different from before."""
        device = self.devices[sample.device]
        different = device.note(sample)
        if different:
            self.change += 1
            device.changed = self.change
            self._order.pop(sample.device, None)
            self._order[sample.device] = None
            self.grew.set()
        return different

    def since(self, change: int) -> Iterator[str]:
        """Yield the devices that changed after the given change, the latest first. O(those)."""
        for name in reversed(self._order):
            if self.devices[name].changed <= change:
                return
            yield name
