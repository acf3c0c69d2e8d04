"""The demo as a process: the sums, a thief, Ctrl-C, and nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway.cli import main
from gateway.demo import community

COMMAND = (sys.executable, "-m", "gateway.cli", "demo")
ENV = {**os.environ, "TOCSIN_LANG": "en"}
pytest.importorskip("iotcore", reason="the embedded broker is the extra `demo`")


def test_the_files_of_the_community_pass_the_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for target in (
        {"archive": {"path": "x"}},
        {"influx": {"url": "http://127.0.0.1:1", "api": "v1", "database": "d"}},
    ):
        site, _, _ = community.write(tmp_path, community.Ports(1883, 5020, 5021), target)
        assert main(["check", "-c", str(site)]) == 0, capsys.readouterr()
    assert len(community.ledger()) == 29


def left_behind(folder: Path) -> list[str]:
    """The processes that still know of the folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if str(folder).encode() in words:
                found.append(words.replace(b"\0", b" ").decode())
    return found


@pytest.mark.slow
def test_a_bounded_run_ends_with_0_and_the_sums(tmp_path: Path) -> None:
    done = subprocess.run([*COMMAND, "--seconds", "45", "--keep", tmp_path], env=ENV, capture_output=True, text=True, timeout=120, check=False)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "lost = 0" in done.stdout
    assert done.stdout.splitlines()[-1] == "the sums agree"
    outputs = [line for line in done.stdout.splitlines() if line.startswith("interlock ")]
    for name, target in (("cut-pile-01", "pile-01.port = off"), ("kitchen-gas", "valve-k1.valve = closed")):
        assert any(name in line and target in line and line.endswith(" proven") for line in outputs), outputs
    assert left_behind(tmp_path) == []


@pytest.mark.slow
def test_a_record_stolen_from_the_archive_is_found_out(tmp_path: Path) -> None:
    with subprocess.Popen([*COMMAND, "--seconds", "8", "--keep", tmp_path], env=ENV, stdout=subprocess.PIPE, text=True) as process:  # fmt: skip
        until = time.monotonic() + 30
        while not (written := [f for f in tmp_path.glob("archive/*.lp") if f.stat().st_size > 1000]):
            assert time.monotonic() < until
            time.sleep(0.1)
        written[0].unlink()
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 1, out
    assert "DO NOT agree" in out
    assert left_behind(tmp_path) == []


@pytest.mark.slow
def test_ctrl_c_ends_it_with_the_summary_and_leaves_nothing_running(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*COMMAND, "--keep", tmp_path], env=ENV, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert "polls" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 0, out
    assert "the sums agree" in out
    assert left_behind(tmp_path) == []
