"""`tocsin profiles`: what people and programs see of the device library."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from wcwidth import wcswidth

from gateway.cli import main

if TYPE_CHECKING:
    from pathlib import Path


def output(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["profiles", *arguments]) == 0
    return capsys.readouterr().out


def test_the_list_has_a_line_per_model(capsys: pytest.CaptureFixture[str]) -> None:
    lines = output(capsys, "list").splitlines()
    assert lines[0].split() == ["PROFILE", "KIND", "PROTOCOL", "POINTS", "RULES", "NAME"]
    assert any(line.startswith("gas/oem-module ") for line in lines)
    only: Any = json.loads(output(capsys, "list", "--kind", "manhole", "-o", "json"))
    assert {entry["kind"] for entry in only} == {"manhole"}
    assert set(only[0]) == {"profile", "kind", "name", "protocol", "points", "rules", "source"}


def test_a_model_is_shown_with_points_rules_and_source(capsys: pytest.CaptureFixture[str]) -> None:
    text = output(capsys, "show", "electrical_fire/leakage-breaker")
    assert "input:0x0005" in text
    assert "residual-high" in text
    assert "source: " in text
    assert "the site sets in `map`: " in text
    shown: Any = json.loads(output(capsys, "show", "meter/pzem-016", "-o", "json"))
    assert shown["points"]["current"]["order"] == "CDAB"


def test_a_rule_with_several_levels_or_an_expression_is_shown_with_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = [line.split() for line in output(capsys, "show", "gas/sf6-o2").splitlines()]
    assert ["oxygen-low", "limit", "oxygen", "≤", "18,", "≤", "19.5", "1,", "2"] in [row[:9] for row in rows]
    assert ["sf6-high", "limit", "sf6", "≥", "1000", "2"] in [row[:6] for row in rows]
    text = output(capsys, "show", "lift/status")
    assert "self.occupied and not self.running and not self.door_open  " in text
    assert "10h, 8h  2, 3  " in output(capsys, "show", "charging_pile/generic")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("columns", [50, 80])
@pytest.mark.parametrize(
    "arguments", ["list", "show lift/status", "show gas/sf6-o2", "show electrical_fire/leakage-breaker-3p"]
)
def test_on_a_narrow_terminal_names_stay_whole(
    arguments: str, columns: int, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOCSIN_LANG", language)
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr("sys.stdout", terminal := Terminal())
    assert main(["profiles", *arguments.split()]) == 0
    text = terminal.getvalue()
    table = text.partition("\n\n")[2] if arguments.startswith("show") else text
    rows = [line for line in table.splitlines() if "  " in line]
    assert len(rows) > 5
    assert all(wcswidth(line) <= columns for line in rows)
    assert not [line for line in rows if "…" in line.split("  ")[0]]


def test_chinese_columns_stay_aligned(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOCSIN_LANG", "zh")
    lines = output(capsys, "show", "gas/oem-module").splitlines()
    rows = [line for line in lines if "holding:" in line]
    assert len({wcswidth(line[: line.index("holding:")]) for line in rows}) == 1
    assert any("可燃气体浓度" in row for row in rows)


def test_an_unknown_model_or_kind_exits_2_and_says_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profiles", "show", "gas/oem-modul"]) == 2
    assert "did you mean `gas/oem-module`" in capsys.readouterr().err
    assert main(["profiles", "list", "--kind", "volcano"]) == 2
    assert "no model of kind volcano" in capsys.readouterr().err


def test_a_broken_file_exits_2_with_every_mistake_and_its_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "gas" / "mine.yaml"
    file.parent.mkdir()
    file.write_text(
        "kind: gas\nname: {zh: 我的, en: mine}\nsource: manual\npoints:\n"
        "  lel: {register: holding:0, type: uint16, unit: LEL, name: {zh: 气, en: gas}}\n"
        "  co: {register: holding:0, type: uint16, name: {zh: 一氧化碳}}\n",
        encoding="utf-8",
    )
    assert main(["profiles", "check", str(file)]) == 2
    errors = capsys.readouterr().err
    assert f"{file}:5:" in errors
    assert "'LEL' is not a unit we know" in errors
    assert "overlaps lel" in errors
    assert f"{file}:6:" in errors
    assert main(["profiles", "check", "-o", "json", str(file)]) == 2
    told: Any = json.loads(capsys.readouterr().out)
    assert told[0]["ok"] is False
    assert len(told[0]["messages"]) == 3
