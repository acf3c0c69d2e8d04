"""Telemetry on its way to the disk: collected, closed into groups, held while the disk refuses. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass


@dataclass(slots=True)
class Group:
    """Lines that become one record. The number is given when it is closed, so that order is fixed."""

    seq: int
    count: int
    at: int  # wall ns of the earliest line
    until: int  # and of the latest
    lines: bytes
    body: bytes = b""  # the lines compressed, once somebody has done it


class Groups:
    """Collects lines. Bounded: when too much waits, the oldest group is given up and told as lost."""

    def __init__(self, close_at: int, hold: int) -> None:
        self._close_at = close_at
        self._hold = hold
        self._lines: list[bytes] = []
        self._bytes = 0
        self._count = 0
        self._at = 0
        self._until = 0
        self._seq = 0
        self._held = 0
        self.waiting: deque[Group] = deque()
        self.lost: list[Group] = []

    def add(self, lines: bytes, count: int, at: int) -> bool:
        """Take lines; tell whether there is enough for a group."""
        self._at = min(self._at, at) if self._lines else at
        self._until = max(self._until, at) if self._lines else at
        self._lines.append(lines if lines.endswith(b"\n") else lines + b"\n")
        self._bytes += len(lines)
        self._count += count
        if self._bytes < self._close_at:
            return False
        self.close()
        return True

    def close(self) -> None:
        """Make a group of what was collected, if anything was."""
        if not self._lines:
            return
        self._seq += 1
        group = Group(self._seq, self._count, self._at, self._until, b"".join(self._lines))
        self._lines, self._bytes, self._count = [], 0, 0
        self.waiting.append(group)
        self._held += len(group.lines)
        while self._held > self._hold and len(self.waiting) > 1:
            self.lost.append(self._forget(1))  # the very first may be on its way to the disk just now

    def stored(self) -> None:
        """Forget the oldest waiting group: the disk has it."""
        self._forget(0)

    def _forget(self, index: int) -> Group:
        group = self.waiting[index]
        del self.waiting[index]
        self._held -= len(group.lines)
        group.lines, group.body = b"", b""
        return group

    def take_lost(self) -> list[Group]:
        """Return the groups that were given up since the last call."""
        lost, self.lost = self.lost, []
        return lost
