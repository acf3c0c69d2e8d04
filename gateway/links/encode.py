"""MQTT topics, and the payloads that the gateway tells (DESIGN 2.5). Pure.

Times are integer nanoseconds since 1970 UTC (`at`), with ISO 8601 (`time`) beside them for people. The
tables of `gateway/links/README.md` describe each payload; `FORMAT` goes up when a field changes its meaning.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from gateway.model import AlarmEvent, EventKind, Quality

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gateway.model import Sample

FORMAT = 1
ROOT = "tocsin/v1"
TELEMETRY_FILTER = f"{ROOT}/+/+/telemetry"
EVENT_FILTER = f"{ROOT}/+/+/event"
DRILL = {"zh": "【演练】", "en": "[DRILL] "}
GOOD = Quality.GOOD
NO_LONGER_SHOWN = frozenset({EventKind.CLOSED})


class BadMessage(Exception):
    """What came over MQTT is not what the contract says; carries what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one gateway."""

    site: str
    gateway: str

    @property
    def root(self) -> str:
        """Common beginning of all topics of the gateway, without the last slash."""
        return f"{ROOT}/{self.site}/{self.gateway}"

    @property
    def status(self) -> str:
        """Online or offline; retained and the last will."""
        return f"{self.root}/status"

    @property
    def telemetry(self) -> str:
        """Groups of readings."""
        return f"{self.root}/telemetry"

    @property
    def event(self) -> str:
        """Alarm events."""
        return f"{self.root}/event"

    @property
    def health(self) -> str:
        """How the gateway itself is; retained."""
        return f"{self.root}/health"

    @property
    def command(self) -> str:
        """Signed orders."""
        return f"{self.root}/command"

    @property
    def answers(self) -> str:
        """Under it lie the response topics of orders."""
        return f"{self.root}/answer"

    @property
    def receipts(self) -> str:
        """Filter for the receipts of all lanes."""
        return f"{self.root}/receipt/+"

    @property
    def alarms(self) -> str:
        """Filter for the retained alarms of the gateway."""
        return f"{self.root}/alarm/+/+"

    def receipt(self, lane: str) -> str:
        """Receipts of one lane."""
        return f"{self.root}/receipt/{lane}"

    def alarm(self, device: str, rule: str) -> str:
        """One alarm as it stands; retained, empty when closed."""
        return f"{self.root}/alarm/{device}/{rule}"

    def live(self, device: str) -> str:
        """Last values of one device; retained."""
        return f"{self.root}/live/{device}"

    @staticmethod
    def of(topic: str) -> Topics:
        """Return whose topic this is; BadMessage when the names could not be tags."""
        parts = topic.split("/")
        if len(parts) < 5 or "/".join(parts[:2]) != ROOT or not all(map(_is_name, parts[2:4])):
            raise BadMessage(f"topic {topic!r}: wanted {ROOT}/SITE/GATEWAY/..., names of a-z 0-9 -")
        return Topics(parts[2], parts[3])


def _is_name(text: str) -> bool:
    return text.isascii() and bool(text) and all(c.islower() or c.isdigit() or c == "-" for c in text)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the site file says about a device, as far as those outside need it."""

    kind: str
    name: Mapping[str, str] = field(default_factory=dict)
    place: Mapping[str, Any] = field(default_factory=dict)  # text, building, floor, lat, lon, crs
    area: Mapping[str, str] = field(default_factory=dict)
    zone: str = ""
    owner: str = ""
    foreign: str = ""  # the other gateway that owns it
    exercise: bool = False  # its test events belong to an exercise with the fire centre


def iso(at: int) -> str:
    """Return nanoseconds since 1970 as ISO 8601 in UTC, with all nine digits."""
    seconds, nanos = divmod(at, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{nanos:09d}Z"


def _text(data: object) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _json(data: object) -> bytes:
    return _text(data).encode()


@lru_cache(maxsize=4096)
def _quoted(name: str) -> str:
    return _text(name)


@lru_cache(maxsize=4096)
def _opened(point: str) -> str:
    """Return how a point begins in `live`."""
    return f'{_quoted(point)}:{{"value":'


def status(state: str, *, epoch: int, at: int, version: str) -> bytes:
    """Return the payload of `status`; `state` is online or offline."""
    return _json(
        {"format": FORMAT, "state": state, "epoch": epoch, "at": at, "time": iso(at), "version": version}
    )


def event(event: AlarmEvent, facts: Facts, topics: Topics) -> bytes:
    """Return the payload of `event`: one step in the life of one alarm (alarms.md 6)."""
    return _json(_alarm(event, facts, topics))


def alarm(event: AlarmEvent, facts: Facts, topics: Topics) -> bytes:
    """Return the payload of `alarm/{device}/{rule}` after this event; empty clears the retained one."""
    nothing = not event.occurrence and event.letter == "A"  # such as after a shelf on what never was
    return b"" if nothing or event.kind in NO_LONGER_SHOWN else event_as_state(event, facts, topics)


def event_as_state(event: AlarmEvent, facts: Facts, topics: Topics) -> bytes:
    """Return the alarm as it stands after the event."""
    return _json(_alarm(event, facts, topics))


def _alarm(event: AlarmEvent, facts: Facts, topics: Topics) -> dict[str, Any]:
    who = f"{topics.site}/{topics.gateway}/{event.device}/{event.rule}"
    place = {"crs": "WGS-84", **facts.place} if "lat" in facts.place else dict(facts.place)
    return {
        "format": FORMAT,
        "id": f"{who}/{event.occurrence}/{event.n}",
        "dedup": f"{who}/{event.occurrence}/{event.kind}/{event.activation}/{event.n}",
        "status": ("Exercise" if facts.exercise else "Test") if event.test else "Actual",
        "event": event.kind.value,
        "site": topics.site,
        "gateway": topics.gateway,
        "device": event.device,
        "kind": facts.kind,
        "rule": event.rule,
        "class": event.alarm_class.value,
        "level": event.level,
        "state": event.letter,
        "active": event.active,
        "acked": event.acked,
        "latched": event.latched,
        "occurrence": event.occurrence,
        "n": event.n,
        "activation": event.activation,
        "title": _title(event, facts),
        "value": event.value,
        "limit": event.limit,
        "unit": event.unit,
        "quality": event.quality.value,
        "at": event.at,
        "time": iso(event.at),
        "synced": event.synced,
        "mono": round(event.mono, 3),
        "actor": event.actor,
        "reason": event.reason,
        "where": {**place, "area": dict(facts.area), "zone": facts.zone, "owner": facts.owner},
        "foreign": facts.foreign,
        "refs": [],
    }


def _title(event: AlarmEvent, facts: Facts) -> dict[str, str]:
    """Return the message with the place before it, in both languages."""
    where = str(facts.place.get("text") or "")
    titles = {}
    for language in ("zh", "en"):
        name = facts.name.get(language) or event.device
        message = event.message.get(language) or event.message.get("en") or event.rule
        drill = DRILL[language] if event.test else ""
        titles[language] = drill + " ".join(part for part in (where, name, message) if part)
    return titles


def live(device: str, facts: Facts, samples: Iterable[Sample], *, now_mono: float) -> bytes:
    """Return the payload of `live/{device}`: each point's value, quality and age in seconds.

    `samples` have no point in common. Written by hand, because nothing is told more often: a third of the
    time of building it for `json`.
    """
    newest, parts = 0, []
    for sample in samples:
        at = sample.at
        newest = max(newest, at)
        when = f'"at":{at},"age":{round(max(0.0, now_mono - sample.mono), 3)}}}'
        tail = f'"quality":"{GOOD}",{when}'
        for name, value in sample.values.items():
            # The exact types first: numbers are what nearly all values are, and json writes them like this.
            plain = type(value) is int or (type(value) is float and value - value == 0.0)
            parts.append(f"{_opened(name)}{repr(value) if plain else _text(value)},{tail}")
        for name, quality in sample.bad.items():
            parts.append(f'{_opened(name)}null,"quality":"{quality}",{when}')
    head = f'{{"format":{FORMAT},"device":{_quoted(device)},"kind":{_quoted(facts.kind)},"at":{newest}'
    return f'{head},"points":{{{",".join(parts)}}}}}'.encode()


def health(report: Mapping[str, Any], at: int) -> bytes:
    """Return the payload of `health`: lines, devices, links, host, as the gateway reports them."""
    return _json({"format": FORMAT, "at": at, "time": iso(at), **report})
