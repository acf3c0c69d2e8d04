"""Listens to a WitMotion stream: many frames in, one word per period out. Pure.

The stream carries no address: whoever speaks is the one device of the line. Items: `acceleration.x` (g),
`gyro.x` (°/s), `angle.x` (°), `magnetic.x`, with `.min` and `.max` of the period behind each; `temperature`
(°C); `shock` (g), the farthest the pull was from 1 g within the period; `disagreement` (°), between the
tilt by the angles and the tilt by gravity while nothing but gravity pulls.
"""

from __future__ import annotations

from math import acos, cos, degrees, dist, radians
from typing import TYPE_CHECKING, Final

from drivers.conversation import NOTHING, Heard, Raw, Silent, Told, every_of, heard
from drivers.witmotion.frame import SIZE, UNITS, Kind, cutter
from drivers.witmotion.steady import Track

if TYPE_CHECKING:
    from drivers.conversation import Listeners
    from drivers.witmotion.steady import Words
    from gateway.model import Instant

ADDRESS: Final = 1
"""Of the one device on the line."""
AXES: Final = ("x", "y", "z")
NOISY: Final = 0.2  # part of the bytes that made no frame, above which a period is not believed
LEVEL: Final = 0.1  # g by which the pull may differ from 1 g and still be taken for gravity
_NAMES: Final = {
    kind: tuple(f"{kind.name.lower()}.{axis}" for axis in AXES)
    for kind in (Kind.ACCELERATION, Kind.GYRO, Kind.ANGLE, Kind.MAGNETIC)
}
ITEMS: Final = frozenset(
    name + end for names in _NAMES.values() for name in names for end in ("", ".min", ".max")
) | {"temperature", "shock", "disagreement", "frames"}
_G: Final = 32768 / 16


class Stream(Silent):
    """One end of a port on which a WitMotion sensor streams."""

    def __init__(self, listeners: Listeners) -> None:
        self._who = next(iter(listeners.every), ADDRESS)
        self._every = every_of(listeners)
        self._cutter = cutter()
        self._tracks = {kind: Track() for kind in _NAMES}
        self._end: float | None = None  # of the period that runs
        self._noise = self._sound = 0  # bytes without and with a frame, when it began
        self._shock = 0.0
        self.frames = 0
        self.withheld = 0  # periods that were not believed

    @property
    def noise(self) -> int:
        """Bytes that belonged to no frame."""
        return self._cutter.noise

    @property
    def alone(self) -> int:
        """Frames that passed their checksum and stood far beside their neighbours."""
        return sum(track.alone for track in self._tracks.values())

    def receive(self, data: bytes, now: Instant) -> Heard:
        """Take in bytes; tell at the end of each period."""
        told = self.tick(now)
        found = self._cutter.feed(data)
        self._cutter.refusals.clear()
        if found and self._end is None:
            self._end = now.mono + self._every
        for frame in found:
            track = self._tracks.get(frame.kind)
            if track is not None:
                steady = track.add(frame.words, now.mono)
                if frame.kind is Kind.ACCELERATION and steady is not None:
                    self._feel(steady)
        self.frames += len(found)
        return told

    def tick(self, now: Instant) -> Heard:
        """End the period when its time has come."""
        if self._end is None or now.mono < self._end:
            return NOTHING
        heard_any = any(track.count for track in self._tracks.values())
        # On its grid while frames come; afresh with the first one after a silence.
        self._end = max(self._end + self._every, now.mono) if heard_any else None
        return self._close()

    def next_deadline(self) -> float | None:
        """Return the end of the period."""
        return self._end

    def _feel(self, steady: Words) -> None:
        pull = dist(steady[:3], (0, 0, 0)) / _G
        self._shock = max(self._shock, abs(pull - 1.0))

    def _close(self) -> Heard:
        noise, self._noise = self.noise - self._noise, self.noise
        sound, self._sound = SIZE * self.frames - self._sound, SIZE * self.frames
        count = sum(track.count for track in self._tracks.values())
        if noise > NOISY * (noise + sound):
            self.withheld += 1
            self._shock = 0.0
            for track in self._tracks.values():
                track.forget()
            return NOTHING
        items: dict[str, Raw] = {}
        for kind, track in self._tracks.items():
            if (found := track.take()) is not None:
                _name(items, kind, *found)
        if not items:
            return NOTHING
        if "acceleration.x" in items:
            items["shock"] = round(self._shock, 4)
        self._shock = 0.0
        if (apart := disagreement(items)) is not None:
            items["disagreement"] = apart
        items["frames"] = count
        return heard([Told(self._who, items)])


def _name(items: dict[str, Raw], kind: Kind, middle: Words, spread: list[tuple[int, int]]) -> None:
    scale = UNITS[kind][1]
    for axis, name in enumerate(_NAMES[kind]):
        low, high = spread[axis]
        items[name] = middle[axis] * scale
        items[f"{name}.min"], items[f"{name}.max"] = low * scale, high * scale
    if kind is Kind.ACCELERATION:
        items["temperature"] = middle[3] / 100


def disagreement(items: dict[str, Raw]) -> float | None:
    """Return by how many degrees the tilt by angles and by gravity differ; None: cannot be told."""
    try:
        roll, pitch = (float(items[f"angle.{axis}"] or 0.0) for axis in "xy")
        pull = [float(items[f"acceleration.{axis}"] or 0.0) for axis in AXES]
    except KeyError:
        return None
    size = dist(pull, (0, 0, 0))
    if abs(size - 1.0) > LEVEL:
        return None
    by_angles = degrees(acos(max(-1.0, min(1.0, cos(radians(roll)) * cos(radians(pitch))))))
    by_gravity = degrees(acos(max(-1.0, min(1.0, pull[2] / size))))
    return round(abs(by_angles - by_gravity), 2)
