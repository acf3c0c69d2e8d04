"""How long a link waits: growing pauses between attempts, and when a silent peer counts as gone. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Backoff:
    """Pauses between `first` and `longest` seconds, at random below a ceiling that doubles each time.

    The jitter keeps a thousand gateways from knocking at the same moment when a broker returns.
    """

    def __init__(self, first: float, longest: float, random: Callable[[], float]) -> None:
        self._first = first
        self._longest = longest
        self._random = random
        self.failures = 0

    def pause(self) -> float:
        """Return the seconds to wait after one more failure."""
        self.failures += 1
        ceiling = min(self._longest, self._first * 2.0 ** min(self.failures, 30))
        return self._first + self._random() * (ceiling - self._first)

    def succeeded(self) -> None:
        """Start again from the shortest pause."""
        self.failures = 0


@dataclass(slots=True)
class Watchdog:
    """Notices a peer that neither answers nor closes, within `dead_after` seconds of its last byte.

    A stopped broker keeps its TCP connection open and accepts what is sent (reliability.md 3.4), so only
    bytes that come back count. After `probe_after` quiet seconds a probe is due, again each `probe_after`.
    """

    heard: float  # monotonic seconds of the last byte from the peer
    probe_after: float = 3.0
    dead_after: float = 9.0
    probed: float = float("-inf")

    def hear(self, now: float) -> None:
        """Bytes came from the peer."""
        self.heard = now

    def probe_due(self, now: float) -> bool:
        """Return whether to send a probe now; remembers that it was sent."""
        if now - self.heard < self.probe_after or now - self.probed < self.probe_after:
            return False
        self.probed = now
        return True

    def dead(self, now: float) -> bool:
        """Return whether the peer has been quiet for too long although it was asked."""
        return now - self.heard >= self.dead_after and self.probed > self.heard
