"""Turns plain values into dataclasses, and what pydantic says against them into messages with their places.

Dataclasses of other rooms know nothing of pydantic: `shape` mirrors each as a pydantic model that forbids
unknown keys, takes durations where seconds are meant, and makes the dataclass when all is well.
"""

# ruff: noqa: ANN401 - YAML holds values of any type, and annotations are values here

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Annotated, Any, Generic, Optional, TypeVar, Union

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    TypeAdapter,
    ValidationError,
    create_model,
)

from gateway.config import fields
from gateway.config.wording import in_words

if typing.TYPE_CHECKING:
    from gateway.config.report import Path, Place, Report

T = TypeVar("T")
SECONDS_FIELDS = frozenset(
    {
        "every",
        "alarm_every",
        "min_interval",
        "timeout",
        "quarantine",
        "gap",
        "window",
        "floor",
        "after",
        "per",
        "slack",
        "during",
        "within",
        "blind",
    }
)
YAML_NAMES = {"alarm_class": "class", "condition": "if"}  # words that Python keeps for itself
UNIONS = (Union, types.UnionType)
CONTAINERS: dict[Any, Any] = {dict: dict, Mapping: dict, list: list, tuple: tuple}
SIMPLE: dict[Any, Any] = {float: fields.Number, int: fields.Whole, bool: StrictBool}
KINDS_OF_VALUES = {name: kind for name, kind in vars(fields).items() if typing.get_origin(kind) is Annotated}
NAMESPACE = {
    "Mapping": Mapping, "Sequence": Sequence, "Iterable": Iterable, "Callable": Callable, "Any": Any,
    "Crs": fields.Crs, **KINDS_OF_VALUES,
}  # fmt: skip
CONFIG = ConfigDict(
    extra="forbid",
    frozen=True,
    allow_inf_nan=False,
    populate_by_name=False,
    protected_namespaces=(),
    arbitrary_types_allowed=True,
)


def is_seconds(field: str) -> bool:
    """Tell whether a number of that name is a time: in YAML it may then be `2s`."""
    return field in SECONDS_FIELDS or field.endswith(("_delay", "_after", "_window", "_every", "_for"))


@cache
def mirror(cls: type) -> type[BaseModel]:
    """Return a pydantic model with the fields of a dataclass."""
    hints = typing.get_type_hints(cls, localns=NAMESPACE, include_extras=True)
    members: dict[str, Any] = {}
    for item in dataclasses.fields(cls):
        if item.name == "name" and _is_named(cls):
            continue  # the name is the key of the block, not inside it
        if not _in_yaml(item):
            continue
        annotation = _adapt(hints[item.name], item.name)
        alias = YAML_NAMES.get(item.name, item.name)
        if item.default is not dataclasses.MISSING:
            default = Field(default=item.default, alias=alias)
        elif item.default_factory is not dataclasses.MISSING:
            default = Field(default_factory=item.default_factory, alias=alias)
        else:
            default = Field(alias=alias)
        members[_python_name(item.name)] = (annotation, default)
    return create_model(cls.__name__, __config__=CONFIG, __doc__=cls.__doc__, **members)


def _is_named(cls: type) -> bool:
    """Tell whether the `name` of a dataclass is the identifier that its key in the file gives it."""
    return any(base.__name__ in {"Rule", "LineSettings"} for base in cls.__mro__)


def _in_yaml(item: dataclasses.Field[Any]) -> bool:
    """Tell whether people write the field; some are found out later, when a rule is bound to its site."""
    return bool(item.metadata.get("yaml", True))


def _python_name(name: str) -> str:
    return f"{name}_" if hasattr(BaseModel, name) else name  # a field may be called `copy` or `json`


def _build(cls: type[T], **more: Any) -> Callable[[BaseModel], T]:
    named = _is_named(cls)
    names = [
        (item.name, _python_name(item.name))
        for item in dataclasses.fields(cls)  # type: ignore[arg-type]  # T is a dataclass
        if item.name not in more and not (named and item.name == "name") and _in_yaml(item)
    ]

    def build(model: BaseModel) -> T:
        values = model.__dict__
        return cls(**{name: values[held] for name, held in names}, **more)

    return build


def _adapt(annotation: Any, field: str) -> Any:
    """Rewrite an annotation: nested dataclasses become mirrors, numbers strict, times durations."""
    if isinstance(annotation, type) and dataclasses.is_dataclass(annotation):
        return Annotated[mirror(annotation), AfterValidator(_build(annotation))]
    if annotation is float and is_seconds(field):
        return fields.Seconds
    if annotation in SIMPLE:
        return SIMPLE[annotation]
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in UNIONS:
        return _adapt_union(arguments, field)
    if origin not in CONTAINERS:
        return annotation
    adapted = tuple(a if a is Ellipsis else _adapt(a, field) for a in arguments)
    return CONTAINERS[origin][adapted]


def _adapt_union(arguments: tuple[Any, ...], field: str) -> Any:
    """Adapt `X | None`. Of `float | str` pydantic takes the one that fits without conversion: left alone."""
    others = [a for a in arguments if a is not type(None)]
    if len(others) > 1 or len(others) == len(arguments):
        blocks = tuple(_adapt(a, field) if dataclasses.is_dataclass(a) else a for a in arguments)
        return Union[blocks]  # noqa: UP007 - made at run time
    return Optional[_adapt(others[0], field)]  # noqa: UP045 - X | None wants a type on its left


class Shape(Generic[T]):
    """The form that one block of a settings file must have."""

    def __init__(self, cls: type[T]) -> None:
        kind: type = cls
        self._build = _build(cls)
        self._cls = cls
        self._adapter: TypeAdapter[BaseModel] = TypeAdapter(mirror(kind))
        self._schema: dict[str, Any] | None = None

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the block."""
        if self._schema is None:
            self._schema = self._adapter.json_schema(by_alias=True)
        return self._schema

    def read(
        self,
        data: Any,
        place: Place,
        path: Path,
        report: Report,
        *,
        context: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> T | None:
        """Return the dataclass, or None when the report got mistakes. `more`: fields not in the data."""
        build = _build(self._cls, **more) if more else self._build
        try:
            model = self._adapter.validate_python(data, context=dict(context or {}))
            return build(model)
        except ValidationError as error:
            _report(error, data, place, path, report, self.schema())
        except ValueError as error:  # what the dataclass itself refuses
            report.add(place, path, str(error))
        return None

    def salvage(
        self, data: Any, place: Place, path: Path, report: Report, fill: Mapping[str, Any]
    ) -> tuple[T | None, frozenset[str]]:
        """Like `read`, but make the dataclass of what is right: `fill` stands in for what must be given.

        Returns it with the keys that are broken or missing: nothing more need be said about these.
        """
        try:
            return self._build(self._adapter.validate_python(data, context={})), frozenset()
        except ValidationError as error:
            _report(error, data, place, path, report, self.schema())
            broken = frozenset(str(item["loc"][0]) for item in error.errors() if item["loc"])
        if not isinstance(data, dict):
            return None, broken
        kept = {key: value for key, value in data.items() if str(key) not in broken}
        try:
            return self._build(self._adapter.validate_python({**fill, **kept}, context={})), broken
        except ValidationError:
            return None, broken


def _report(
    error: ValidationError, data: Any, place: Place, path: Path, report: Report, schema: dict[str, Any]
) -> None:
    seen: set[Path] = set()
    for item in error.errors(include_url=False):
        kind, loc = item["type"], item["loc"]
        inside = _inside(data, loc)
        key = kind == "extra_forbidden" or (bool(loc) and loc[-1] == "[key]")
        if "at" in item.get("ctx", {}):  # a validator that looked inside a small block
            inside, key = (*inside, str(item["ctx"]["at"])), True
        if kind == "missing":
            inside = (*inside, str(loc[-1]))
        if inside in seen:  # a value may fail every member of a union; once is enough
            continue
        seen.add(inside)
        what = in_words(item, known_keys(schema, inside[:-1]) if kind == "extra_forbidden" else [])
        report.add(place, (*path, *inside), what, key=key)


def _inside(data: Any, loc: tuple[int | str, ...]) -> Path:
    """Return the part of `loc` that leads through the data; pydantic adds steps for unions and keys."""
    path: list[str | int] = []
    for step in loc:
        children = dict(enumerate(data)) if isinstance(data, list) else data
        if isinstance(children, Mapping) and step in children:
            data = children[step]
            path.append(step)
    return tuple(path)


def known_keys(schema: dict[str, Any], path: Path) -> list[str]:
    """Return the keys that a JSON Schema allows at `path`."""
    definitions = schema.get("$defs", {})
    nodes = [schema]
    for step in path:
        nodes = [child for node in _expand(nodes, definitions) for child in _step(node, step)]
    return [key for node in _expand(nodes, definitions) for key in node.get("properties", {})]


def _expand(nodes: list[dict[str, Any]], definitions: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    todo = list(nodes)
    while todo:
        node = todo.pop(0)
        if "$ref" in node:
            todo.append(definitions.get(node["$ref"].rsplit("/", 1)[-1], {}))
        for word in ("anyOf", "oneOf", "allOf"):
            todo.extend(node.get(word, []))
        found.append(node)
    return found


def _step(node: dict[str, Any], step: str | int) -> list[dict[str, Any]]:
    children = [node.get("properties", {}).get(step), node.get("additionalProperties"), node.get("items")]
    return [child for child in children if isinstance(child, dict)]
