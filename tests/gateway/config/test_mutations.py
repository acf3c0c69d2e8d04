"""Every key of the example site, broken in every way: always a message with its line, never a traceback."""

from __future__ import annotations

import copy
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from gateway.config import ConfigError, document, load
from gateway.config.report import Report

CONFIG = Path(__file__).parents[3] / "config"
FREE = {"zh", "en", "text", "building", "floor", "district", "street", "community", "grid", "zone", "owner"}
DOCUMENT = document.read(CONFIG / "site.example.yaml", Report())
assert DOCUMENT is not None
TREE = DOCUMENT.data
MESSAGE = re.compile(r".+?:(\d+): .+")


def example() -> Any:
    return copy.deepcopy(TREE)


def paths(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [p for key, child in items for p in [(*path, key), *paths(child, (*path, key))]]


PATHS = [p for p in paths(example()) if isinstance(p[-1], str)]


def parent_of(tree: Any, path: tuple[Any, ...]) -> Any:
    for step in path[:-1]:
        tree = tree[step]
    return tree


def outcome(folder: Path, text: str) -> list[str]:
    """Load; return the messages. Anything but ConfigError is a failure."""
    shutil.copy(CONFIG / "devices.example.csv", folder)
    path = folder / "site.yaml"
    path.write_text(text, encoding="utf-8")
    lines = text.count("\n") + 1
    try:
        load(path)
    except ConfigError as error:
        for message in error.messages:
            match = MESSAGE.fullmatch(message)
            assert match, message
            assert 1 <= int(match[1]) <= lines, message
        return error.messages
    return []


def dumped(tree: Any) -> str:
    return json.dumps(tree, ensure_ascii=False, indent=1)  # JSON is YAML, a key to a line


def line_of(text: str, key: str) -> int:
    return next(i for i, line in enumerate(text.splitlines(), 1) if key in line)


@pytest.mark.parametrize("path", PATHS, ids=lambda p: ".".join(map(str, p)))
def test_a_misspelt_key_is_told_on_its_line(path: tuple[Any, ...], tmp_path: Path) -> None:
    tree = example()
    parent = parent_of(tree, path)
    kept = {(f"{key}zzq" if key == path[-1] else key): value for key, value in parent.items()}
    parent.clear()
    parent.update(kept)
    text = dumped(tree)
    found = outcome(tmp_path, text)
    # names of lines, devices, rules, people and ladders are free; what refers to them then fails, or nothing does
    if path[:-1] not in {("lines",), ("devices",), ("rules",), ("people",), ("ladders",)}:
        line = line_of(text, f"{path[-1]}zzq")
        assert any(f"site.yaml:{line}: " in message and "zzq" in message for message in found), found


@pytest.mark.parametrize(
    "wrong", [[[]], True, *(pytest.param(w, marks=pytest.mark.slow) for w in ("\x85?", -7.5e300))], ids=str
)
def test_a_value_of_a_wrong_type_is_told(wrong: Any, tmp_path: Path) -> None:
    for path in PATHS:
        tree = example()
        parent_of(tree, path)[path[-1]] = wrong
        found = outcome(tmp_path, dumped(tree))
        is_free = isinstance(wrong, str) and (
            path[-1] in FREE or path[-1] in {"off", "username", "data", "ca", "file", "name"}
        )
        is_number = wrong == -7.5e300 and path[-1] in {"limit", "tilt_x", "tilt_y", "scale"}
        if not (is_free or is_number):
            assert found, f"{path} took {wrong!r}"


def test_a_key_that_is_taken_away_never_ends_in_a_traceback(tmp_path: Path) -> None:
    required = {"site", "gateway", "timezone", "lines", "profile", "protocol", "address", "line"}
    for path in PATHS:
        tree = example()
        del parent_of(tree, path)[path[-1]]
        found = outcome(tmp_path, dumped(tree))
        if path[-1] in required:
            assert found, f"nobody missed {path}"


def test_a_key_that_stands_twice_is_told_with_both_lines(tmp_path: Path) -> None:
    text = (CONFIG / "site.example.yaml").read_text(encoding="utf-8")
    lines = text.splitlines()
    keys = [i for i, line in enumerate(lines) if re.match(r"\s*[a-z_0-9-]+:\s+\S", line) and "#" not in line]
    assert len(keys) > 30
    for index in keys:
        doubled = [*lines[: index + 1], lines[index], *lines[index + 1 :]]
        found = outcome(tmp_path, "\n".join(doubled) + "\n")
        what = f"site.yaml:{index + 2}: "
        assert any(what in m and f"stands twice; the first is on line {index + 1}" in m for m in found), found


def test_a_file_cut_off_anywhere_never_ends_in_a_traceback(tmp_path: Path) -> None:
    text = (CONFIG / "site.example.yaml").read_text(encoding="utf-8")
    for cut in range(0, len(text), 211):
        outcome(tmp_path, text[:cut])
