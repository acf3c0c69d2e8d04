"""Makes settings files for tests, and runs `tocsin check` on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.config import ConfigError, Site, load

if TYPE_CHECKING:
    from pathlib import Path

HEAD = """\
site: lvjing
gateway: gw-01
timezone: Asia/Shanghai
lines:
  bus: {serial: /dev/ttyUSB0, protocol: modbus-rtu}
  plant: {tcp: "127.0.0.1:5020", protocol: modbus-tcp}
"""  # six lines: what is added begins on line 7
DEVICE = """\
devices:
  gas-1: {profile: gas/oem-module, line: bus, address: 1}
"""
BOX = """\
kind: gas
name: {zh: 测试盒, en: Test box}
source: made for tests
limits: {max_registers: 40, min_interval: 200ms}
points:
  lel: {register: "holding:1", type: uint16, scale: 0.1, unit: "%LEL", name: {zh: 甲烷, en: methane}}
  reset: {register: "coil:3", type: bool, readable: false, write: {}, name: {zh: 复位, en: reset}}
  level: {register: "holding:9", type: uint16, confirm: [scale], name: {zh: 液位, en: level}}
rules:
  lel-high: {point: lel, limit: 25, level: 2, class: gas, on_delay: 3s}
"""


def write(folder: Path, text: str, *, name: str = "site.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def site_of(folder: Path, text: str = DEVICE) -> Site:
    return load(write(folder, HEAD + text))


def messages_of(folder: Path, text: str, *, head: str = HEAD) -> list[str]:
    """Return what is wrong, each as `line: key: what`."""
    path = write(folder, head + text)
    try:
        load(path)
    except ConfigError as error:
        return [message.removeprefix(f"{path}:").removeprefix(f"{folder}/") for message in error.messages]
    return []


def add_box(folder: Path, text: str = BOX) -> None:
    """Give the site a profile of its own, test/box."""
    (folder / "profiles" / "test").mkdir(parents=True, exist_ok=True)
    write(folder / "profiles" / "test", text, name="box.yaml")


SITE_WITH_PORTS = """\
site: lvjing
gateway: gw-01
timezone: Asia/Shanghai
lines:
  piles: {listen: "127.0.0.1:8899", protocol: dc589}
devices:
  pile:
    profile: charging_pile/dc589
    line: piles
    address: "5348"
    ports: 2
    map: {power_2: {range: [0, 900]}}
    rules: {over-power: {limit: 600}, over-power-p2: {limit: 650}}
"""
