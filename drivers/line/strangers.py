"""Who speaks on a line and is not in the site file: an installer finds a device's number here. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from drivers.conversation import Who

MOST: Final = 32  # remembered; beyond it the one that was silent longest is forgotten


@dataclass(slots=True)
class Stranger:
    """One of them."""

    who: Who
    peer: str  # the address it dialled in from, or the port
    count: int = 0
    last: float = 0.0  # monotonic seconds


class Strangers:
    """The latest of them."""

    def __init__(self) -> None:
        self._known: dict[Who, Stranger] = {}
        self.total = 0  # messages of all of them

    def note(self, who: Who, peer: str, now: float) -> None:
        """Count a message."""
        found = self._known.pop(who, None) or Stranger(who, peer)
        if len(self._known) >= MOST:
            del self._known[next(iter(self._known))]
        found.peer, found.last = peer, now
        found.count += 1
        self.total += 1
        self._known[who] = found

    def all(self) -> tuple[Stranger, ...]:
        """Return them, the one heard last at the end."""
        return tuple(self._known.values())
