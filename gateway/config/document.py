"""YAML 1.2 text to plain values that remember their lines. Knows nothing of sites.

Tags, merge keys and a second document are refused, a key that stands twice is a mistake.
"""

# ruff: noqa: ANN401 - YAML holds values of any type

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from gateway.config.yamltext import COLLECTION, PLAIN, QUOTED, compose, hint, plain
from gateway.language import say

if TYPE_CHECKING:
    import pathlib

    from gateway.config.report import Path, Report

TEXT_TAG = "tag:yaml.org,2002:str"
MOST_VALUES = 2_000_000  # an alias of an alias of an alias grows without bound


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
        report.at(name, 1, "", say(f"无法读取：{error.strerror}", f"cannot be read: {error.strerror}"))
        return None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        byte = f"0x{raw[error.start]:02X}"
        zh = f"不是 UTF-8（字节 {byte}）；请把文件存为 UTF-8"
        report.at(name, line, "", say(zh, f"is not UTF-8 (byte {byte}); save the file as UTF-8"))
        return None
    return parse(text, name, report)


def parse(text: str, file: str, report: Report) -> Document | None:
    """Make a document of YAML text; None when it is not YAML, and then the report says where."""
    try:
        root = compose(text)
        converted = _Converter(file, report).convert(root) if root is not None else None
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        en = f"holds a character that YAML does not allow: {error.reason}"
        report.at(file, line, "", say(f"含有 YAML 不允许的字符：{error.reason}", en))
        return None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        zh = f"不是正确的 YAML：{error.problem}" + (f"（{error.context}）" if error.context else "")
        en = f"is not YAML{f' {error.context}' if error.context else ''}: {error.problem}"
        report.at(file, line, "", say(zh, en) + hint(text, line))
        return None
    except (YAMLError, RecursionError) as error:
        zh, en = f"不是正确的 YAML：{error}", f"is not YAML: {error}"
        if isinstance(error, RecursionError):
            zh, en = "嵌套太深", "is nested too deeply"
        report.at(file, 1, "", say(zh, en))
        return None
    return Document(file, root, converted)


def _no_tag(node: Node) -> str:
    return say(f"这里不用标签 {node.tag}；请去掉", f"tag {node.tag} is not used here; leave it out")


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
            en = "holds itself (an alias inside its own anchor)"
            self._mistake(node, say("包含了自身（锚点内部引用了自己）", en))
            return None
        if key in self._done:
            self._count += self._sizes[key]
            if self._count > MOST_VALUES:
                zh = f"别名使它超过 {MOST_VALUES} 个值"
                raise YAMLError(say(zh, f"aliases make it grow beyond {MOST_VALUES} values"))
            return self._done[key]
        if node.ctag is not COLLECTION:
            self._mistake(node, _no_tag(node))
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
            self._mistake(node, _no_tag(node))
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
                en = "a key must be a word, not a list or a block"
                self._mistake(head, say("键必须是一个词，不能是列表或一组键", en))
                continue
            key = self._convert_scalar(head)
            self._path.append("" if key is None else str(key))
            if key == "<<" and head.ctag is PLAIN:
                en = "merge keys (<<) are not part of YAML 1.2; write the keys out"
                self._mistake(head, say("YAML 1.2 没有合并键（<<）；请把各键逐一写出", en))
            elif key in values:
                en = f"stands twice; the first is on line {lines[key]}"
                self._mistake(head, say(f"重复出现；第一次在第 {lines[key]} 行", en))
            else:
                lines[key] = head.start_mark.line + 1
                values[key] = self.convert(item)
            self._path.pop()
        return values

    def _mistake(self, node: Node, what: str) -> None:
        label = Document(self._file, None, None).label(tuple(self._path))
        self._report.at(self._file, node.start_mark.line + 1, label, what)
