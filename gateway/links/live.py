"""When the last values of a device are told: at once when they change, then at most once a second. Pure."""

from __future__ import annotations

from heapq import heappop, heappush

EARLY = 0.1  # of `every`: a device that is read each second is not read to the millisecond


class Pace:
    """The first change goes out at once; what changes within `every` seconds after goes out at their end."""

    def __init__(self, every: float = 1.0) -> None:
        self.every = every  # seconds
        self._told: dict[str, float] = {}
        self._waiting: set[str] = set()
        self._heap: list[tuple[float, str]] = []

    def changed(self, name: str, now: float) -> bool:
        """Note a change; return whether to tell it now. Otherwise `due` names it later."""
        if name in self._waiting:
            return False
        free_at = self._told.get(name, float("-inf")) + self.every
        if now >= free_at - EARLY * self.every:
            self._told[name] = max(now, free_at)  # what came early does not make the next one earlier
            return True
        self._waiting.add(name)
        heappush(self._heap, (free_at, name))
        return False

    def put_off(self, name: str, now: float) -> None:
        """Tell it later after all: it could not be told now."""
        if name not in self._waiting:
            self._waiting.add(name)
            heappush(self._heap, (now + self.every, name))

    def due(self, now: float) -> list[str]:
        """Return, and count as told, what has waited long enough."""
        names = []
        while self._heap and self._heap[0][0] <= now:
            _, name = heappop(self._heap)
            self._waiting.discard(name)
            self._told[name] = now
            names.append(name)
        return names

    def next_deadline(self) -> float | None:
        """Return the monotonic second of the next `due`."""
        return self._heap[0][0] if self._heap else None

    def forget(self) -> None:
        """Everything may be told at once again: the connection is new."""
        self._told.clear()
        self._waiting.clear()
        self._heap.clear()
