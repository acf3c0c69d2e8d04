"""What became of one notice to one person: receipts, retries, the second way (alarms.md 6). Pure.

    queued -> sent -> delivered -> received -> read -> accepted | rejected -> dispatched -> on_scene -> closed
    failed: tried again after 1, 2, 4 ... 60 s; expired: too late

A receipt never goes back: one that comes late, or twice, changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from rules.rule import EPSILON

if TYPE_CHECKING:
    from gateway.model import Instant

PATIENCE = {1: 10.0}  # seconds without `delivered` until the second way is taken
PATIENCE_ELSE = 60.0
RETRY_MOST = 60.0
TRIES = 10  # of what is neither level 1 nor 2
LASTS = 86400.0  # seconds until an undelivered notice of level 3, 4 or a fault expires
LASTS_URGENT = 7 * 86400.0


class Receipt(StrEnum):
    """How far a notice has come, in this order."""

    QUEUED = "queued"
    FAILED = "failed"
    SENT = "sent"
    DELIVERED = "delivered"
    RECEIVED = "received"
    READ = "read"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    DISPATCHED = "dispatched"
    ON_SCENE = "on_scene"
    CLOSED = "closed"
    EXPIRED = "expired"

    @property
    def rank(self) -> int:
        """Its place in the order."""
        return _ORDER[self]


_ORDER = {receipt: n for n, receipt in enumerate(Receipt)}
_ORDER[Receipt.REJECTED] = _ORDER[Receipt.ACCEPTED]
_ORDER[Receipt.FAILED] = _ORDER[Receipt.QUEUED]


class NoticeKind(StrEnum):
    """What a notice says."""

    RAISE = "raise"
    UPGRADE = "upgrade"
    CLEAR = "clear"
    GROUP = "group"  # several alarms of one place and class, begun or over
    DIGEST = "digest"  # what went beyond the budget of the person
    REMINDER = "reminder"
    CHATTER = "chatter"
    DISABLEMENT = "disablement"  # protected alarms are out of service, or in service again (row 24)


@dataclass(slots=True)
class Notice:
    """One thing told to one person."""

    id: int
    person: str
    kind: NoticeKind
    cause: str  # the occurrence, or the group: one notice per cause, kind and person
    level: int
    title: dict[str, str]
    at: int  # wall nanoseconds
    began: float  # monotonic seconds
    alarms: list[str] = field(default_factory=list)  # DEVICE/RULE/OCCURRENCE, the first hundred
    more: int = 0
    test: bool = False
    receipt: Receipt = Receipt.QUEUED
    reason: str = ""
    tries: int = 0
    way: int = 1  # 2: the first way did not deliver in time
    retry: float = 0.0  # monotonic seconds: not tried before

    @property
    def urgent(self) -> bool:
        """Whether it is tried without end."""
        return self.level in {1, 2}

    @property
    def done(self) -> bool:
        """Whether it reached somebody, or nobody wants it any more."""
        return self.receipt.rank >= Receipt.DELIVERED.rank

    def take(self, receipt: Receipt, now: float, reason: str = "") -> bool:
        """Take a receipt; return whether it changed anything."""
        if receipt is Receipt.FAILED:
            if self.done:
                return False
            self.tries += 1
            given_up = not self.urgent and self.tries >= TRIES
            self.receipt = Receipt.EXPIRED if given_up else Receipt.FAILED
            self.retry = now + min(2.0 ** (min(self.tries, 10) - 1), RETRY_MOST)
        elif receipt.rank > self.receipt.rank:
            self.receipt = receipt
        else:
            return False
        self.reason = reason
        return True

    def due(self) -> float | None:
        """Return when time alone changes something."""
        if self.done:
            return None
        lasts = LASTS_URGENT if self.urgent else LASTS
        return self.began + (lasts if self.way > 1 else PATIENCE.get(self.level, PATIENCE_ELSE))

    def tick(self, now: float) -> bool:
        """Take the second way, or expire, when it is time; return whether it did."""
        due = self.due()
        if due is None or now < due - EPSILON:
            return False
        if self.way > 1:
            self.receipt = Receipt.EXPIRED
        else:
            self.way, self.tries, self.retry = 2, 0, now
        return True

    def to_json(self, now: float) -> dict[str, Any]:
        """Return it for the disk."""
        data = {name: getattr(self, name) for name in self.__slots__}
        return {**data, "began": now - self.began, "retry": max(0.0, self.retry - now)}

    @classmethod
    def from_json(cls, data: dict[str, Any], now: Instant, down: float) -> Notice:
        """Return it after a restart; `down` are the seconds slept through, as far as known."""
        times = {"began": now.mono - down - data["began"], "retry": now.mono + data["retry"]}
        words = {"kind": NoticeKind(data["kind"]), "receipt": Receipt(data["receipt"])}
        return cls(**{**data, **times, **words})
