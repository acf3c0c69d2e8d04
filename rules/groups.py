"""Alarms told together, and how often a person is told of what is not urgent (alarms.md 5.4, 5.5). Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import Any

from gateway.model import AlarmClass

JOIN = 30.0  # seconds after an urgent one in which others of its group are told together
WAIT = 20.0  # seconds that what is not urgent waits for more
PAUSE = 300.0  # seconds between two notices of a group that is not urgent
TOKENS, PER = 6, 600.0  # notices in so many seconds, of what is not urgent

CLASSES = {
    AlarmClass.FIRE: ("火警", "fire"),
    AlarmClass.GAS: ("燃气", "gas"),
    AlarmClass.ELECTRICAL: ("电气火灾", "electrical"),
    AlarmClass.SAFETY: ("安全", "safety"),
    AlarmClass.CHARGING: ("充电", "charging"),
    AlarmClass.SUPERVISORY: ("监管", "supervisory"),
    AlarmClass.FAULT: ("故障", "fault"),
    AlarmClass.SYSTEM: ("系统", "system"),
}


@dataclass(slots=True)
class Group:
    """What of one place and class waits for one person."""

    person: str
    key: str
    urgent: bool
    waiting: dict[str, None] = field(default_factory=dict)  # occurrences
    due: float | None = None  # monotonic: when they are sent
    last: float = -inf  # when something was sent last

    def first(self, now: float) -> bool:
        """Begin a group with one that is told at once; False when one has begun already."""
        if now < self.last + JOIN:
            return False
        self.last = now
        return True

    def join(self, occurrence: str, now: float) -> None:
        """Let one more wait."""
        self.waiting[occurrence] = None
        if self.due is None:
            wait = self.last + JOIN if self.urgent else max(now + WAIT, self.last + PAUSE)
            self.due = max(now, wait)

    def leave(self, occurrence: str) -> None:
        """Take one out."""
        self.waiting.pop(occurrence, None)
        self.due = self.due if self.waiting else None

    def take(self, now: float) -> list[str]:
        """Return all that wait, to be sent now."""
        taken = list(self.waiting)
        self.waiting.clear()
        self.due, self.last = None, now
        return taken

    def alive(self, now: float) -> bool:
        """Whether it still makes a difference."""
        return bool(self.waiting) or now < self.last + PAUSE

    def to_json(self, now: float) -> dict[str, Any]:
        """Return it for the disk; who waits is kept with the alarms."""
        return {
            "person": self.person,
            "key": self.key,
            "urgent": self.urgent,
            "left": None if self.due is None else max(0.0, self.due - now),
            "age": None if self.last == -inf else now - self.last,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any], now: float, down: float) -> Group:
        """Return it after a restart, without those that wait."""
        due = None if data["left"] is None else now + max(0.0, data["left"] - down)
        last = -inf if data["age"] is None else now - down - data["age"]
        return cls(data["person"], data["key"], data["urgent"], {}, due, last)


@dataclass(slots=True)
class Budget:
    """How many notices that are not urgent a person may get; what is beyond waits for one digest."""

    at: float  # monotonic: when `left` was right
    left: float = TOKENS
    waiting: dict[str, None] = field(default_factory=dict)  # occurrences

    def spend(self, now: float) -> bool:
        """Take one, if there is one."""
        self.left = min(TOKENS, self.left + max(0.0, now - self.at) * TOKENS / PER)
        self.at = now
        if self.left < 1:
            return False
        self.left -= 1
        return True

    def to_json(self, now: float) -> dict[str, Any]:
        """Return it for the disk; who waits is kept with the alarms."""
        return {"age": now - self.at, "left": self.left}

    @classmethod
    def from_json(cls, data: dict[str, Any], now: float, down: float) -> Budget:
        """Return it after a restart."""
        return cls(now - down - data["age"], data["left"])
