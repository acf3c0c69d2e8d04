"""Tocsin reads and writes what servers that others wrote hold: every function, every type in every order."""

from __future__ import annotations

import json
import random
import struct
from typing import TYPE_CHECKING, Any, Literal

import pytest
from other_words import Holder, everything, numbers
from others import NAMES, started
from pymodbus.client.mixin import ModbusClientMixin
from stack import Gateway, until, write_site

from drivers.errors import Refused
from drivers.modbus import pdu
from drivers.profile import Point, Profile, Write
from drivers.registers import Order, PointType
from drivers.registry import make_device, make_line

if TYPE_CHECKING:
    from pathlib import Path

    from drivers.line.settings import LineSettings
    from gateway.model import Value

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


ALL = everything()


def profile_of(points: dict[str, dict[str, Any]]) -> Profile:
    made = {}
    for name, what in points.items():
        typed = {"type": PointType(what["type"]), "order": Order(what.get("order", "ABCD"))}
        made[name] = Point(**(what | typed))
    return Profile(kind="meter", name={}, source="a test", points=made)


async def read_all(settings: LineSettings, holder: Holder) -> dict[str, Value]:
    line = make_line(settings)
    device = make_device("d", profile_of(holder.points), UNIT, line)
    try:
        values, bad = await device.read(tuple(holder.points))
    finally:
        await line.close()
    return values | bad


def test_the_words_that_the_peers_are_given_are_those_of_pymodbus_too() -> None:
    """Our own encoder of the tests against a second one, for what that one knows."""
    types = ModbusClientMixin.DATATYPE
    compared = 0
    ends: tuple[tuple[Order, Literal["big", "little"]], ...] = ((Order.ABCD, "big"), (Order.CDAB, "little"))
    for order, word_order in ends:
        for kind, raw, value in numbers(order):
            if kind.name in types.__members__:
                theirs = ModbusClientMixin.convert_to_registers(
                    value, types[kind.name], word_order=word_order
                )
                assert struct.pack(f">{len(theirs)}H", *theirs) == raw
                compared += 1
    assert compared == 2 * 3 * 8


@pytest.mark.parametrize("peer", NAMES)
async def test_every_type_in_every_order_is_read_as_the_server_holds_it(peer: str, tmp_path: Path) -> None:
    with started(peer, ALL.held, unit=UNIT, folder=tmp_path) as settings:
        got = await read_all(settings, ALL)
    assert {name: (got[name], ALL.points[name]) for name in got if got[name] != ALL.wanted[name]} == {}
    assert {name: type(value) for name, value in got.items()} == {n: type(v) for n, v in ALL.wanted.items()}
    assert len(got) == len(ALL.wanted) > 1000


async def test_control_a_profile_with_the_wrong_order_reads_other_values(tmp_path: Path) -> None:
    turned = {"ABCD": "CDAB", "CDAB": "BADC", "BADC": "DCBA", "DCBA": "ABCD"}
    points = {n: w | {"order": turned.get(w.get("order", ""), "ABCD")} for n, w in ALL.points.items()}
    with started("pymodbus-tcp", ALL.held, unit=UNIT, folder=tmp_path) as settings:
        got = await read_all(settings, Holder(ALL.held, points, ALL.wanted))
    assert sum(got[name] != value for name, value in ALL.wanted.items()) > len(ALL.wanted) / 3


@pytest.mark.parametrize("peer", ["libmodbus-rtu", "jsmodbus-tcp"])
def test_the_daemon_shows_every_value_of_a_device_of_others(peer: str, tmp_path: Path) -> None:
    """Profile file, site file, `tocsin run`, local API: the whole way of a value to the operator."""
    profile = {
        "kind": "meter", "name": {"zh": "全类型", "en": "every type"}, "source": "a test", "points": ALL.points
    }  # fmt: skip
    with started(peer, ALL.held, unit=UNIT, folder=tmp_path) as line:
        where = f"serial: {line.serial}, baud: 115200" if line.serial else f'tcp: "{line.tcp}"'
        site = write_site(
            tmp_path,
            {"bus": f"{{{where}, protocol: {line.protocol}, timeout: 1s}}"},
            {"every": f"{{profile: test/every, line: bus, address: {UNIT}, every: 5s}}"},
        )
        (tmp_path / "profiles" / "test" / "every.yaml").write_text(json.dumps(profile, ensure_ascii=False))
        with Gateway(site) as gateway:
            gateway.ready()
            until(lambda: len(shown(gateway)) == len(ALL.wanted), 20, "values missing")
            assert shown(gateway) == ALL.wanted
            assert gateway.end() == 0


def shown(gateway: Gateway) -> dict[str, Value]:
    points = gateway.api.get("/devices/every")["points"]
    return {name: told["value"] for name, told in points.items() if told.get("value") is not None}
