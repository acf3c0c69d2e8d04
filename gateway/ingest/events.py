"""An alarm event (JSON, DESIGN 2.5) as a point of the measurement `alarm` (DESIGN 2.6). Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gateway.telemetry import line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.model import Value

MEASUREMENT = "alarm"


class BadEvent(Exception):
    """The payload is not an alarm event; the text says what is wrong."""


def point(payload: bytes, site: str, gateway: str) -> bytes:
    """Return one line of line protocol without line end. Raises BadEvent."""
    try:
        event = json.loads(payload)
    except ValueError as error:
        raise BadEvent(f"not JSON: {error}") from error
    if not isinstance(event, dict):
        raise BadEvent("not a JSON object")
    at = event.get("at")
    if type(at) is not int or not 0 <= at < 1 << 63:
        raise BadEvent(f"at: nanoseconds wanted, got {at!r}")
    tags = {"site": site, "gateway": gateway}
    for name in ("device", "rule", "class"):
        tags[name] = _word(event, name)
    try:
        text = line(MEASUREMENT, tags, _fields(event), at)
    except ValueError as error:
        raise BadEvent(str(error)) from error
    return text.encode()


def _fields(event: Mapping[str, Any]) -> dict[str, Value | None]:
    value, title = event.get("value"), event.get("title")
    titles = title if isinstance(title, dict) else {}
    return {
        "event": _word(event, "event"),
        "state": str(event.get("state", "")),
        "level": _whole(event, "level"),
        "active": event.get("active") is True,
        "acked": event.get("acked") is True,
        "activation": _whole(event, "activation"),
        "n": _whole(event, "n"),
        # One field keeps one type for ever in InfluxDB: words have a field of their own.
        "value": float(value) if isinstance(value, int | float) else None,
        "value_text": value if isinstance(value, str) else None,
        "limit": _number(event.get("limit")),
        "unit": str(event.get("unit", "")),
        "quality": str(event.get("quality", "")),
        "occurrence": str(event.get("occurrence", "")),
        "message": str(titles.get("zh") or titles.get("en") or ""),
        "message_en": str(titles.get("en") or ""),
        "actor": str(event.get("actor", "")),
        "reason": str(event.get("reason", "")),
        "test": event.get("status") == "Test",
    }


def _word(event: Mapping[str, Any], name: str) -> str:
    word = event.get(name)
    if not isinstance(word, str) or not word:
        raise BadEvent(f"{name}: a word wanted, got {word!r}")
    return word


def _whole(event: Mapping[str, Any], name: str) -> int:
    number = event.get(name, 0)
    if type(number) is not int:
        raise BadEvent(f"{name}: a whole number wanted, got {number!r}")
    return number


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
