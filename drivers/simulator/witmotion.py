"""A WitMotion sensor that streams: acceleration, turning rate and angles, 50 times a second. Pure.

Gravity follows the angles, so that the two agree; what the persona plays as acceleration is a shake on top
of it.
"""

from __future__ import annotations

from math import cos, radians, sin
from typing import TYPE_CHECKING, Final

from drivers.simulator.held import Held
from drivers.witmotion.frame import Kind, encode_axes, encode_frame

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.profile import Point

EVERY: Final = 0.02  # seconds: rate register 8
MOST: Final = 5  # sets made up for after a pause; a sensor that was not heard does not repeat itself
_G_MOST: Final = 15.99


class Sensor(Held):
    """The inside of the sensor, and its voice."""

    def __init__(self, points: Mapping[str, Point]) -> None:
        super().__init__(points)
        self._next = 0.0

    def next_word(self) -> float:
        """Return when the next frames leave."""
        return self._next

    def speak(self, now: float, t: float) -> bytes:
        """Return the sets of frames that are due."""
        del t
        if now - self._next > MOST * EVERY:
            self._next = now
        said = b""
        while self._next <= now:
            self._next += EVERY
            said += self._set()
        return said

    def _set(self) -> bytes:
        roll, pitch, yaw = (self.number(f"angle.{axis}") for axis in "xyz")
        r, p = radians(roll), radians(pitch)
        gravity = (-sin(p), sin(r) * cos(p), cos(r) * cos(p))
        shake = (
            self.number("acceleration.x"),
            self.number("acceleration.y"),
            self.number("acceleration.z", 1.0) - 1.0,
        )
        x, y, z = (max(-_G_MOST, min(_G_MOST, g + s)) for g, s in zip(gravity, shake, strict=True))
        warm = round(100 * self.number("temperature", 20.0))
        frames = (
            encode_axes(Kind.ACCELERATION, x, y, z, warm),
            encode_axes(Kind.GYRO, 0.0, 0.0, 0.0, warm),
            encode_axes(Kind.ANGLE, _turn(roll), _turn(pitch), _turn(yaw)),
        )
        return b"".join(map(encode_frame, frames))


def _turn(angle: float) -> float:
    return (angle + 180.0) % 360.0 - 180.0
