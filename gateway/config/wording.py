"""What pydantic says against a value, in the operator's words: what is wrong, and what would be right."""

# ruff: noqa: ANN401 - YAML holds values of any type

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.config.report import describe, suggest

if TYPE_CHECKING:
    from collections.abc import Callable


def in_words(item: Any, known: list[str]) -> str:
    """Say what is wrong with an item of `ValidationError.errors`; `known`: the keys that there are."""
    kind, value = item["type"], item.get("input")
    if kind == "extra_forbidden":
        return f"unknown key{suggest(item['loc'][-1], known)}"
    if kind in WORDS:
        return WORDS[kind](value, item.get("ctx", {}))
    return f"{item['msg'][:1].lower()}{item['msg'][1:]}, not {describe(value)}"


def _say_own(_value: object, context: dict[str, Any]) -> str:
    hint = suggest(context["word"], context["known"]) if "known" in context else ""
    return f"{context['what']}{hint if 'did you mean' in hint else ''}"


def _say_text(value: object, _context: dict[str, Any]) -> str:
    quotable = isinstance(value, int | float) and not isinstance(value, bool)
    return f"must be a text, not {describe(value)}" + (f'; put it in quotes: "{value}"' if quotable else "")


def _say_options(value: object, context: dict[str, Any]) -> str:
    expected = str(context["expected"]).replace("'", "").replace(" or ", ", ")
    options = [word.strip() for word in expected.split(", ")]
    hint = suggest(value, options)
    near = hint if "did you mean" in hint else ""
    return f"must be one of {', '.join(options)}, not {describe(value)}{near}"


def _say_block(value: object, _context: dict[str, Any]) -> str:
    return f"must be a block of keys, not {describe(value)}"


def _say_list(value: object, _context: dict[str, Any]) -> str:
    return f"must be a list, not {describe(value)}"


WORDS: dict[str, Callable[[object, dict[str, Any]], str]] = {
    "tocsin": _say_own,
    "missing": lambda _value, _context: "is missing and must be given",
    "string_type": _say_text,
    "bool_type": lambda value, _context: f"must be true or false, not {describe(value)}",
    "literal_error": _say_options,
    "enum": _say_options,
    "model_type": _say_block,
    "model_attributes_type": _say_block,
    "dict_type": _say_block,
    "mapping_type": _say_block,
    "tuple_type": _say_list,
    "list_type": _say_list,
    "greater_than_equal": lambda value, c: f"must be at least {c['ge']}, not {describe(value)}",
    "less_than_equal": lambda value, c: f"must be at most {c['le']}, not {describe(value)}",
    "value_error": lambda _value, context: str(context["error"]),
}
