from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest

from drivers.profile import Profile
from gateway.cli import main
from gateway.config import document
from gateway.config.report import Report
from gateway.config.schema import FORMATS, schema

ROOT = Path(__file__).parents[3]


def resolve(node: dict[str, Any], top: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        node = top["$defs"][node["$ref"].rsplit("/", 1)[-1]]
    return node


def is_type(value: Any, name: str) -> bool:
    kinds: dict[str, Any] = {
        "object": dict, "array": list, "string": str, "boolean": bool, "null": type(None),
        "integer": int, "number": (int, float),
    }  # fmt: skip
    return isinstance(value, kinds[name]) and not (name in {"integer", "number"} and isinstance(value, bool))


def mistakes(value: Any, node: dict[str, Any], top: dict[str, Any], path: str = "") -> list[str]:
    """Check as much of Draft 2020-12 as our schemas use."""
    node = resolve(node, top)
    if "anyOf" in node:
        tries = [mistakes(value, option, top, path) for option in node["anyOf"]]
        return min(tries, key=len)
    found = []
    if "type" in node and not is_type(value, node["type"]):
        return [f"{path}: no {node['type']}"]
    if "enum" in node and value not in node["enum"]:
        found.append(f"{path}: none of {node['enum']}")
    if "pattern" in node and isinstance(value, str) and not re.search(node["pattern"], value):
        found.append(f"{path}: not {node['pattern']}")
    return found + inner_mistakes(value, node, top, path)


def inner_mistakes(value: Any, node: dict[str, Any], top: dict[str, Any], path: str) -> list[str]:
    found: list[str] = []
    if isinstance(value, dict):
        properties, more = node.get("properties", {}), node.get("additionalProperties", True)
        found += [f"{path}: no {key}" for key in node.get("required", []) if key not in value]
        for key, child in value.items():
            inner = properties.get(key, more)
            if inner is False:
                found.append(f"{path}.{key}: unknown")
            elif isinstance(inner, dict):
                found += mistakes(child, inner, top, f"{path}.{key}")
    if isinstance(value, list) and isinstance(node.get("items"), dict):
        for index, child in enumerate(value):
            found += mistakes(child, node["items"], top, f"{path}[{index}]")
    return found


def data_of(path: Path) -> Any:
    found = document.read(path, Report())
    assert found is not None
    return found.data


def references(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*(references(child) for child in node.values()))
    return set().union(*(references(child) for child in node)) if isinstance(node, list) else set()


@pytest.mark.parametrize("name", FORMATS)
def test_a_schema_is_whole(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", name]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert found["title"].startswith("Tocsin")
    assert {ref.rsplit("/", 1)[-1] for ref in references(found)} <= set(found["$defs"])


def test_the_examples_are_right_by_the_schema_too() -> None:
    assert mistakes(data_of(ROOT / "config" / "site.example.yaml"), schema("site"), schema("site")) == []
    assert (
        mistakes(data_of(ROOT / "config" / "ingest.example.yaml"), schema("ingest"), schema("ingest")) == []
    )


@pytest.mark.parametrize(
    "path", sorted((ROOT / "drivers" / "profiles").glob("*/*.yaml")), ids=lambda p: p.stem
)
def test_every_shipped_profile_is_right_by_the_schema(path: Path) -> None:
    assert mistakes(data_of(path), schema("profile"), schema("profile")) == []


def test_an_editor_would_see_what_check_sees() -> None:
    data = data_of(ROOT / "tests" / "cases" / "twenty-mistakes" / "site.yaml")
    found = " ".join(mistakes(data, schema("site"), schema("site")))
    for word in (
        ".site:",
        ".buad: unknown",
        ".parity: none of",
        ".timeout",
        ".max",
        ".limit",
    ):
        assert word in found, found


def test_the_profile_schema_knows_every_field() -> None:
    assert {field.name for field in dataclasses.fields(Profile)} == set(schema("profile")["properties"])
