"""Profiles of devices with many ports alike: written once, there for each; a port is a tag in telemetry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from siteyaml import SITE_WITH_PORTS

from drivers.ports import for_each, ports_of, shorten
from gateway.config import ConfigError, load
from gateway.config.profiles import load_profile, load_profile_file
from gateway.model import Quality, Sample
from gateway.recorded import samples
from gateway.telemetry import Encoder, parse

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.model import Value

BOARD = load_profile("charging_pile/dc589")


def test_points_rules_and_dramas_are_there_for_each_port() -> None:
    assert BOARD.points["power_7"].item == "port.7.power"
    assert BOARD.points["power_7"].name == {"zh": "7 号口功率", "en": "Power of port 7"}
    rule = BOARD.rules["over-power-p7"]
    assert rule["point"] == "power_7"
    assert "port 7" in rule["message"]["en"]
    assert "{place}" in rule["message"]["en"], "other placeholders stay"
    assert BOARD.persona["energy_7"]["of"] == "power_7"
    assert set(BOARD.dramas["overload-p7"]) == {"power_7"}
    assert ports_of(BOARD)["power_7"] == (7, "power")
    assert "voltage" not in ports_of(BOARD)


def test_a_device_has_as_many_ports_as_its_site_says() -> None:
    small = shorten(BOARD, 4)
    assert {port for port, _ in ports_of(small).values()} == {1, 2, 3, 4}
    assert "power_5" not in small.points
    assert "over-power-p5" not in small.rules
    assert "overload-p5" not in small.dramas


def test_a_change_to_a_rule_is_one_for_every_port_unless_a_port_has_its_own() -> None:
    changes = for_each(
        shorten(BOARD, 3),
        {"over-power": {"limit": 600}, "over-power-p2": {"limit": 650}, "hot": {"level": 1}},
    )
    assert {name: change.get("limit") for name, change in changes.items()} == {
        "over-power-p1": 600,
        "over-power-p2": 650,
        "over-power-p3": 600,
        "hot": None,
    }


def test_a_site_uses_them(tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(SITE_WITH_PORTS, "utf-8")
    device = load(file).devices["pile"]
    limits = {rule.name: rule.limit for rule in device.rules if rule.name.startswith("over-power")}  # type: ignore[attr-defined]
    assert limits == {"over-power-p1": 600, "over-power-p2": 650}
    assert device.address == "0000000000005348"
    assert device.profile.points["power_2"].range == (0, 900), "map reaches a single port"


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("ports: 2", "ports: 30", "the profile knows 1 to 20 ports, not 30"),
        ("over-power-p2:", "over-power-p9:", "over-power-p9"),
        ('"5348"', "red", "16 digits"),
    ],
)
def test_what_is_wrong_with_ports_is_said(tmp_path: Path, old: str, new: str, what: str) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(SITE_WITH_PORTS.replace(old, new), "utf-8")
    with pytest.raises(ConfigError, match=what):
        load(file)


def test_a_mistake_in_a_port_is_said_once_where_it_stands(tmp_path: Path) -> None:
    file = tmp_path / "box.yaml"
    file.write_text(
        "kind: charging_pile\nname: {zh: 盒, en: Box}\nsource: tests\nprotocol: dc589\npoints:\n"
        "  signal: {item: signal, name: {zh: 信号, en: Signal}}\nports:\n  count: 3\n  points:\n"
        '    power: {item: "port.{port}.colour", name: {zh: 功率, en: Power}}\n',
        "utf-8",
    )
    with pytest.raises(ConfigError) as error:
        load_profile_file(file)
    assert str(error.value).count("colour") == 3  # each port has its own item ...
    assert "box.yaml:10: ports.points.power.item" in str(error.value)  # ... on one line


def test_a_port_is_a_tag_in_telemetry_and_comes_back_as_a_point() -> None:
    encoder = Encoder("charging_pile", "pile-3", ports_of(shorten(BOARD, 3)))
    values: dict[str, Value] = {"voltage": 229.0, "power_1": 0.0, "state_3": "charging", "power_3": 180.5}
    text = encoder.encode(Sample("pile-3", 5_000, 0.0, values, {"power_2": Quality.OVER_RANGE}))
    assert text.split("\n") == [
        "charging_pile,device=pile-3 voltage=229.0,q=0i 5000",
        "charging_pile,device=pile-3,port=1 power=0.0,q=0i 5000",
        f"charging_pile,device=pile-3,port=2 q={Quality.OVER_RANGE.code}i 5000",
        'charging_pile,device=pile-3,port=3 state="charging",power=180.5,q=0i 5000',
    ]
    assert parse(text.split("\n")[3]).points == {"state_3": "charging", "power_3": 180.5}
    (back,) = samples(text.split("\n"), [("power_1", "power_2")], 0, [])
    assert (back.values, dict(back.bad)) == (values, {"power_2": Quality.OVER_RANGE})


def test_a_device_without_ports_is_one_line() -> None:
    assert (
        Encoder("gas", "g-1").encode(Sample("g-1", 5, 0.0, {"lel": 1.5})) == "gas,device=g-1 lel=1.5,q=0i 5"
    )
