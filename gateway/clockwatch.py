"""The wall clock was set, or somebody began to vouch for it (row 31 of alarms.md 3.3). Pure.

No delay looks at the wall clock, so a step changes no alarm. It is written down, because it is needed to
read the labels around it: an event of the same run (`epoch`) from before the step happened `delta` seconds
later on the clock after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rules.state import NANO

if TYPE_CHECKING:
    from gateway.model import Instant

LEAST = 0.5  # seconds; what is less is a clock that is steered


class Step(NamedTuple):
    """How the clock went."""

    delta: float  # seconds it was set forward
    synced: bool  # whether somebody vouches for it now
    before: bool  # whether somebody did before

    @property
    def corrects(self) -> bool:
        """Whether the labels from before were wrong, and are known now."""
        return self.synced and not self.before and self.delta != 0.0


class ClockWatch:
    """Compares the two clocks, look by look."""

    def __init__(self, now: Instant) -> None:
        self._offset, self._synced = _offset(now), now.synced

    def look(self, now: Instant) -> Step | None:
        """Return the step since the last look, None when there was none."""
        offset = _offset(now)
        delta, before = (offset - self._offset) / NANO, self._synced
        self._offset, self._synced = offset, now.synced
        stepped = abs(delta) >= LEAST
        if not stepped and now.synced is before:
            return None
        return Step(round(delta, 3) if stepped else 0.0, now.synced, before)


def _offset(now: Instant) -> int:
    return now.wall - round(now.mono * NANO)
