"""The verb `simulate` as a process: what it says, what it takes, what it refuses."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from playing import free_port
from pymodbus.client import ModbusTcpClient

from gateway.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SITE = """\
site: trial
gateway: gw-01
name: {{zh: 试验, en: Trial}}
timezone: Asia/Shanghai
data: {folder}/data
demo: true
lines:
  rs485-1: {{serial: {folder}/port, baud: 9600, protocol: modbus-rtu}}
  plant: {{tcp: "127.0.0.1:{port}", protocol: modbus-tcp}}
devices:
  gas-1: {{profile: gas/generic, line: rs485-1, address: 17}}
  pile-1: {{profile: charging_pile/generic, line: plant, address: 1}}
"""


@pytest.fixture
def site(tmp_path: Path) -> tuple[Path, int]:
    port = free_port()
    path = tmp_path / "site.yaml"
    path.write_text(SITE.format(folder=tmp_path, port=port), "utf-8")
    return path, port


class Played:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def order(self, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(text + "\n")
        self._process.stdin.flush()

    def next(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line: dict[str, Any] = json.loads(self._process.stdout.readline())
        return line


@contextmanager
def simulate(path: Path, *options: str) -> Iterator[Played]:
    command = [sys.executable, "-m", "gateway.cli", "simulate", "-c", str(path), *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        played = Played(process)
        assert played.next()["event"] == "ready"
        try:
            yield played
        finally:
            process.send_signal(signal.SIGTERM)
            last = [json.loads(line) for line in process.stdout or ()]
            assert process.wait(10) == 0
            assert last[-1]["event"] == "report"


def test_orders_are_done_and_told_and_counted(site: tuple[Path, int], tmp_path: Path) -> None:
    path, port = site
    report = tmp_path / "report.json"
    with simulate(path, "--report", str(report)) as played, ModbusTcpClient("127.0.0.1", port=port) as client:
        assert not client.read_holding_registers(0, count=1, device_id=1).isError()
        played.order("drama gas-1 leak")
        assert played.next().items() >= {"event": "start", "device": "gas-1", "drama": "leak"}.items()
        played.order("fault pile-1 exception 300ms code=6")
        assert played.next().items() >= {"event": "start", "device": "pile-1", "fault": "exception"}.items()
        assert client.read_holding_registers(0, count=1, device_id=1).exception_code == 6
        assert played.next().items() >= {"event": "end", "device": "pile-1", "fault": "exception"}.items()
        played.order("set pile-1 voltage 250")
        assert played.next()["value"] == 250
        played.order("fault pile-1 sleepy")
        assert played.next()["event"] == "refused"
        assert (tmp_path / "port").is_symlink()
    counts = json.loads(report.read_text())
    assert counts["devices"]["pile-1"] == {"requests": 2, "answers": 2, "exceptions": 1, "writes": 0}
    assert not (tmp_path / "port").is_symlink()


def test_a_script_runs_at_the_speed_asked_for(site: tuple[Path, int], tmp_path: Path) -> None:
    script = tmp_path / "script.yaml"
    script.write_text(
        "- {at: 100s, device: gas-1, drama: leak}\n- {at: 150s, line: rs485-1, fault: unplug, for: 50s}\n"
    )
    with simulate(site[0], "--script", str(script), "--speed", "200") as played:
        told = [played.next() for _ in range(3)]
    assert [(e["t"], e["event"]) for e in told] == [
        (100, "start"),
        (150, "start"),
        (pytest.approx(200, abs=60), "end"),
    ]


def test_every_mistake_in_a_script_is_told_with_its_line(
    site: tuple[Path, int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "script.yaml"
    script.write_text(
        "- {at: 10s, device: gas-1, drama: leak}\n- {at: 10s, device: gas-1, fault: tired}\n- song\n"
    )
    assert main(["simulate", "-c", str(site[0]), "--script", str(script)]) == 2
    told = capsys.readouterr().err
    assert f"{script}:2:" in told
    assert f"{script}:3:" in told
    assert f"{script}:1:" not in told


def test_a_script_with_a_device_of_another_site_is_refused(
    site: tuple[Path, int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "script.yaml"
    script.write_text("- {at: 10s, device: gas-9, drama: leak}\n")
    assert main(["simulate", "-c", str(site[0]), "--script", str(script)]) == 2
    assert "gas-9" in capsys.readouterr().err
