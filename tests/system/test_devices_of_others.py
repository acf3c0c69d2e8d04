"""Tocsin reads and writes what servers that others wrote hold: every function, value for value."""

from __future__ import annotations

import random
import struct
from typing import TYPE_CHECKING

import pytest
from others import NAMES, started

from drivers.errors import Refused
from drivers.modbus import pdu
from drivers.profile import Point, Profile, Write
from drivers.registers import PointType
from drivers.registry import make_device, make_line

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.system

UNIT = 17
CHANCE = random.Random(7)
WORDS = {n: CHANCE.randrange(0x10000) for n in range(300)}
OTHER_WORDS = {n: CHANCE.randrange(0x10000) for n in range(300)}
BITS = {n: CHANCE.randrange(2) for n in range(300)}
OTHER_BITS = {n: CHANCE.randrange(2) for n in range(300)}
HELD = {"holding": WORDS, "input": OTHER_WORDS, "coil": BITS, "discrete": OTHER_BITS}


@pytest.mark.parametrize("peer", NAMES)
async def test_every_read_gives_what_the_server_holds(peer: str, tmp_path: Path) -> None:
    with started(peer, HELD, unit=UNIT, folder=tmp_path) as settings:
        line = make_line(settings)
        for function, held in ((3, WORDS), (4, OTHER_WORDS)):
            for start, count in ((0, 1), (1, 2), (7, 10), (100, 125), (299, 1)):
                got = pdu.registers(await line.exchange(pdu.read(UNIT, function, start, count)))
                assert list(got) == [held[start + n] for n in range(count)]
        for function, held in ((1, BITS), (2, OTHER_BITS)):
            for start, count in ((0, 1), (3, 8), (5, 9), (11, 200)):
                got = pdu.bits(await line.exchange(pdu.read(UNIT, function, start, count)), count)
                assert list(got) == [bool(held[start + n]) for n in range(count)]
        assert line.stats.replies == line.stats.requests == 18
        await line.close()


@pytest.mark.parametrize("peer", NAMES)
async def test_every_write_is_held_afterwards(peer: str, tmp_path: Path) -> None:
    with started(peer, HELD, unit=UNIT, folder=tmp_path) as settings:
        line = make_line(settings)
        await line.exchange(pdu.write_register(UNIT, 5, 0xBEEF))
        await line.exchange(pdu.write_registers(UNIT, 20, [1, 2, 0xFFFF]))
        await line.exchange(pdu.write_coil(UNIT, 9, on=not BITS[9]))
        await line.exchange(pdu.write_coils(UNIT, 30, [not BITS[30 + n] for n in range(11)]))
        assert pdu.registers(await line.exchange(pdu.read(UNIT, 3, 5, 1))) == (0xBEEF,)
        assert pdu.registers(await line.exchange(pdu.read(UNIT, 3, 19, 5))) == (
            WORDS[19],
            1,
            2,
            0xFFFF,
            WORDS[23],
        )
        assert pdu.bits(await line.exchange(pdu.read(UNIT, 1, 9, 1)), 1) == (not BITS[9],)
        turned = pdu.bits(await line.exchange(pdu.read(UNIT, 1, 29, 13)), 13)
        assert turned == (bool(BITS[29]), *(not BITS[30 + n] for n in range(11)), bool(BITS[41]))
        await line.close()


@pytest.mark.parametrize("peer", [name for name in NAMES if name != "jsmodbus-tcp"])  # that one gives no data
async def test_an_address_the_server_does_not_have_is_refused(peer: str, tmp_path: Path) -> None:
    with started(peer, HELD, unit=UNIT, folder=tmp_path) as settings:
        line = make_line(settings)
        with pytest.raises(Refused) as told:
            await line.exchange(pdu.read(UNIT, 3, 5000, 2))
        assert told.value.code == 2
        await line.close()


@pytest.mark.parametrize("peer", NAMES)
async def test_a_device_reads_and_writes_through_its_profile(peer: str, tmp_path: Path) -> None:
    high, low = struct.unpack(">HH", struct.pack(">f", 230.5))
    held = {"input": {10: high, 11: low}, "holding": {40: 215}, "coil": {3: 1}}
    points = {
        "voltage": Point("input:10", PointType.FLOAT32, unit="V"),
        "set": Point("holding:40", PointType.UINT16, scale=0.1, write=Write(min=5, max=35)),
        "relay": Point("coil:3", PointType.BOOL, write=Write()),
    }
    profile = Profile(kind="meter", name={}, source="a test", points=points)
    with started(peer, held, unit=UNIT, folder=tmp_path) as settings:
        line = make_line(settings)
        device = make_device("d", profile, UNIT, line)
        values, bad = await device.read(("voltage", "set", "relay"))
        assert (values, bad) == ({"voltage": 230.5, "set": 21.5, "relay": True}, {})
        assert await device.write("set", 19.5) == 19.5
        assert await device.write("relay", value=False) is False
        await line.close()
