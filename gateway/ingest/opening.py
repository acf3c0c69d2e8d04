"""One MQTT message taken apart: lines to write, lines to set aside, and whose record it is. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.ingest import events, lines
from gateway.ingest.batch import Parcel
from gateway.ingest.quarantine import Refusal
from gateway.ingest.receipts import Origin
from gateway.links.custody import RecordId, parse_properties
from gateway.links.encode import BadMessage, Topics

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Opened:
    """What was in a message."""

    parcel: Parcel | None = None  # None: nothing in it can be written
    origin: Origin | None = None  # None: it does not say which record it is; then there is no receipt
    refusals: tuple[Refusal, ...] = ()
    miscounted: bool = False  # `count` is not the number of lines

    @property
    def lines(self) -> int:
        """How many lines or events there were."""
        return (self.parcel.count if self.parcel else 0) + len(self.refusals) - self.miscounted


def open_message(topic: str, payload: bytes, properties: Iterable[tuple[str, str]]) -> Opened:
    """Take a message apart; never fails: what cannot be used is set aside with its reason."""
    try:
        topics, record = Topics.of(topic), parse_properties(properties)
    except BadMessage as error:
        return Opened(refusals=(Refusal(payload, str(error), "unknown"),))
    if topic == topics.event:
        return _open_event(payload, topics, record)
    return _open_telemetry(payload, topics, record)


def _source(topics: Topics, record: RecordId) -> str:
    return f"{topics.site}/{topics.gateway}/{record.lane}"


def _open_event(payload: bytes, topics: Topics, record: RecordId) -> Opened:
    place = (_source(topics, record), record.epoch, record.seq)
    origin = Origin(topics, record)
    try:
        line = events.point(payload, topics.site, topics.gateway)
    except events.BadEvent as error:
        return Opened(None, origin, (Refusal(payload, str(error), *place),))
    return Opened(Parcel(line, 1, *place), origin)


def _open_telemetry(payload: bytes, topics: Topics, record: RecordId) -> Opened:
    place = (_source(topics, record), record.epoch, record.seq)
    tagged = lines.tag(payload, topics.site, topics.gateway)
    refusals = [Refusal(line, reason, *place) for line, reason in tagged.bad]
    found = tagged.count + len(tagged.bad)
    if found != record.count:  # the lines there are may be true; that some are missing must not be silent
        refusals.append(Refusal(b"", f"count says {record.count}, lines are {found}", *place))
    parcel = Parcel(tagged.good, tagged.count, *place) if tagged.count else None
    return Opened(parcel, Origin(topics, record), tuple(refusals), found != record.count)
