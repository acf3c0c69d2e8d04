"""A record as a link sees it, and its place in its lane. Pure."""

from __future__ import annotations

from typing import NamedTuple, Protocol

ALARM = "alarm"
TELEMETRY = "telemetry"


class Key(NamedTuple):
    """The place of a record in its lane."""

    epoch: int
    seq: int


START = Key(0, 0)


class Record(Protocol):
    """What the store gives a link."""

    @property
    def lane(self) -> str:
        """`alarm` or `telemetry`."""

    @property
    def epoch(self) -> int:
        """Grows by one at each start of the gateway."""

    @property
    def seq(self) -> int:
        """Grows by one with each record of the lane within the epoch."""

    @property
    def payload(self) -> bytes:
        """What is sent."""

    @property
    def count(self) -> int:
        """Number of lines or events in the payload."""


def key_of(record: Record) -> Key:
    """Return the place of the record in its lane."""
    return Key(record.epoch, record.seq)
