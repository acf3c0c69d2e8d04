"""The tutorial in drivers/README.md does what it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from captured import replay
from ruamel.yaml import YAML

from drivers.modbus.plan import Cost, plan
from drivers.simulator.persona import parse_dramas, parse_persona
from drivers.simulator.player import Player
from gateway.config.profiles import load_profile_file

if TYPE_CHECKING:
    import pytest

from gateway.cli import main

README = (Path(__file__).parents[2] / "drivers" / "README.md").read_text(encoding="utf-8")


def block(word: str) -> str:
    found = re.search(rf"^```yaml {word}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    assert found is not None
    return found[1]


def written(tmp_path: Path) -> Path:
    file = tmp_path / "profiles" / "water_level" / "lp-5.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(block("profile"), encoding="utf-8")
    return file


def test_the_example_loads_and_its_capture_decodes(tmp_path: Path) -> None:
    profile = load_profile_file(written(tmp_path))
    assert replay(profile, YAML(typ="safe").load(block("capture"))) == set(profile.reported)


def test_the_commands_of_the_tutorial_work(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path)
    assert main(["profiles", "check", str(file)]) == 0
    assert main(["profiles", "show", "water_level/lp-5", "--site-folder", str(tmp_path)]) == 0
    assert "quality" not in capsys.readouterr().err


def test_the_hole_is_read_along_and_the_probe_can_be_played(tmp_path: Path) -> None:
    profile = load_profile_file(written(tmp_path))
    assert [
        (b.start, b.count) for b in plan(profile.points, Cost(11 / 9600, 0.004, 0.03), profile.limits)
    ] == [(0, 6)]
    player = Player(parse_persona(profile.persona), parse_dramas(profile.dramas), "lp")
    assert set(player.values(10.0)) == set(profile.points)


def test_every_key_of_a_point_is_explained() -> None:
    from dataclasses import fields  # noqa: PLC0415  only here

    from drivers.profile import Point  # noqa: PLC0415

    missing = [f.name for f in fields(Point) if f"`{f.name}" not in README and f.name not in {"name", "note"}]
    assert missing == []
