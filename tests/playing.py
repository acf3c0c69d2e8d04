"""Played lines for tests: a unit of a small profile, a simulation that is closed again."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING

from drivers.line.settings import LineSettings
from drivers.profile import Limits, Point, Profile, Write
from drivers.registers import Order, PointType
from drivers.simulator.making import make_unit
from drivers.simulator.simulation import Simulation

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from drivers.simulator.script import Entry
    from drivers.simulator.stage import Happening
    from drivers.simulator.unit import Unit

POINTS = {
    "lel": Point("holding:0", PointType.UINT16, scale=0.1, unit="%LEL", range=(0, 100)),
    "status": Point("holding:1", PointType.UINT16, enum={0: "warm_up", 1: "normal", 5: "low"}),
    "temperature": Point("holding:2", PointType.INT16, scale=0.1, unit="°C"),
    "power": Point("holding:3", PointType.FLOAT32, order=Order.CDAB, unit="W"),
    "energy": Point("holding:5", PointType.UINT32, scale=0.001, unit="kWh"),
    "limit": Point("holding:20", PointType.UINT16, scale=0.1, write=Write(0, 100)),
    "ticks": Point("input:0", PointType.UINT16),
    "label": Point("input:100", PointType.STRING, length=100),
    "relay": Point("coil:0", PointType.BOOL, write=Write()),
    "door": Point("discrete:3", PointType.BOOL),
}
PROFILE = Profile(
    kind="gas",
    name={"zh": "试验", "en": "trial"},
    source="tests",
    points=POINTS,
    limits=Limits(max_registers=110),
    persona={
        "lel": {"play": "constant", "value": 12.3},
        "status": {"play": "code", "value": "normal"},
        "temperature": {"play": "constant", "value": -7.5},
        "power": {"play": "noise", "mean": 180, "sd": 4},
        "energy": {"play": "counter", "of": "power"},
        "ticks": {"play": "counter", "per_hour": 36000},
        "label": {"play": "code", "value": "Tocsin"},
        "door": {"play": "code", "value": True},
    },
    dramas={
        "leak": {
            "lel": {"play": "step", "to": 40, "hold": "300ms"},
            "status": {"play": "code", "value": "low"},
        }
    },
)


def unit(name: str = "gas-1", address: int = 17, turnaround: float = 0.0) -> Unit:
    return make_unit(name, address, PROFILE, turnaround=turnaround)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def serial_line(path: Path, **options: object) -> LineSettings:
    return LineSettings("rs485-1", "modbus-rtu", serial=str(path), **options)  # type: ignore[arg-type]  # by name


@contextlib.asynccontextmanager
async def played(
    settings: LineSettings, units: Sequence[Unit], script: Sequence[Entry] = (), seed: int = 1
) -> AsyncIterator[tuple[Simulation, list[Happening]]]:
    told: list[Happening] = []
    simulation = Simulation({settings.name: (settings, units)}, script, told.append, seed)
    await simulation.open()
    task = asyncio.create_task(simulation.run())
    try:
        yield simulation, told
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await simulation.close()
