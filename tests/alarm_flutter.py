"""What somebody outside knows of an alarm that comes and goes too often (alarms.md 5.2), for `alarm_search`.

The figures are written down once more: the checker shares nothing with the machine.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

LIMITS = ((3, 60.0), (5, 600.0))  # activations within seconds
HELD_OFF = 600.0  # seconds that a held alarm must be gone until it counts as gone
QUIET = 1800.0  # seconds without an activation that end the hold


@dataclass(frozen=True)
class Flutter:
    """The last five activations, and whether the alarm must be held for them."""

    may: bool  # False for fire and gas
    times: tuple[float, ...] = ()
    held: bool = False

    def key(self, now: float) -> Any:
        """Return what tells one from another; what is older than any limit does not count."""
        return self.held, tuple(now - then for then in self.times if now - then <= QUIET)

    def step(self, now: float, *, came: bool) -> Flutter:
        """Let a moment pass in which the alarm came, or did not."""
        times = (*self.times, now)[-5:] if came else self.times
        if self.held and now - times[-1] >= QUIET:
            return replace(self, times=(), held=False)
        many = came and any(len(times) >= n and now - times[-n] <= within for n, within in LIMITS)
        return replace(self, times=times, held=self.may and (self.held or many))

    def broken(self, after: Flutter, *, shown: bool, reasons: Collection[str]) -> str:
        """Return which promise of the hold this step broke: `self` was before, `shown` is what the row says."""
        if shown is not after.held:
            return "held without cause" if shown else "it flutters and is not held"
        if after.held and not self.held and "chattering" not in reasons:
            return "the hold began and nobody was told"
        if self.held and not after.held and "chatter over" not in reasons:
            return "the hold ended and nobody was told"
        return ""
