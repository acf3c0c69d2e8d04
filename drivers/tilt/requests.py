"""What the requests for a set of points cost on an inclinometer's line. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drivers.budget import Request
from drivers.line.timing import character, silence
from drivers.tilt import frame as wire
from drivers.tilt.family import brought, commands
from drivers.tilt.frame import OVERHEAD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drivers.line.settings import LineSettings
    from drivers.profile import Profile

TURNAROUND: Final = 0.03
"""Seconds a sensor thinks before it answers; no source states it."""
_LABELS: Final = {wire.READ: "angles", wire.GRAVITY: "gravity"}
_MOST_DATA: Final = 12


def requests(profile: Profile, names: Sequence[str], line: LineSettings) -> tuple[Request, ...]:
    """Return the requests that bring the device's own points `names`."""
    points = {name: profile.points[name].item for name in names}
    size = 2 * OVERHEAD + _MOST_DATA
    found = []
    for command in commands(tuple(points.values())):
        told = tuple(name for name, item in points.items() if item in brought(command))
        sending = size * character(line)
        found.append(Request(_LABELS[command], told, size, sending, silence(line), TURNAROUND))
    return tuple(found)
