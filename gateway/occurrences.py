"""The past as a list of occurrences, made of the events of the journal. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

OPENERS = frozenset({"raise", "repeat", "upgrade"})


def occurrences(events: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return a line per occurrence, newest first, from events, oldest first. Times are wall nanoseconds."""
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for event in events:
        if event["occurrence"]:
            key = (event["device"], event["rule"], event["occurrence"])
            _take(found.setdefault(key, _first(event)), event)
    return sorted(found.values(), key=lambda line: -int(line["began"]))


def _first(event: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "occurrence": event["occurrence"],
        "device": event["device"],
        "rule": event["rule"],
        "class": event["class"],
        "level": event["level"],
        "began": event["at"],
        "raised": None,
        "acked": None,
        "acked_by": "",
        "cleared": None,
        "closed": None,
        "activations": event["activation"],
        "value": event["value"],
        "unit": event["unit"],
        "disposition": "",
        "status": event["status"],
        "title": event["title"],
    }


def _take(line: dict[str, Any], event: Mapping[str, Any]) -> None:
    kind, at = event["event"], event["at"]
    line["activations"] = max(line["activations"], event["activation"])
    if kind in OPENERS:
        line["raised"] = line["raised"] or at
        line["level"] = min(line["level"] or 5, event["level"] or 5) % 5
    elif kind == "ack" and line["acked"] is None:
        line["acked"], line["acked_by"] = at, event["actor"]
    elif kind in {"clear", "closed"}:
        line[f"{kind}ed" if kind == "clear" else kind] = at
    elif kind == "disposition":
        line["disposition"] = event["reason"]
