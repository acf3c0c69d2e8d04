from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from gateway.config import document
from gateway.config.report import ConfigError, Report


def parse(text: str) -> Any:
    report = Report()
    found = document.parse(text, "f", report)
    report.finish()
    assert found is not None
    return found


def refusal(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    return caught.value.messages


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("off", "off"),
        ("yes", "yes"),
        ("0777", 777),
        ("0o17", 15),
        ("0x15B38", 0x15B38),
        ("12:30", "12:30"),
        ("1e3", 1000.0),
        ("-.5", -0.5),
        ("1_000", "1_000"),
        ("2026-03-01", "2026-03-01"),
        ("'5'", "5"),
        ("!!str 5", "5"),
        ("~", None),
        ("", None),
        ("True", True),
        ("1.2.3.4", "1.2.3.4"),
        (".inf", float("inf")),
    ],
)
def test_a_scalar_means_what_yaml_1_2_says(text: str, value: object) -> None:
    found = parse(f"a: {text}").data["a"]
    assert found == value
    assert type(found) is type(value)


def test_a_declared_version_1_1_changes_nothing() -> None:
    assert parse("%YAML 1.1\n---\na: no\n").data == {"a": "no"}


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("a: 1\nb: 2\na: 3", 3, "a: stands twice; the first is on line 1"),
        ("a: 1\nb: [1\nc: 2", 3, "is not YAML"),
        ("a:\n\tb: 1", 2, "indent with spaces, not with tabs"),
        ("a: 1\nb: *x", 2, "undefined alias"),
        ("a: &x [*x]", 1, "holds itself"),
        ("a: !!int 4", 1, "leave it out"),
        ("a: 1\n<<: {b: 1}", 2, "write the keys out"),
        ("? [1]\n: 2", 1, "a key must be a word"),
        ("a: \x01", 1, "character"),
        ("--- 1\n--- 2", 2, "another document"),
    ],
)
def test_what_is_refused_is_refused_with_its_line(text: str, line: int, what: str) -> None:
    [message] = refusal(text)
    assert message.startswith(f"f:{line}: ")
    assert what in message


@pytest.mark.parametrize("text", ["[" * 5_000 + "]" * 5_000, "- " * 5_000, "{a: " * 5_000 + "}" * 5_000])
def test_bottomless_nesting_is_a_message_and_no_crash(text: str) -> None:
    [message] = refusal(text)
    assert "nested too deeply" in message


def test_aliases_of_aliases_do_not_fill_the_memory() -> None:
    text = "a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n"
    for n in range(1, 12):
        text += f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n"
    [message] = refusal(text)
    assert "grow" in message


def test_lines_are_those_of_keys_for_blocks_and_of_values_for_scalars() -> None:
    found = parse("a:\n  b:\n    c: 1\n  d: [1,\n 2]\ne:\n  5\n")
    assert found.line(("a", "b")) == 2
    assert found.line(("a", "b", "c")) == 3
    assert found.line(("a", "d", 1)) == 5
    assert found.line(("e",)) == 7
    assert found.line(("e",), key=True) == 6
    assert found.line(("a", "missing", "deep")) == 1
    assert found.label(("a", "d", 1)) == "a.d[1]"


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**9), 10**9), st.text("ab: -#'\"\n中0", max_size=8)
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.text("abc", min_size=1, max_size=3), inner, max_size=4),
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.text("abc", min_size=1, max_size=3), TREES, max_size=5))
def test_what_ruamel_writes_is_read_back_the_same_by_either_parser(tree: dict[str, Any]) -> None:
    from io import StringIO  # noqa: PLC0415 - only here

    out = StringIO()
    writer = YAML()
    writer.dump(tree, out)
    assert parse(out.getvalue()).data == tree
    deep = out.getvalue() + "\n#" + "[" * 500  # sends it to the parser that is written in Python
    assert parse(deep).data == tree
