"""What can go wrong with played meters and inclinometers, as the gateway's own driver sees it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from field import field, settings

from drivers.dlt645 import query
from drivers.dlt645.frame import Frame, encode_frame
from drivers.errors import BadAnswer, DriverError, NoAnswer, Refused
from drivers.simulator.dialect import Asked
from drivers.simulator.played import DIALECTS
from gateway.model import Quality

if TYPE_CHECKING:
    from pathlib import Path

METER = ("dlt645", "meter/dlt645-1p", "000000000161", "voltage", 100.0)
COVER = ("tilt68", "manhole/tilt68", 0, "tilt_x", 12.34)
BOTH = pytest.mark.parametrize(
    ("protocol", "profile", "address", "point", "value"), [METER, COVER], ids=["meter", "cover"]
)


async def until_read(device: Any, point: str) -> dict[str, Any]:
    async with asyncio.timeout(20):
        while True:
            try:
                values, _ = await device.read((point,))
            except DriverError:
                await asyncio.sleep(0.02)
            else:
                found: dict[str, Any] = values
                return found


@BOTH
async def test_a_silent_device_is_no_answer_until_it_is_healed(
    protocol: str, profile: str, address: Any, point: str, value: float, tmp_path: Path
) -> None:
    async with field(settings("pty", protocol, tmp_path), {"d": (profile, address)}) as site:
        await site.simulation.set("d", point, value)
        device = site.device("d", address)
        await site.simulation.fault("d", "silent")
        with pytest.raises(NoAnswer):
            await device.read((point,))
        await site.simulation.heal("d", "silent")
        assert await until_read(device, point) == {point: value}


@BOTH
async def test_noise_never_becomes_a_value(
    protocol: str, profile: str, address: Any, point: str, value: float, tmp_path: Path
) -> None:
    """One to three bits flipped in every answer; a sum of eight bits may miss two, the digits then tell."""
    async with field(settings("pty", protocol, tmp_path, quarantine=0.05), {"d": (profile, address)}) as site:
        await site.simulation.set("d", point, value)
        device = site.device("d", address)
        await site.simulation.fault("d", "noise")
        told = []
        for _ in range(12):
            try:
                told.append((await device.read((point,)))[0])
            except DriverError as error:
                told.append(error)
        right = {"voltage": value} if point == "voltage" else {point: value}
        wrong = [t for t in told if isinstance(t, dict) and t not in ({}, right)]
        assert len(wrong) <= 1, "the sum catches all but one in 256"
        assert any(isinstance(t, BadAnswer | NoAnswer) for t in told)
        await site.simulation.heal("d", "noise")
        assert await until_read(device, point) == right


@BOTH
async def test_a_late_answer_is_never_taken_for_the_next_one(
    protocol: str, profile: str, address: Any, point: str, value: float, tmp_path: Path
) -> None:
    line = settings("pty", protocol, tmp_path, timeout=0.1, quarantine=0.5)
    async with field(line, {"d": (profile, address)}) as site:
        device = site.device("d", address)
        for n in range(4):
            await site.simulation.set("d", point, value + n)
            await site.simulation.fault("d", "late", lasts=None, low=0.15, high=0.3)
            with pytest.raises(NoAnswer):
                await device.read((point,))
            await site.simulation.heal("d", "late")
            await site.simulation.set("d", point, value + n + 0.5)
            assert await until_read(device, point) == {point: value + n + 0.5}


async def test_a_meter_refuses_where_it_is_told_to_and_an_inclinometer_cannot(tmp_path: Path) -> None:
    async with field(settings("pty", "dlt645", tmp_path), {"d": ("meter/dlt645-1p", 161)}) as site:
        await site.simulation.fault("d", "exception", code=4)
        with pytest.raises(Refused, match="wrong password"):
            await site.line.exchange(query.read("000000000161", 0x02010100))
        assert (await site.device("d", 161).read(("voltage",)))[1] == {"voltage": Quality.REFUSED}
    async with field(settings("tcp", "tilt68", tmp_path), {"d": ("manhole/tilt68", 0)}) as site:
        await site.simulation.fault("d", "exception", code=4)
        assert (await site.device("d", 0).read(("tilt",)))[1] == {}


async def test_a_refused_order_is_told_and_counted(tmp_path: Path) -> None:
    async with field(settings("pty", "dlt645", tmp_path), {"d": ("meter/dlt645-1p", 161)}) as site:
        await site.simulation.fault("d", "refuse_writes", code=4)
        device = site.device("d", 161, "000000")
        with pytest.raises(Refused, match="State Grid meters take it encrypted only"):
            await device.write("relay", "open")
        await site.simulation.heal("d", "refuse_writes")
        assert await device.write("relay", "open") == "open"
        assert site.simulation.report()["devices"]["d"]["writes"] == 2


@BOTH
async def test_two_devices_with_one_address_spoil_each_others_answers(
    protocol: str, profile: str, address: Any, point: str, value: float, tmp_path: Path
) -> None:
    async with field(settings("pty", protocol, tmp_path, quarantine=0.05), {"d": (profile, address)}) as site:
        await site.simulation.set("d", point, value)
        await site.simulation.fault("d", "twin")
        told = []
        for _ in range(6):
            try:
                told.append((await site.device("d", address).read((point,)))[0])
            except DriverError as error:
                told.append(error)
        assert sum(isinstance(t, DriverError) for t in told) >= 3


@pytest.mark.parametrize("protocol", ["dlt645", "tilt68", "tilt77"])
def test_a_frame_that_is_damaged_or_of_another_protocol_is_heard_by_nobody(protocol: str) -> None:
    dialect = DIALECTS[protocol]
    assert dialect.open(bytes.fromhex("01 03 00 00 00 01 84 0A")) is None
    assert dialect.open(b"") is None
    assert dialect.nobody(Asked("000000000001", b"\x11")) is None
    assert dialect.meant(Asked("000000000001", b"\x11"), {}) in (([], True), ((), True))


async def test_a_broadcast_is_answered_by_nobody_and_the_address_by_the_meter(tmp_path: Path) -> None:
    async with field(settings("pty", "dlt645", tmp_path), {"d": ("meter/dlt645-1p", 161)}) as site:
        bus = next(iter(site.simulation.stage.buses.values()))
        broadcast = encode_frame(Frame("9" * 12, 0x08, bytes(6)), 4)
        assert bus.hear_frame(broadcast, 0.0) == []
        (said,) = bus.hear_frame(encode_frame(Frame("A" * 12, 0x13)), 0.0)
        assert said.data.hex(" ").endswith("68 93 06 94 34 33 33 33 33 5f 16")
