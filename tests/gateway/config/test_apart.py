"""A site read in a process of its own: the same site, the same mistakes, and nothing left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from gateway.config import ConfigError, load, load_apart

if TYPE_CHECKING:
    from pathlib import Path

SITE = """\
site: apart
gateway: gw-01
timezone: Asia/Shanghai
data: data
lines:
  plant: {tcp: "127.0.0.1:5020", protocol: modbus-tcp}
devices:
  gas-1: {profile: gas/generic, line: plant, address: 1, rules: {lel-high: {limit: 20}}}
  cover-1: {profile: manhole/witmotion, line: plant, address: 2, baseline: {tilt_x: 0, tilt_y: 0}}
mqtt: {url: "mqtts://broker.example:8883", username: gw, password: {credential: mqtt}}
"""


def test_it_is_the_site_that_this_process_would_have_read(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(SITE, "utf-8")
    assert load_apart(path)() == load(path)


def test_the_mistakes_are_the_same(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(SITE.replace("address: 1", "adress: 1").replace("mqtts", "http"), "utf-8")
    with pytest.raises(ConfigError) as here:
        load(path)
    with pytest.raises(ConfigError) as apart:
        load_apart(path)()
    assert apart.value.messages == here.value.messages
    assert len(here.value.messages) > 1


def test_a_reader_that_dies_is_not_taken_for_an_empty_site(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    (tmp_path / "pydantic.py").write_text("raise MemoryError\n", "utf-8")
    path = tmp_path / "site.yaml"
    path.write_text(SITE, "utf-8")
    with pytest.raises(RuntimeError, match="ended with status 1"):
        load_apart(path)()
    assert "MemoryError" in capfd.readouterr().err


def test_the_daemon_does_not_hold_what_checks_settings() -> None:
    text = "import sys, gateway.app, gateway.config.settings; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert not {"pydantic", "pydantic_core", "ruamel.yaml", "influxdb_client"} & set(done.stdout.split())
