"""YAML 1.2 text to nodes, and what an unquoted scalar means. Knows nothing of files and sites.

Scalars follow the core schema of YAML 1.2: `no` and `12:30` are texts and `0777` is 777.
The C parser of ruamel.yaml is used where its wheel is there (15 times as fast), else its Python parser.
"""

# ruff: noqa: ANN401 - YAML holds values of any type

from __future__ import annotations

import re
from typing import Any, cast

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import Node, ScalarNode
from ruamel.yaml.resolver import BaseResolver
from ruamel.yaml.tag import Tag

from gateway.language import say

PLAIN, QUOTED, COLLECTION = Tag(suffix="plain"), Tag(suffix="quoted"), Tag(suffix="collection")
CONSTANTS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
NUMERIC = frozenset("+-.0123456789")
DECIMAL = re.compile(r"[-+]?[0-9]{1,100}")
OTHER_BASE = re.compile(r"0o[0-7]{1,100}|0x[0-9a-fA-F]{1,100}")
FLOAT = re.compile(r"[-+]?(\.[0-9]{1,100}|[0-9]{1,100}(\.[0-9]{0,100})?)([eE][-+]?[0-9]{1,4})?")
SPECIAL = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
NESTING = re.compile(r"^[ \-?:]+|[\[\]{}]", re.MULTILINE)
DEEPEST = 400  # the C parser recurses and would crash; the Python parser raises RecursionError


class _Resolver(BaseResolver):
    """Marks a scalar as plain or quoted and leaves the rest to `plain`; ruamel's own is the slow part."""

    def __init__(self, version: Any = None, loader: Any = None, loadumper: Any = None) -> None:
        del version  # YAML 1.2 whatever the file says of itself
        super().__init__(loadumper if loadumper is not None else loader)

    @property
    def processing_version(self) -> tuple[int, int]:
        return (1, 2)

    def resolve(self, kind: Any, _value: Any, implicit: Any) -> Tag:
        if kind is not ScalarNode:
            return COLLECTION
        return PLAIN if implicit[0] else QUOTED

    def descend_resolver(self, _node: Any, _index: Any) -> None: ...

    def ascend_resolver(self) -> None: ...


def plain(text: str) -> str | int | float | bool | None:
    """Return what an unquoted scalar means in the core schema of YAML 1.2 (section 10.3.2)."""
    if text and text[0] in NUMERIC:
        if DECIMAL.fullmatch(text):
            return int(text)
        if OTHER_BASE.fullmatch(text):
            return int(text, 0)
        if FLOAT.fullmatch(text):
            return float(text)
        if SPECIAL.fullmatch(text):
            return float(text.replace(".", ""))
        return text
    return CONSTANTS.get(text, text)


def compose(text: str) -> Node | None:
    """Return the root node. What the C parser refuses the Python parser judges: C knows YAML 1.1 only."""
    if not _may_be_deep(text):
        try:
            root: Node | None = _parser(pure=False).compose(text)
        except YAMLError:
            pass  # {url: mqtt://host} is right in YAML 1.2
        else:
            return root
    return cast("Node | None", _parser(pure=True).compose(text))


def _parser(*, pure: bool) -> YAML:
    yaml = YAML(typ="safe", pure=pure)
    yaml.Resolver = _Resolver
    return yaml


def _may_be_deep(text: str) -> bool:
    """Tell whether the text might nest so deeply that a parser without a guard overflows the stack."""
    depth = deepest = 0
    for mark in NESTING.findall(text):
        if len(mark) > 1 or mark in " -?:":
            deepest = max(deepest, len(mark))
        else:
            depth = max(0, depth + (1 if mark in "[{" else -1))
            deepest = max(deepest, depth)
    return deepest > DEEPEST


def hint(text: str, line: int) -> str:
    """Return what is often wrong on a line that is not YAML; "" when it is not that."""
    lines = text.splitlines()
    if 0 < line <= len(lines) and lines[line - 1][
        : len(lines[line - 1]) - len(lines[line - 1].lstrip())
    ].count("\t"):
        return say("；缩进请用空格，不要用制表符", "; indent with spaces, not with tabs")
    return ""
