"""Our driver reads a meter that others wrote, their client reads our played meter: DL/T 645-2007 both ways."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from field import field
from field import settings as line_settings
from meters import WAYS, meter, read

from drivers.dlt645 import query
from drivers.errors import Refused
from drivers.registry import make_device, make_line
from gateway.config.profiles import load_profile

if TYPE_CHECKING:
    from pathlib import Path

    from drivers.line.settings import LineSettings
    from drivers.profile import Profile

pytestmark = pytest.mark.system

ADDRESS = "202600000161"
HELD: dict[str, Any] = {
    "02010100": 230.1, "02010200": 229.4, "02010300": 231.8,
    "02020100": 1.234, "02020200": 45.678, "02020300": 0.009,
    "02030000": 2.3456, "02030100": 0.2345, "02030200": 1.2, "02030300": 0.9111,
    "02040000": 0.4321, "02060000": 0.953, "02800002": 50.01, "02800007": 31.4,
    "00010000": 123456.78, "00020000": 0.26, "04000503": "0010",
}  # fmt: skip


ONE = load_profile("meter/dlt645-1p")
THREE = load_profile("meter/dlt645-3p")
AS_ONE = {
    "voltage": 230.1, "current": 1.234, "power": pytest.approx(2345.6), "power_factor": 0.953,
    "frequency": 50.01, "energy": 123456.78, "temperature": 31.4, "relay": "open",
}  # fmt: skip


async def ask(
    line: LineSettings, profile: Profile, address: str
) -> tuple[dict[str, Any], dict[str, Any], int]:
    """Read everything twice; return values, reasons, and how many requests it took."""
    ours = make_line(line)
    await ours.open()
    device = make_device("m", profile, address, ours)
    values, bad = await device.read(profile.reported)
    assert (values, bad) == await device.read(profile.reported), "and the same again"
    sent = ours.stats.requests
    assert ours.stats.timeouts == ours.stats.crc_errors == 0
    await ours.close()
    return values, bad, sent


@pytest.mark.parametrize("way", WAYS)
async def test_our_driver_reads_what_their_meter_holds(way: str, tmp_path: Path) -> None:
    with meter(way, ADDRESS, HELD, tmp_path) as line:
        assert await ask(line, ONE, ADDRESS) == (AS_ONE, {}, 2 * 8)
        assert await ask(line, ONE, "A" * 12) == (AS_ONE, {}, 2 * 8)
        values, bad, sent = await ask(line, THREE, ADDRESS)
        assert bad == {}
        assert values["voltage_c"] == 231.8
        assert values["current_b"] == 45.678
        assert values["power_a"] == 234.5
        assert sent == 2 * 16 + 3, "it knows no blocks: three were tried, once"
        ours = make_line(line)
        await ours.open()
        with pytest.raises(Refused, match="there is no such data") as told:
            await ours.exchange(query.read(ADDRESS, 0x0001FF00))
        assert told.value.code == 2
        await ours.close()


@pytest.mark.parametrize("way", WAYS)
async def test_their_client_reads_our_played_meter(way: str, tmp_path: Path) -> None:
    line = line_settings(way, "dlt645", tmp_path, parity="even")
    points = {"02010100": "voltage", "02020100": "current", "02030000": "power", "02060000": "power_factor"}
    points |= {"02800002": "frequency", "00010000": "energy", "02800007": "temperature"}
    async with field(line, {"m": ("meter/dlt645-1p", ADDRESS)}) as site:
        held = {"voltage": 228.4, "current": 12.345, "power": -1500.0, "power_factor": 0.95}
        held |= {"frequency": 49.98, "energy": 4000.13, "temperature": 28.1}
        for point, value in held.items():
            await site.simulation.set("m", point, value)
        await site.simulation.set("m", "relay", "open")
        await site.line.close()  # a pty has one reader
        where = str(tmp_path / "port") if way == "pty" else str(line.tcp).split(":")[1]
        told = await asyncio.to_thread(read, where, ADDRESS, [*points, "04000503", "0001FF00"])
    for di, point in points.items():
        scale = 1000 if point == "power" else 1
        assert told[di] * scale == pytest.approx(held[point]), point
    assert told["04000503"] == "0010"
    assert told["address"] == ADDRESS
