"""The last value of every point, for whoever looks: live topics, the local API, people.

Readers keep the number of the last change they have seen and ask for what is newer; nobody is called back.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
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


@dataclass(slots=True)
class DeviceBoard:
    """What is known of one device."""

    points: dict[str, Last] = field(default_factory=dict)
    changed: int = 0  # number of the board's change that touched this device last
    last_good: float | None = None  # monotonic seconds
    last_good_at: int = 0  # nanoseconds since 1970 UTC


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
        points, at, mono = device.points, sample.at, sample.mono
        different = False
        for point, value in sample.values.items():
            before = points.get(point)
            if before is None or before[0] != value or before[1] is not Quality.GOOD:
                different = True
            points[point] = Last(value, Quality.GOOD, at, mono)
        for point, quality in sample.bad.items():
            before = points.get(point)
            if before is None or before[1] is not quality:
                different = True
            points[point] = Last(None, quality, at, mono)
        if sample.values:
            device.last_good, device.last_good_at = mono, at
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
