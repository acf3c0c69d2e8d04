"""What the journal holds and says about itself: records, places, gaps, backlog, health. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

Place = tuple[int, int]
"""(epoch, seq): where a record stands in its lane."""

SEQ_BITS = 36  # 68 thousand million records an epoch, 134 million epochs: one 63-bit row id orders a lane
LAST_SEQ = (1 << SEQ_BITS) - 1


class Lane(StrEnum):
    """The two streams of the journal. The alarm lane is never dropped for space."""

    ALARM = "alarm"
    TELEMETRY = "telemetry"


def row_id(epoch: int, seq: int) -> int:
    """Return the number that orders a place within its lane."""
    return epoch << SEQ_BITS | seq


def place(number: int) -> Place:
    """Return the place that `row_id` made this number from."""
    return number >> SEQ_BITS, number & LAST_SEQ


@dataclass(frozen=True, slots=True)
class Record:
    """One unit of delivery: an alarm event (JSON) or a group of telemetry (line protocol)."""

    lane: Lane
    epoch: int
    seq: int
    count: int  # events (always 1) or lines of telemetry
    payload: bytes
    at: int  # wall nanoseconds of its first event or line: a label
    durable: bool = True  # False: the disk refused it and it lives in memory for now (alarm lane only)

    @property
    def place(self) -> Place:
        """Where the record stands in its lane."""
        return self.epoch, self.seq


@dataclass(frozen=True, slots=True)
class Gap:
    """Records that were lost before every link had confirmed them, and why. Never silent."""

    lane: Lane
    epoch: int
    first: int
    last: int  # 0: the end is not known (a damaged file took it along)
    records: int
    rows: int
    reason: str  # "size", "space", "damaged", "memory"
    at: int  # wall nanoseconds of the loss


@dataclass(frozen=True, slots=True)
class Backlog:
    """What a link has not confirmed yet."""

    records: int = 0
    rows: int = 0
    size: int = 0  # bytes on disk
    oldest: int | None = None  # wall nanoseconds of the oldest unconfirmed record


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of the journal; each says what happens when it is reached."""

    segment: int | None = None  # bytes of one telemetry file; None: max_bytes / 64, at least 1 MiB
    keep: float = 30 * 86400.0  # s: older telemetry files are unlinked once confirmed
    max_bytes: int = 2 << 30  # oldest telemetry files are unlinked, with a gap record if unconfirmed
    group: float = 2.0  # s of telemetry in one record: what a power cut may take
    group_bytes: int = 256 << 10  # a group this large is closed early
    events_keep: float = 3 * 365 * 86400.0  # s: older events go once confirmed, with a marker
    events_least: int = 10_000  # so many newest events stay, however old (what a fire control room keeps)
    waiting_bytes: int = 16 << 20  # telemetry held in memory while the disk refuses: oldest dropped, gap
    ring: int = 20_000  # alarm events held in memory while the disk refuses: oldest dropped, gap
    floor: int | None = None  # free bytes below which telemetry is unlinked; None: 5 % of the disk
    settle: float = 10.0  # s: confirmed positions are put on disk this often; lost ones are sent again


@dataclass(frozen=True, slots=True)
class StoreHealth:
    """How the journal is. Counters run since the start; the flags stand while they are true."""

    epoch: int = 0
    epoch_durable: bool = True
    alarms_durable: bool = True  # False: alarm events live in memory only; raise a fault
    telemetry_stored: bool = True  # False: groups wait in memory because the disk refuses them
    space_low: bool = False  # free space below the floor
    why: str = ""  # the last refusal of the disk, in its own words
    ring: int = 0  # alarm events that are only in memory
    waiting: int = 0  # telemetry groups that are only in memory
    commits_failed: int = 0
    gaps: int = 0  # gap records written since the start
    dropped_records: int = 0  # unconfirmed records lost since the start
    dropped_rows: int = 0
    ignored_confirms: int = 0  # receipts for places that were never issued
    damaged: tuple[str, ...] = ()  # files set aside since the start
    segments: int = 0
    size: int = 0  # bytes of telemetry on disk
    free: int = 0  # bytes free on the disk
    backlog: dict[tuple[str, Lane], Backlog] = field(default_factory=dict)  # by (link, lane)
    audit: tuple[int, str] = (0, "")  # number and hash of the newest entry of the audit on disk


class StoreError(Exception):
    """The journal could not do what was asked. Expected in service."""


class DiskRefused(StoreError):
    """Full, read-only or failing: what is on disk is whole, but nothing new goes in."""


class Damaged(StoreError):
    """A file is not what was written. It is set aside; the rest goes on."""
