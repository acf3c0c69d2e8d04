"""Samples as InfluxDB line protocol, and back. Pure.

    gas,device=gas-b1-07 lel=1.5,co=3i,q=0i 1790000000000000000

One sample is one line, a group is lines joined by newlines. Every line carries `q`: 0 for good, else the
highest code among its bad points; a bad point has no field, so a wholly bad sample carries `q` alone.
No raw line break is ever inside a line, whatever a device says: readers may split at newlines.
(Syntax: InfluxDB "Line protocol" reference.)
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from gateway.model import Quality

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gateway.model import Sample, Value

DEVICE_HEALTH = "device_health"
LINE_HEALTH = "line_health"
GATEWAY_HEALTH = "gateway_health"

_INT64 = 1 << 63
_NAN = Quality.NOT_A_NUMBER.code
_MEASUREMENT = str.maketrans({",": r"\,", " ": r"\ "})
_KEY = str.maketrans({",": r"\,", "=": r"\=", " ": r"\ "})
# Whatever some reader takes for a line break becomes a space: a device must not be able to forge a line.
_BREAKS = (*range(32), 0x7F, 0x85, 0x2028, 0x2029)
_TEXT = str.maketrans({**dict.fromkeys(map(chr, _BREAKS), " "), "\\": r"\\", '"': r"\""})
_UNWRITABLE = re.compile(r"[\\\x00-\x1f\x7f\x85\u2028\u2029]")
_CODE = {quality: quality.code for quality in Quality}


class BadLine(ValueError):
    """The text is not a line that this module would have written."""


@lru_cache(maxsize=4096)
def _measurement(text: str) -> str:
    """Return a measurement as it is written."""
    return _name(text, _MEASUREMENT)


@lru_cache(maxsize=4096)
def _tag_or_field(text: str) -> str:
    """Return a tag key, a tag value or a field key as it is written."""
    return _name(text, _KEY)


def _name(text: str, table: dict[int, str]) -> str:
    """Escape a measurement, tag or field key, or tag value. There is no escape for what is refused here."""
    if not text or text.startswith("#") or _UNWRITABLE.search(text):
        raise ValueError(
            f"{text!r} cannot be written in line protocol: empty, leading #, backslash or control character"
        )
    return text.translate(table)


def head(measurement: str, tags: Mapping[str, str]) -> str:
    """Return how every line of a series begins."""
    parts = [_measurement(measurement)]
    parts += [f"{_tag_or_field(key)}={_tag_or_field(value)}" for key, value in sorted(tags.items())]
    return ",".join(parts) + " "


def _field(value: Value) -> str | None:
    """Return a field value, or None for a number that InfluxDB cannot hold (NaN, Inf, beyond 64 bits)."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value}i" if -_INT64 <= value < _INT64 else None
    if isinstance(value, float):
        return float.__repr__(value) if value - value == 0.0 else None
    return f'"{value.translate(_TEXT)}"'


class Encoder:
    """Writes the samples of one device. What is the same in every line is escaped once.

    `ports`: which points belong to a port of the device, and their name there. Such a sample is several
    lines: one of the device, and one for each port it tells of, with the tag `port`.
    """

    __slots__ = ("_head", "_keys", "_of_ports", "_ports")

    def __init__(self, kind: str, device: str, ports: Mapping[str, tuple[int, str]] | None = None) -> None:
        self._head = head(kind, {"device": device})
        self._keys: dict[str, str] = {}  # as many as the profile has points
        self._ports = dict(ports or {})
        self._of_ports = {
            port: Encoder._of_port(kind, device, port)
            for port in sorted({p for p, _ in self._ports.values()})
        }

    @classmethod
    def _of_port(cls, kind: str, device: str, port: int) -> Encoder:
        encoder = cls(kind, device)
        encoder._head = head(kind, {"device": device, "port": str(port)})
        return encoder

    def encode(self, sample: Sample) -> str:
        """Return one line, or several joined by line breaks, none at the end."""
        return self._split(sample) if self._ports else self.line(sample)

    def _split(self, sample: Sample) -> str:
        """Return the lines of a device with ports: its own if it tells of itself, then those of its ports."""
        parts: dict[int, tuple[dict[str, Value], dict[str, Quality]]] = {}
        for point, value in sample.values.items():
            port, name = self._ports.get(point, (0, point))
            parts.setdefault(port, ({}, {}))[0][name] = value
        for point, quality in sample.bad.items():
            port, name = self._ports.get(point, (0, point))
            parts.setdefault(port, ({}, {}))[1][name] = quality
        told = [(port, replace(sample, values=good, bad=bad)) for port, (good, bad) in sorted(parts.items())]
        return "\n".join((self._of_ports[port] if port else self).line(part) for port, part in told)

    def line(self, sample: Sample) -> str:
        """Return a sample as one line, whatever ports there are."""
        keys = self._keys
        worst = 0
        parts = [self._head]
        add = parts.append
        for point, value in sample.values.items():
            key = keys.get(point) or self._key(point)
            # A database holds one type a field: models of a kind would clash, one with a scale, one without.
            number = float(value) if type(value) is int else value
            # The exact types first: this is the hot path, and a number is what nearly all values are.
            if type(number) is float and number - number == 0.0:
                add(f"{key}{number!r},")
                continue
            text = _field(number)
            if text is None:
                worst = max(worst, _NAN)
            else:
                add(f"{key}{text},")
        for quality in sample.bad.values():
            code = _CODE[quality]
            worst = max(code, worst)
        add(f"q={worst}i {sample.at}")
        return "".join(parts)

    def _key(self, point: str) -> str:
        if point == "q":
            raise ValueError("no point may be named q: it is the quality in telemetry")
        key = self._keys[point] = f"{_name(point, _KEY)}="
        return key


def join(lines: Iterable[str]) -> bytes:
    """Return lines as one group, the payload of one telemetry record."""
    return "\n".join(lines).encode(errors="replace")


def line(measurement: str, tags: Mapping[str, str], fields: Mapping[str, Value | None], at: int) -> str:
    """Return one line of any measurement (health, alarms); "" when no field can be written.

    A field that is None or cannot be held is left out.
    """
    return line_of(head(measurement, tags), fields, at)


def line_of(begin: str, fields: Mapping[str, Value | None], at: int) -> str:
    """Return one line of the series with this `head`, as `line` does."""
    parts = []
    for name, value in fields.items():
        text = None if value is None else _field(value)
        if text is not None:
            parts.append(f"{_tag_or_field(name)}={text}")
    return f"{begin}{','.join(parts)} {at}" if parts else ""


@dataclass(frozen=True, slots=True)
class Record:
    """One line read back."""

    kind: str  # the measurement
    tags: Mapping[str, str]
    fields: Mapping[str, Value]  # without q
    q: int | None  # None in lines that are no telemetry
    at: int  # nanoseconds since 1970 UTC

    @property
    def points(self) -> Mapping[str, Value]:
        """The fields under the names of the device's points: `power` of port 3 is `power_3`."""
        port = self.tags.get("port")
        return {f"{name}_{port}": value for name, value in self.fields.items()} if port else self.fields

    @property
    def device(self) -> str:
        """The device it is about, or "" for none."""
        return self.tags.get("device", "")


def parse_group(group: bytes) -> Iterator[Record]:
    """Yield what a group holds. Raises BadLine."""
    return (parse(text) for text in group.decode().split("\n") if text)


def parse(text: str) -> Record:
    """Read one line that this module wrote. Raises BadLine."""
    try:
        if "\\" in text or '"' in text:
            return _parse_any(text)
        head, body, at = text.split(" ")
        kind, *tags = head.split(",")
        fields = {key: _value(raw) for key, raw in (item.split("=") for item in body.split(","))}
        q = fields.pop("q", None)
        return Record(kind, dict(tag.split("=") for tag in tags), fields, _quality(q), int(at))
    except (ValueError, IndexError) as error:
        raise BadLine(f"{error}: {text[:200]!r}") from None


_PIECE = r"(?:[^,= \\]|\\.)+"
_HEAD = re.compile(rf"((?:[^, \\]|\\.)+)((?:,{_PIECE}={_PIECE})*) ")
_TAG = re.compile(rf",({_PIECE})=({_PIECE})")
_ITEM = re.compile(rf'({_PIECE})=("(?:[^"\\]|\\.)*"|[^", ]+)(?:,|(?= ))')
_UNESCAPE = re.compile(r"\\([,= ])")
_UNQUOTE = re.compile(r'\\(["\\])')


def _parse_any(text: str) -> Record:
    head = _HEAD.match(text)
    if head is None:
        raise BadLine(f"no measurement and tags: {text[:200]!r}")
    tags = {_plain(key): _plain(value) for key, value in _TAG.findall(head[2])}
    fields: dict[str, Value] = {}
    place = head.end()
    while item := _ITEM.match(text, place):
        fields[_plain(item[1])] = _value(item[2])
        place = item.end()
    q = fields.pop("q", None)
    return Record(_plain(head[1]), tags, fields, _quality(q), int(text[place:]))


def _plain(text: str) -> str:
    return _UNESCAPE.sub(r"\1", text)


def _value(raw: str) -> Value:
    if raw[0] == '"':
        return _UNQUOTE.sub(r"\1", raw[1:-1])
    if raw[-1] == "i":
        return int(raw[:-1])
    if raw in {"true", "false"}:
        return raw == "true"
    return float(raw)


def _quality(q: Value | None) -> int | None:
    if q is not None and type(q) is not int:
        raise BadLine(f"q is {q!r}, not a whole number")
    return q
