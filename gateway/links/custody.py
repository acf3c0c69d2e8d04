"""Who has a record: its name on the way, and the receipt that the database has it (DESIGN 2.5). Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from gateway.links.encode import BadMessage

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gateway.links.ranges import Range


def receipt(epoch: int, ranges: Iterable[Range]) -> bytes:
    """Return the payload of `receipt/{lane}`."""
    return json.dumps({"epoch": epoch, "ranges": [list(r) for r in ranges]}, separators=(",", ":")).encode()


class Receipt(NamedTuple):
    """The database has these records of one lane."""

    epoch: int
    ranges: Sequence[Range]


def parse_receipt(payload: bytes) -> Receipt:
    """Return what a receipt says; BadMessage when it is none."""
    try:
        data = json.loads(payload)
        epoch, ranges = data["epoch"], [(first, last) for first, last in data["ranges"]]
    except (ValueError, KeyError, TypeError) as error:
        raise BadMessage(f"not a receipt: {payload[:200]!r}") from error
    if not all(type(n) is int for n in (epoch, *(n for r in ranges for n in r))):
        raise BadMessage(f"not a receipt: numbers wanted: {payload[:200]!r}")
    return Receipt(epoch, ranges)


@dataclass(frozen=True, slots=True)
class RecordId:
    """The user properties of a record."""

    lane: str
    epoch: int
    seq: int
    count: int


def record_properties(lane: str, epoch: int, seq: int, count: int) -> list[tuple[str, str]]:
    """Return the user properties that go with a record."""
    named = [("lane", lane), ("epoch", str(epoch)), ("seq", str(seq))]
    return [*named, ("count", str(count))] if lane == "telemetry" else named


def parse_properties(pairs: Iterable[tuple[str, str]]) -> RecordId:
    """Return which record it is; BadMessage when that is not said. `count` is 1 when absent."""
    said = dict(pairs)
    try:
        numbers = [int(said["epoch"]), int(said["seq"]), int(said.get("count", "1"))]
    except (KeyError, ValueError) as error:
        raise BadMessage(f"user properties lane, epoch, seq wanted, got {said}") from error
    if said.get("lane") not in {"alarm", "telemetry"} or min(numbers) < 0 or max(numbers) >= 1 << 53:
        raise BadMessage(f"user properties lane, epoch, seq wanted, got {said}")
    return RecordId(said["lane"], *numbers)
