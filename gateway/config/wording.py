"""What pydantic says against a value, in the operator's words: what is wrong, and what would be right."""

# ruff: noqa: ANN401 - YAML holds values of any type

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.config.report import describe, missing, must_be, near, unknown_key
from gateway.language import say

if TYPE_CHECKING:
    from collections.abc import Callable


def in_words(item: Any, known: list[str]) -> str:
    """Say what is wrong with an item of `ValidationError.errors`; `known`: the keys that there are."""
    kind, value = item["type"], item.get("input")
    if kind == "extra_forbidden":
        return unknown_key(item["loc"][-1], known)
    if kind in WORDS:
        return WORDS[kind](value, item.get("ctx", {}))
    en = f"{item['msg'][:1].lower()}{item['msg'][1:]}, not {describe(value)}"
    if kind in CHINESE:
        return say(f"必须是{CHINESE[kind].format_map(item.get('ctx', {}))}，现在是 {describe(value)}", en)
    return say(f"值不对，现在是 {describe(value)}（{item['msg']}）", en)


def _say_own(_value: object, context: dict[str, Any]) -> str:
    return f"{context['what']}{near(context['word'], context['known']) if 'known' in context else ''}"


def _say_text(value: object, _context: dict[str, Any]) -> str:
    quotable = isinstance(value, int | float) and not isinstance(value, bool)
    hint = say(f'；请加引号："{value}"', f'; put it in quotes: "{value}"') if quotable else ""
    return must_be("文字", "a text", value) + hint


def _say_bool(value: object, _context: dict[str, Any]) -> str:
    return must_be(" true 或 false", "true or false", value)


def _say_options(value: object, context: dict[str, Any]) -> str:
    expected = str(context["expected"]).replace("'", "").replace(" or ", ", ")
    options = [word.strip() for word in expected.split(", ")]
    right = must_be(f" {'、'.join(options)} 之一", f"one of {', '.join(options)}", value)
    return right + near(value, options)


def _say_block(value: object, _context: dict[str, Any]) -> str:
    return must_be("一组键", "a block of keys", value)


def _say_list(value: object, _context: dict[str, Any]) -> str:
    return must_be("一个列表", "a list", value)


def _say_least(value: object, context: dict[str, Any]) -> str:
    return must_be(f"不小于 {context['ge']} 的数", f"at least {context['ge']}", value)


def _say_most(value: object, context: dict[str, Any]) -> str:
    return must_be(f"不大于 {context['le']} 的数", f"at most {context['le']}", value)


WORDS: dict[str, Callable[[object, dict[str, Any]], str]] = {
    "tocsin": _say_own,
    "missing": lambda _value, _context: missing(),
    "string_type": _say_text,
    "bool_type": _say_bool,
    "literal_error": _say_options,
    "enum": _say_options,
    "model_type": _say_block,
    "model_attributes_type": _say_block,
    "dict_type": _say_block,
    "mapping_type": _say_block,
    "tuple_type": _say_list,
    "list_type": _say_list,
    "greater_than_equal": _say_least,
    "less_than_equal": _say_most,
    "value_error": lambda _value, context: str(context["error"]),
}
CHINESE = {
    "int_type": "整数",
    "int_from_float": "整数",
    "float_type": "数字",
    "finite_number": "有限的数字",
    "too_long": "不超过 {max_length} 项的列表",
    "too_short": "不少于 {min_length} 项的列表",
}
"""What would be right where pydantic's own English will do."""
