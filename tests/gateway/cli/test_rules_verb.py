"""`tocsin rules`: every rule case of the house, the exit codes, and the list."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from gateway.cli import main
from gateway.config import profile_names
from rules.conditions import KINDS

ROOT = Path(__file__).parents[3]
CASES = sorted((ROOT / "tests/cases/rules").glob("*.yaml"))
README = ROOT / "rules/README.md"
CASE = """
- name: one
  rules: {{high: {{point: p, limit: 50}}}}
  series: {{p: [10, 60]}}
  expect: [{{at: {at}, rule: {rule}, event: raise}}]
"""


@pytest.mark.parametrize("file", CASES, ids=lambda f: f.stem)
def test_the_rule_cases_of_the_house_pass(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["rules", "test", str(file)])
    assert status == 0, capsys.readouterr().out


def test_every_example_of_the_tutorial_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    examples = re.findall(r"```yaml\n(- name:.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    used = {word for text in examples for word in re.findall(r"type: ([a-z_]+)", text)} | {"limit"}
    assert used == set(KINDS), "every rule type has its example"
    assert all(f"## `{kind}`" in README.read_text(encoding="utf-8") for kind in KINDS)
    for number, text in enumerate(examples):
        file = tmp_path / f"{number}.yaml"
        file.write_text(text, encoding="utf-8")
        assert main(["rules", "test", str(file)]) == 0, capsys.readouterr().out


@pytest.mark.parametrize(
    ("at", "rule", "status"), [("1s", "high", 0), ("2s", "high", 4), ("1s", "hihg", 2), ("x", "high", 2)]
)
def test_the_exit_code_tells_passed_failed_and_wrong_file(
    tmp_path: Path, at: str, rule: str, status: int
) -> None:
    file = tmp_path / "case.yaml"
    file.write_text(CASE.format(at=at, rule=rule))
    assert main(["rules", "test", str(file)]) == status


def test_a_mistake_is_told_with_file_and_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "case.yaml"
    file.write_text(CASE.format(at="soon", rule="high"))
    main(["rules", "test", str(file)])
    assert f"{file}:5: " in capsys.readouterr().err


def test_a_failure_shows_what_was_missing_and_what_came(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "case.yaml"
    file.write_text(CASE.format(at="2s", rule="high"))
    main(["rules", "test", str(file), "-o", "json"])
    found = json.loads(capsys.readouterr().out)
    assert not found["ok"]
    assert sorted(e["sign"] for e in found["cases"][0]["events"]) == ["+", "-"]


@pytest.mark.parametrize("name", profile_names())
def test_every_profile_lists_its_rules_with_their_sources(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rules", "list", "--profile", name, "-o", "json"]) == 0
    rules = json.loads(capsys.readouterr().out)
    assert rules
    assert all(rule["source"] or rule["type"] == "unknown_code" for rule in rules)
    assert all(rule["condition"]["zh"] and rule["condition"]["en"] for rule in rules)


def test_a_profile_that_is_not_there_is_a_mistake() -> None:
    assert main(["rules", "list", "--profile", "gas/nothing"]) == 2
