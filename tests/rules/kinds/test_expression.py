"""Expressions: what they mean by Kleene's logic, and what is refused with its place."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.expression import DEEPEST, LONGEST, Wrong, evaluate, names, parse

Truth = bool | None


class World:
    def __init__(self, **values: object) -> None:
        self.values = values

    def reading(self, device: str, point: str) -> object:
        return self.values.get(f"{device}_{point}")

    def alarm(self, device: str, rule: str) -> Truth:
        found = self.values.get(f"{device}_{rule.replace('-', '_')}")
        assert found is None or isinstance(found, bool)
        return found


def value(text: str, **values: object) -> Truth:
    return evaluate(parse(text), World(**values))  # type: ignore[arg-type]  # a world of made-up values


@pytest.mark.parametrize(("a", "b"), list(itertools.product([True, False, None], repeat=2)))
def test_and_or_not_are_kleene(a: Truth, b: Truth) -> None:
    both = False if a is False or b is False else None if None in {a, b} else True
    either = True if a is True or b is True else None if None in {a, b} else False
    assert value("d/a and d/b", d_a=a, d_b=b) is both
    assert value("d/a or d/b", d_a=a, d_b=b) is either
    assert value("not d/a", d_a=a) is (None if a is None else not a)
    assert value("not (d/a and d/b)", d_a=a, d_b=b) is value("not d/a or not d/b", d_a=a, d_b=b)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("d.x > 1", True),
        ("d.x >= 2", True),
        ("d.x < 2", False),
        ("2 == d.x", True),
        ("d.x != 2.0", False),
        ("d.x > -3.5", True),
        ("d.x < 1e3", True),
        ("d.mode == 'run'", True),
        ("d.mode != 'stop'", True),
        ("d.mode == 1", None),  # of another kind: nobody knows
        ("d.mode > 'a'", None),
        ("d.mode", None),
        ("d.nan > 1", None),
        ("d.nan", None),
        ("not d.nan > 1", None),  # `nan > 1` is false in Python, and "not" would make an alarm of it
        ("d.none > 1 or d.x > 1", True),
        ("d.none > 1 or d.x > 9", None),
        ("d.none > 1 and d.x > 9", False),
        ("d.on", True),
        ("d.on == true and not d.off", True),
        ("d.x > 1 and d.x > 9 or d.on", True),  # `and` binds closer
        ("d.x > 9 and (d.x > 1 or d.on)", False),
        ("d.x > d.y", True),
    ],
)
def test_what_an_expression_is_worth(text: str, found: Truth) -> None:
    assert value(text, d_x=2, d_y=1, d_mode="run", d_nan=math.nan, d_on=True, d_off=False) is found


def test_names_may_have_hyphens_dots_and_zones() -> None:
    found = [
        (n.device, n.what, n.alarm)
        for n in names(parse("gas-b1-07.lel > 1 and zone.b3/fire-vote or line.rs485-1/line-down"))
    ]
    assert found == [
        ("gas-b1-07", "lel", False),
        ("zone.b3", "fire-vote", True),
        ("line.rs485-1", "line-down", True),
    ]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "is empty"),
        ("   ", "is empty"),
        ("d.x >", "at its end: wanted"),
        ("> 1", "at character 1 ('>')"),
        ("d.x > 1 d.y", "at character 9 ('d.y'): nothing was expected"),
        ("(d.x > 1", "a closing bracket is missing"),
        ("d.x > 1)", "at character 8 (')')"),
        ("d.x = 1", "at character 5 ('= 1'): not understood"),
        ("d.x and 5", "5.0 is neither true nor false"),
        ("1 < 2", "compares two constants"),
        ("d.x + 1 > 2", "at character 5 ('+ 1 > 2')"),
        ("__import__('os').system('x')", "at character 1"),
        ("d.x.y.__class__", "not understood"),
        ("lambda: 1", "not understood"),
        ("d.x > 1e999", "too large"),
        ("not " * 50 + "d.x", f"nested deeper than {DEEPEST}"),
        ("(" * 5000, "longer than"),
        ("d.x or " * LONGEST + "d.x", "longer than"),
    ],
)
def test_what_is_no_expression_is_refused(text: str, what: str) -> None:
    with pytest.raises(Wrong) as caught:
        parse(text)
    assert what in str(caught.value)


@given(st.text(alphabet="abd.x/-_ <>=!()'0159eandortfl", max_size=60))
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    try:
        node = parse(text)
    except Wrong:
        return
    assert value(text) in {True, False, None}
    assert list(names(node)) is not None
