"""The community that the demo plays: the four kinds on every sort of line, and outputs that act."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

COLUMNS = (
    "name", "profile", "line", "address", "every", "place", "building", "floor", "zone", "owner",
    "baseline.tilt_x", "baseline.tilt_y",
)  # fmt: skip

SITE = """\
# Written by `tocsin demo`. A site file like any other: try `tocsin check -c` on it.
site: lvjing
gateway: gw-01
name: {{zh: 绿景社区一号网关（演示）, en: Lvjing gateway 1 (demo)}}
timezone: Asia/Shanghai
data: {data}
demo: true

lines:
  rs485-1: {{serial: {folder}/rs485-1, baud: 9600, protocol: modbus-rtu, timeout: 300ms}}
  rs485-2: {{serial: {folder}/rs485-2, baud: 19200, protocol: modbus-rtu, timeout: 300ms}}
  plant:   {{tcp: "127.0.0.1:{plant}", protocol: modbus-tcp, timeout: 500ms}}
  meters:  {{serial: {folder}/meters, protocol: dlt645}}                    # DL/T 645, asked
  covers:  {{serial: {folder}/covers, protocol: tilt77}}                    # inclinometers, asked
  stream:  {{serial: {folder}/stream, baud: 115200, protocol: witmotion}}   # speaks by itself
  boards:  {{listen: "127.0.0.1:{boards}", protocol: dc589}}                # boards dial in
  panel:   {{serial: {folder}/panel, protocol: gst9000}}                    # a fire panel's printer

ledger: devices.csv
devices:
  pile-01:
    profile: charging_pile/switched
    line: plant
    address: 1
    place: {{text: 南区充电棚 1 号}}
    allow_writes: [port]
    rules: {{over-current: {{on_delay: 2s}}}}
  valve-k1:
    profile: contact/gas-valve
    line: plant
    address: 31
    place: {{text: 商业街燃气切断阀}}
    allow_writes: [valve]
  fan-k1:
    profile: contact/relay
    line: plant
    address: 32
    place: {{text: 商业街排风机}}
    allow_writes: [relay]
  meter-01:
    profile: meter/dlt645-1p
    line: meters
    address: "202600000001"
    place: {{text: 1号楼总表}}
    every: 15s
  meter-02:
    profile: meter/dlt645-3p
    line: meters
    address: "202600000002"
    place: {{text: 2号楼总表}}
    every: 30s
  cover-n-01:
    profile: manhole/tilt77
    line: covers
    address: 1
    place: {{text: 北门 1 号井}}
    baseline: {{tilt_x: 0, tilt_y: 0}}
  cover-n-02:
    profile: manhole/witmotion-stream
    line: stream
    address: 1
    place: {{text: 北门 2 号井}}
    baseline: {{tilt_x: 0, tilt_y: 0}}
  shed-01:
    profile: charging_pile/dc589
    line: boards
    address: "5348111111111111"
    ports: 10
    place: {{text: 北区充电棚 1 号主板}}
  shed-02:
    profile: charging_pile/dc589
    line: boards
    address: "5348111111111112"
    ports: 10
    place: {{text: 北区充电棚 2 号主板}}
  panel:
    profile: smoke/gst9000-panel
    line: panel
    address: panel
    place: {{text: 消防控制室}}
  smoke-4-12:
    profile: smoke/gst9000
    line: panel
    address: "4-12"
    place: {{text: 4号楼 12 层走廊}}

interlocks:
  cut-pile-01:
    when: [pile-01/over-current]
    order: {{device: pile-01, point: port, value: "off"}}
    hardware: the relay stays as it is
  kitchen-gas:
    when: ["kitchen-*/lel-high-high"]
    order: {{device: valve-k1, point: valve, value: closed}}
    hardware: closes without power
  kitchen-fan:
    when: ["kitchen-*/lel-high"]
    order: {{device: fan-k1, point: relay, value: "on"}}
    release: {{value: "off", after: 1m}}
    hardware: off without power

mqtt:
  url: mqtt://127.0.0.1:{broker}
  keepalive: 5s

store: {{telemetry: {{keep: 1d, max: 256MiB, group: 1s}}}}
"""

INGEST = """\
mqtt: {{url: "mqtt://127.0.0.1:{broker}"}}
{target}
"""

SCRIPT = """\
# One drama a minute, the first soon after the start, so that a short run shows some too: gas closes a valve,
# a current cuts its port.
- {at: 3s, device: kitchen-01, drama: leak}
- {at: 5s, device: pile-01, drama: overcurrent}
- {at: 8s, device: smoke-4-12, drama: fire}
- {at: 30s, device: efd-b2-03, drama: leakage}
- {every: 60s, choose: dramas}
"""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the demo's servers listen, all on 127.0.0.1."""

    broker: int
    plant: int
    boards: int
    database: int = 0


def ledger() -> list[dict[str, str]]:
    """Return the rows of the community's device ledger."""
    rows: list[dict[str, str]] = []

    def add(name: str, profile: str, line: str, address: int, every: str, place: str, building: str) -> None:
        floor, zone = ("-1", f"b{building}") if building != "0" else ("1", "road")
        row = {
            "name": name, "profile": profile, "line": line, "address": str(address), "every": every,
            "place": place, "building": building, "floor": floor, "zone": zone, "owner": "绿景物业",
        }  # fmt: skip
        if profile.startswith("manhole/"):
            row |= {"baseline.tilt_x": "0", "baseline.tilt_y": "0"}
        rows.append(row)

    for n in range(1, 9):
        add(f"gas-b1-{n:02d}", "gas/oem-module", "rs485-1", 10 + n, "1s", f"{n}号楼 B1 车库", str(n))
    for n in range(1, 4):
        add(f"cover-e-{n:02d}", "manhole/witmotion", "rs485-1", 80 + n, "2s", f"东门主路 {n} 号井", "0")
    for n in range(1, 9):
        profile = "electrical_fire/em100" if n > 5 else "electrical_fire/generic"
        add(f"efd-b2-{n:02d}", profile, "rs485-2", n, "1s", f"{n}号楼配电间", str(n))
    for n in range(1, 5):
        add(f"cover-w-{n:02d}", "manhole/witmotion", "rs485-2", 80 + n, "2s", f"西门主路 {n} 号井", "0")
    for n in range(2, 6):
        add(f"pile-{n:02d}", "charging_pile/generic", "plant", n, "1s", f"南区充电棚 {n} 号", "0")
    for n in range(1, 3):
        add(f"kitchen-{n:02d}", "gas/generic", "plant", 20 + n, "1s", f"商业街 {n} 号餐厅厨房", str(n))
    return rows


def write(folder: Path, ports: Ports, target: Mapping[str, object]) -> tuple[Path, Path, Path]:
    """Write the community's files; return the site file, the ingest file and the simulator's script."""
    site, ingest, script = folder / "site.yaml", folder / "ingest.yaml", folder / "script.yaml"
    site.write_text(
        SITE.format(
            folder=folder, data=folder / "data", broker=ports.broker, plant=ports.plant, boards=ports.boards
        ),
        "utf-8",
    )
    with (folder / "devices.csv").open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(ledger())
    settings = "\n".join(f"{key}: {json.dumps(value)}" for key, value in target.items())
    ingest.write_text(INGEST.format(broker=ports.broker, target=settings), "utf-8")
    script.write_text(SCRIPT, "utf-8")
    return site, ingest, script
