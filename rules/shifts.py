"""When a shift begins: at eight in the morning and at eight in the evening, local time. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

NANO = 1_000_000_000
SHIFTS = (8 * 3600, 20 * 3600)  # seconds after local midnight
DAY = 86400


def next_shift(wall: int, offset: Callable[[int], float]) -> int:
    """Return the wall time of the next start after `wall`; `offset`: seconds east of UTC at a wall time."""
    east = round(offset(wall))
    local = wall // NANO + east
    midnight = local - local % DAY
    starts = (midnight + day * DAY + start for day in (0, 1) for start in SHIFTS)
    return (next(start for start in starts if start > local) - east) * NANO
