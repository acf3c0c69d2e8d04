from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from siteyaml import HEAD, site_of, write

from drivers.line.settings import LineSettings
from drivers.modbus.plan import Block, Cost
from drivers.modbus.requests import request
from drivers.registers import Table
from gateway.cli import main
from gateway.config.budget import line_budgets

ROOT = Path(__file__).parents[3]
DOMAIN_MS = {  # domain.md section 8, zero turnaround: registers -> milliseconds
    2400: {1: 100.8, 10: 183.3, 125: 1237.5},
    9600: {1: 25.2, 2: 27.5, 10: 45.8, 60: 160.4, 125: 309.4},
    19200: {1: 12.6, 10: 22.9, 125: 154.7},
    115200: {1: 4.9, 10: 6.7, 125: 28.6},
}


@pytest.mark.parametrize("baud", DOMAIN_MS)
def test_the_budget_of_a_request_is_that_of_the_table(baud: int) -> None:
    settings = LineSettings(name="l", protocol="modbus-rtu", serial="/dev/ttyS0", baud=baud, parity="even")
    for count, milliseconds in DOMAIN_MS[baud].items():
        block = Block(Table.HOLDING, 0, count, ())
        found = request(block, Cost.of_line(settings, turnaround=0.0)).seconds * 1000
        assert found == pytest.approx(milliseconds, abs=0.06)


def gas_detectors(count: int, every: str) -> str:
    rows = "".join(
        f"  g-{n}: {{profile: gas/oem-module, line: bus, address: {n}, every: {every}}}\n"
        for n in range(1, count + 1)
    )
    return f"devices:\n{rows}"


def test_32_gas_detectors_take_the_2_4_seconds_of_the_domain_page(tmp_path: Path) -> None:
    site = site_of(tmp_path, gas_detectors(32, "5s"))
    found = line_budgets(site)["bus"]
    assert found.round == pytest.approx(2.4, rel=0.06)  # 10 registers, 30 ms: 8N1 here, 11 bits there
    assert found.utilisation == pytest.approx(found.round / 5)


def check(capsys: pytest.CaptureFixture[str], path: Path) -> tuple[int, dict[str, Any]]:
    status = main(["check", "-c", str(path), "-o", "json"])
    return status, json.loads(capsys.readouterr().out)


def test_an_overfull_line_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, found = check(capsys, write(tmp_path, HEAD + gas_detectors(32, "1s")))
    assert status == 2
    assert found["ok"] is False
    assert "lines.bus" in found["messages"][0]
    assert "longer `every`" in found["messages"][0]
    status, found = check(capsys, write(tmp_path, HEAD + gas_detectors(32, "5s")))  # the control
    assert (status, found["messages"]) == (0, [])


def test_a_line_that_is_nearly_full_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, found = check(capsys, write(tmp_path, HEAD + gas_detectors(12, "1s")))
    assert status == 0
    assert any("little room is left" in note for note in found["notes"])


def test_rules_that_are_off_are_listed_with_their_reasons(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = gas_detectors(1, "1s").replace("}", ', rules: {lel-high: {off: "see cabinet 4"}}}')
    _, found = check(capsys, write(tmp_path, HEAD + text))
    assert found["rules_off"] == [{"device": "g-1", "rule": "lel-high", "reason": "see cabinet 4"}]


def test_the_example_passes_and_says_how_busy_its_lines_are(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOCSIN_LANG", "en")
    assert main(["check", "-c", str(ROOT / "config" / "site.example.yaml")]) == 0
    out = capsys.readouterr().out
    assert "lvjing/gw-01: 12 devices, 7 lines" in out
    assert "% busy; everything once takes" in out
    assert "slowest alarm scan" in out
    assert "fire-panel is listened to, nothing is asked: 2 devices, silent while all is well" in out
    assert "rule temperature-high is off: the pile has no thermometer" in out


def test_the_table_speaks_chinese(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOCSIN_LANG", "zh")
    assert main(["check", "-c", str(ROOT / "config" / "site.example.yaml")]) == 0
    assert "最慢告警扫描" in capsys.readouterr().out
