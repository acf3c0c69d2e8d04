"""JSON Schema (Draft 2020-12) of the files people write, made of the dataclasses that read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.config.devices import device_shape
from gateway.config.ingest import ingest_shape
from gateway.config.interlocks import interlock_shape
from gateway.config.lines import line_shape
from gateway.config.profiles import profile_shape
from gateway.config.rule import shape as rule_shape
from gateway.config.site import head_shape
from rules.conditions import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable

DIALECT = "https://json-schema.org/draft/2020-12/schema"
NAMES = {"propertyNames": {"pattern": "^[a-z0-9]+(-[a-z0-9]+)*$"}}

WHERE = {
    "devices": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
    "zone": {"type": "string"},
}


class _Collector:
    """Puts schemas together whose definitions stand under one roof."""

    def __init__(self) -> None:
        self.definitions: dict[str, Any] = {}

    def add(self, name: str, part: dict[str, Any]) -> dict[str, Any]:
        """Take in a schema; return the reference to it."""
        part = dict(part)
        self.definitions |= part.pop("$defs", {})
        self.definitions[name] = part
        return {"$ref": f"#/$defs/{name}"}

    def finish(self, top: dict[str, Any], title: str) -> dict[str, Any]:
        """Return the whole schema."""
        own = top.pop("$defs", {})
        return {"$schema": DIALECT, **top, "title": title, "$defs": {**self.definitions, **own}}


def _loose(part: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a block that changes some keys of another: none of them must be given."""
    return {key: value for key, value in part.items() if key != "required"}


def _rule(collector: _Collector, *, change: bool) -> dict[str, Any]:
    """Return the schema of a rule, or of what a site changes of one."""
    wrap = _loose if change else dict
    suffix = "Change" if change else ""
    kinds = [collector.add(f"{k.title()}Rule{suffix}", wrap(rule_shape(k).schema())) for k in KINDS]
    return {"anyOf": kinds}


def _site_rule(collector: _Collector) -> dict[str, Any]:
    """Return the schema of a rule of the whole site: it also says for which devices."""
    kinds = []
    for kind in KINDS:
        part = dict(rule_shape(kind).schema())
        part["properties"] = {**WHERE, **part["properties"]}
        kinds.append(collector.add(f"{kind.title()}RuleOfSite", part))
    return {"anyOf": kinds}


def _site() -> dict[str, Any]:
    collector = _Collector()
    line = collector.add("Line", line_shape().schema())
    device = dict(device_shape().schema())
    device["properties"] = {**device["properties"]}
    points = {"anyOf": [_loose(_point(collector)), {"type": "null"}]}
    device["properties"]["map"] = {"type": "object", "additionalProperties": points}
    device["properties"]["rules"] = {"type": "object", "additionalProperties": _rule(collector, change=True)}
    top = dict(head_shape().schema())
    top["properties"] = {
        **top["properties"],
        "lines": {"type": "object", "additionalProperties": line, **NAMES},
        "rules": {
            "anyOf": [
                {"type": "object", "additionalProperties": _site_rule(collector), **NAMES},
                {"type": "null"},
            ]
        },
        "interlocks": {
            "anyOf": [
                {
                    "type": "object",
                    "additionalProperties": collector.add("Interlock", interlock_shape().schema()),
                    **NAMES,
                },
                {"type": "null"},
            ]
        },
        "devices": {
            "anyOf": [
                {"type": "object", "additionalProperties": collector.add("Device", device), **NAMES},
                {"type": "null"},
            ]
        },
    }
    return collector.finish(top, "Tocsin site file")


def _point(collector: _Collector) -> dict[str, Any]:
    definitions = profile_shape().schema()["$defs"]
    collector.definitions |= {k: v for k, v in definitions.items() if k not in {"Point", "Ports"}}
    return dict(definitions["Point"])


def _profile() -> dict[str, Any]:
    collector = _Collector()
    top = dict(profile_shape().schema())
    rules = {"type": "object", "additionalProperties": _rule(collector, change=False), **NAMES}
    top["properties"] = {**top["properties"], "rules": rules}
    return collector.finish(top, "Tocsin device profile")


def _ingest() -> dict[str, Any]:
    return _Collector().finish(dict(ingest_shape().schema()), "Tocsin ingest settings")


def _rulecase() -> dict[str, Any]:
    """Return the schema of rule tests (DESIGN 2.4); `tocsin rules test` itself checks more."""
    collector = _Collector()
    time = {"anyOf": [{"type": "string", "pattern": r"^\d+(\.\d+)?(ms|s|m|h|d)$"}, {"type": "number"}]}
    text, number = {"type": "string"}, {"type": "number"}
    sample = {"anyOf": [number, {"type": "boolean"}, text]}
    series = {
        "anyOf": [
            {"type": "object", "additionalProperties": {"type": "array", "items": sample}},
            {"type": "object", "additionalProperties": {"type": "object"}},
        ]
    }
    rules = {"type": "object", "additionalProperties": _rule(collector, change=True)}
    expected = {
        "type": "object",
        "properties": {
            "at": time,
            "device": text,
            "rule": text,
            "event": text,
            "level": {"type": "integer"},
        },
        "required": ["at", "rule", "event"],
    }
    case = {
        "type": "object",
        "properties": {
            "name": text,
            "profile": text,
            "site": text,
            "device": text,
            "every": time,
            "rules": rules,
            "series": series,
            "csv": text,
            "do": {
                "type": "array",
                "items": {"type": "object", "properties": {"at": time}, "required": ["at"]},
            },
            "expect": {"type": "array", "items": expected},
        },
        "required": ["name", "expect"],
    }
    return collector.finish({"type": "array", "items": case}, "Tocsin rule tests")


_MAKERS: dict[str, Callable[[], dict[str, Any]]] = {
    "site": _site,
    "profile": _profile,
    "ingest": _ingest,
    "rulecase": _rulecase,
}
FORMATS = tuple(_MAKERS)


def schema(name: str) -> dict[str, Any]:
    """Return the JSON Schema of one of FORMATS."""
    return _MAKERS[name]()
