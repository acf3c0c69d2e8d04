"""YAML 1.2 text to plain values that remember their lines. Knows nothing of sites.

Scalars follow the core schema of YAML 1.2: `no` and `12:30` are texts and `0777` is 777. Tags, merge keys
and a second document are refused, a key that stands twice is a mistake.
The C parser of ruamel.yaml is used where its wheel is there (15 times as fast), else its Python parser.
"""

# ruff: noqa: ANN401 - YAML holds values of any type

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError
from ruamel.yaml.resolver import BaseResolver
from ruamel.yaml.tag import Tag

if TYPE_CHECKING:
    import pathlib

    from gateway.config.report import Path, Report

PLAIN, QUOTED, COLLECTION = Tag(suffix="plain"), Tag(suffix="quoted"), Tag(suffix="collection")
TEXT_TAG = "tag:yaml.org,2002:str"
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
MOST_VALUES = 2_000_000  # an alias of an alias of an alias grows without bound


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


class Document:
    """The values of one YAML file, and the lines they stand on."""

    def __init__(self, file: str, root: Node | None, data: Any) -> None:
        self._file = file
        self._root = root
        self._heads: dict[int, dict[str, tuple[Node, Node]]] = {}  # of mappings that were looked into, by id
        self.data = data

    @property
    def file(self) -> str:
        """The name of the file as the operator wrote it."""
        return self._file

    def line(self, path: Path, *, key: bool = False) -> int:
        """Return the line (from 1) of the value at `path`, or of its key; else of the nearest parent."""
        node, line = self._root, 1
        if node is None:
            return line
        for depth, step in enumerate(path):
            found = self._child(node, step)
            if found is None:
                break
            head, node = found
            last = depth == len(path) - 1
            # a block begins below its key, but people look for the key
            block = isinstance(node, (MappingNode, SequenceNode))
            line = (head if (last and key) or block else node).start_mark.line + 1
        return int(line)

    def _child(self, node: Node, step: str | int) -> tuple[Node, Node] | None:
        """Return the head and the value of an entry; a sequence has no heads."""
        if isinstance(node, MappingNode):
            heads = self._heads.get(id(node))
            if heads is None:  # of a key that stands twice the first one counts
                pairs = [
                    (str(_scalar(head)), (head, value))
                    for head, value in reversed(node.value)
                    if isinstance(head, ScalarNode)
                ]
                heads = self._heads[id(node)] = dict(pairs)
            return heads.get(str(step))
        if isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
            return node.value[step], node.value[step]
        return None

    def label(self, path: Path) -> str:
        """Return the path as `lines.rs485-1.baud`; a number in brackets counts from 0."""
        text = ""
        for step in path:
            text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
        return text


def _scalar(node: ScalarNode) -> str | int | float | bool | None:
    return plain(node.value) if node.ctag is PLAIN else cast("str", node.value)


def read(path: pathlib.Path, report: Report, file: str | None = None) -> Document | None:
    """Read a YAML file; None when it cannot be read at all, and then the report says why."""
    name = file or str(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        report.at(name, 1, "", f"cannot be read: {error.strerror}")
        return None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        report.at(name, line, "", f"is not UTF-8 (byte 0x{raw[error.start]:02X}); save the file as UTF-8")
        return None
    return parse(text, name, report)


def parse(text: str, file: str, report: Report) -> Document | None:
    """Make a document of YAML text; None when it is not YAML, and then the report says where."""
    try:
        root = _compose(text)
        converted = _Converter(file, report).convert(root) if root is not None else None
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        report.at(file, line, "", f"holds a character that YAML does not allow: {error.reason}")
        return None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        context = f" {error.context}" if error.context else ""
        report.at(file, line, "", f"is not YAML{context}: {error.problem}{_hint(text, line)}")
        return None
    except (YAMLError, RecursionError) as error:
        why = "is nested too deeply" if isinstance(error, RecursionError) else f"is not YAML: {error}"
        report.at(file, 1, "", why)
        return None
    return Document(file, root, converted)


def _compose(text: str) -> Node | None:
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


def _hint(text: str, line: int) -> str:
    lines = text.splitlines()
    if 0 < line <= len(lines) and lines[line - 1][
        : len(lines[line - 1]) - len(lines[line - 1].lstrip())
    ].count("\t"):
        return "; indent with spaces, not with tabs"
    return ""


class _Converter:
    """Turns nodes into plain values; a node that an alias names again is turned once."""

    def __init__(self, file: str, report: Report) -> None:
        self._file = file
        self._report = report
        self._done: dict[int, Any] = {}
        self._sizes: dict[int, int] = {}
        self._open: set[int] = set()
        self._path: list[str | int] = []
        self._count = 0

    def convert(self, node: Node) -> Any:
        """Return the value of a node."""
        if isinstance(node, ScalarNode):
            self._count += 1
            return self._convert_scalar(node)
        key = id(node)
        if key in self._open:
            self._mistake(node, "holds itself (an alias inside its own anchor)")
            return None
        if key in self._done:
            self._count += self._sizes[key]
            if self._count > MOST_VALUES:
                raise YAMLError(f"aliases make it grow beyond {MOST_VALUES} values")
            return self._done[key]
        if node.ctag is not COLLECTION:
            self._mistake(node, f"tag {node.tag} is not used here; leave it out")
        before = self._count
        self._open.add(key)
        value = self._mapping(node) if isinstance(node, MappingNode) else self._sequence(node)
        self._open.discard(key)
        self._done[key] = value
        self._sizes[key] = self._count - before
        return value

    def _convert_scalar(self, node: ScalarNode) -> str | int | float | bool | None:
        if node.ctag is PLAIN:
            return plain(node.value)
        if node.ctag is not QUOTED and node.tag not in {TEXT_TAG, "!"}:
            self._mistake(node, f"tag {node.tag} is not used here; leave it out")
        return cast("str", node.value)

    def _sequence(self, node: Node) -> list[Any]:
        values = []
        for index, item in enumerate(node.value):
            self._path.append(index)
            values.append(self.convert(item))
            self._path.pop()
        return values

    def _mapping(self, node: Node) -> dict[Any, Any]:
        values: dict[Any, Any] = {}
        lines: dict[Any, int] = {}
        for head, item in node.value:
            if not isinstance(head, ScalarNode):
                self._mistake(head, "a key must be a word, not a list or a block")
                continue
            key = self._convert_scalar(head)
            self._path.append("" if key is None else str(key))
            if key == "<<" and head.ctag is PLAIN:
                self._mistake(head, "merge keys (<<) are not part of YAML 1.2; write the keys out")
            elif key in values:
                self._mistake(head, f"stands twice; the first is on line {lines[key]}")
            else:
                lines[key] = head.start_mark.line + 1
                values[key] = self.convert(item)
            self._path.pop()
        return values

    def _mistake(self, node: Node, what: str) -> None:
        label = Document(self._file, None, None).label(tuple(self._path))
        self._report.at(self._file, node.start_mark.line + 1, label, what)
