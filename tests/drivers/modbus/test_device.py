"""A Modbus device over a real RTU line whose far end plays a script."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from wire import ScriptedWire, hexed

from drivers.errors import BadAnswer, Held, NoAnswer, Refused
from drivers.line.settings import LineSettings
from drivers.profile import Derive, Formula, Limits, Point, Profile, QualityFrom, Write
from drivers.registers import PointType
from drivers.registry import make_device, make_line
from gateway.model import Quality

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from drivers.entry import Device

U16 = PointType.UINT16
NEAR = {"a": Point("holding:0", U16, scale=0.1), "b": Point("holding:1", U16, sentinel=(0xFFFF,))}
FAR = {"c": Point("input:200", PointType.INT16)}


def profile(points: dict[str, Point], **more: object) -> Profile:
    return Profile(kind="meter", name={}, source="a test", points=points, **more)  # type: ignore[arg-type]


@asynccontextmanager
async def device(script: str, what: Profile, **more: object) -> AsyncIterator[Device]:
    async with ScriptedWire(script) as wire:
        settings = {"baud": 115200, "timeout": 0.08, "quarantine": 0.05} | more
        line = make_line(LineSettings("test", "modbus-rtu", serial=wire.path, **settings))  # type: ignore[arg-type]
        yield make_device("dev", what, 17, line)
        await line.close()


def ask(function: int, start: int, count: int) -> str:
    return ">> " + hexed(17, function, start >> 8, start & 255, count >> 8, count & 255)


def tell(function: int, *words: int) -> str:
    data = [byte for word in words for byte in (word >> 8, word & 255)]
    return "<< " + hexed(17, function, len(data), *data)


def refuse(function: int, code: int) -> str:
    return "<< " + hexed(17, function | 0x80, code)


async def test_neighbours_come_with_one_request_and_in_engineering_units() -> None:
    script = f"{ask(3, 0, 2)}\n{tell(3, 235, 7)}\n{ask(3, 0, 2)}\n{tell(3, 236, 0xFFFF)}"
    async with device(script, profile(NEAR)) as dev:
        assert await dev.read(("a", "b")) == ({"a": 23.5, "b": 7}, {})
        assert await dev.read(("a", "b")) == ({"a": 23.6}, {"b": Quality.SENTINEL})


async def test_only_what_is_wanted_is_asked_for_and_told() -> None:
    points = NEAR | {"status": Point("holding:2", U16, enum={0: "ok", 1: "sick"})}
    points["a"] = Point("holding:0", U16, quality_from=QualityFrom("status", {"sick": Quality.DEVICE_FAULT}))
    script = f"{ask(3, 0, 3)}\n{tell(3, 5, 6, 1)}\n{ask(3, 1, 1)}\n{tell(3, 6)}"
    async with device(script, profile(points)) as dev:
        assert await dev.read(("a",)) == ({}, {"a": Quality.DEVICE_FAULT})
        assert await dev.read(("b",)) == ({"b": 6}, {})


async def test_computed_points_come_from_what_was_read() -> None:
    what = profile(NEAR, derive={"both": Derive(Formula.SUM, ("a", "b"))})
    async with device(f"{ask(3, 0, 2)}\n{tell(3, 10, 2)}", what) as dev:
        assert await dev.read(("both",)) == ({"both": 3.0}, {})


async def test_a_silent_device_is_asked_once_and_not_for_its_other_blocks() -> None:
    async with device(ask(3, 0, 2), profile(NEAR | FAR)) as dev:
        with pytest.raises(NoAnswer):
            await dev.read(("a", "b", "c"))
        with pytest.raises(Held):
            await dev.read(("a", "b", "c"))


async def test_a_block_that_stays_away_is_bad_and_the_rest_is_good() -> None:
    async with device(f"{ask(3, 0, 2)}\n{tell(3, 10, 2)}\n{ask(4, 200, 1)}", profile(NEAR | FAR)) as dev:
        assert await dev.read(("a", "b", "c")) == ({"a": 1.0, "b": 2}, {"c": Quality.NO_ANSWER})


async def test_a_broken_answer_is_asked_for_once_more_behind_a_fence() -> None:
    broken = tell(3, 10, 2)[:-2] + "00"
    script = f"{ask(3, 0, 2)}\n{broken}\n{ask(3, 0, 1)}\n{tell(3, 10)}\n{ask(3, 0, 2)}\n{tell(3, 10, 2)}"
    async with device(script, profile(NEAR)) as dev:
        assert await dev.read(("a", "b")) == ({"a": 1.0, "b": 2}, {})


async def test_only_noise_is_a_bad_answer() -> None:
    noise = "<< 55 aa 55 aa 55 aa 55 aa 55 aa"
    script = f"{ask(3, 0, 2)}\n{noise}\n{ask(3, 0, 1)}\n{noise}"
    async with device(script, profile(NEAR)) as dev:
        with pytest.raises(BadAnswer):
            await dev.read(("a", "b"))


async def test_an_illegal_address_splits_the_block_and_is_remembered() -> None:
    points = {n: Point(f"holding:{at}", U16) for n, at in (("a", 0), ("b", 1), ("c", 3))}
    first = [ask(3, 0, 4), refuse(3, 2), ask(3, 0, 2), tell(3, 1, 2), ask(3, 3, 1), tell(3, 3)]
    again = [ask(3, 0, 2), tell(3, 4, 5), ask(3, 3, 1), tell(3, 6)]
    async with device("\n".join(first + again), profile(points)) as dev:
        assert await dev.read(("a", "b", "c")) == ({"a": 1, "b": 2, "c": 3}, {})
        assert await dev.read(("a", "b", "c")) == ({"a": 4, "b": 5, "c": 6}, {})


async def test_a_point_the_device_does_not_have_is_refused_and_not_asked_for_again() -> None:
    script = [ask(3, 0, 2), tell(3, 1, 2), ask(4, 200, 1), refuse(4, 2), ask(3, 0, 2), tell(3, 1, 2)]
    async with device("\n".join(script), profile(NEAR | FAR)) as dev:
        for _ in range(2):
            _, bad = await dev.read(("a", "b", "c"))
            assert bad == {"c": Quality.REFUSED}


async def test_what_was_refused_is_asked_for_again_after_an_hour() -> None:
    refused = [ask(3, 0, 2), tell(3, 1, 2), ask(4, 200, 1), refuse(4, 2)]
    known = [ask(3, 0, 2), tell(3, 1, 2)]
    found = [ask(3, 0, 2), tell(3, 1, 2), ask(4, 200, 1), tell(4, 9)]
    async with device("\n".join(refused + known + known + found), profile(NEAR | FAR)) as dev:
        for _ in range(2):
            assert (await dev.read(("a", "b", "c")))[1] == {"c": Quality.REFUSED}
        dev._learnt_at -= 3601  # type: ignore[attr-defined]  # an hour passes
        await dev.read(("a", "b", "c"))
        assert (await dev.read(("a", "b", "c")))[0] == {"a": 0.1, "b": 2, "c": 9}


async def test_what_was_refused_is_asked_for_again_when_the_device_comes_back() -> None:
    refused = [ask(3, 0, 2), tell(3, 1, 2), ask(4, 200, 1), refuse(4, 2), ask(3, 0, 2)]
    back = [ask(3, 0, 1), tell(3, 1), ask(3, 0, 2), tell(3, 1, 2)]
    found = [ask(3, 0, 2), tell(3, 1, 2), ask(4, 200, 1), tell(4, 9)]
    async with device("\n".join(refused + back + found), profile(NEAR | FAR), quarantine=0.02) as dev:
        await dev.read(("a", "b", "c"))
        with pytest.raises(NoAnswer):
            await dev.read(("a", "b", "c"))
        await asyncio.sleep(0.03)
        await dev.read(("a", "b", "c"))
        assert (await dev.read(("a", "b", "c")))[0]["c"] == 9


async def test_a_gateway_that_speaks_for_an_absent_unit_is_no_answer() -> None:
    async with device(f"{ask(3, 0, 2)}\n{refuse(3, 11)}", profile(NEAR)) as dev:
        with pytest.raises(NoAnswer, match="target did not respond"):
            await dev.read(("a", "b"))


async def test_a_busy_device_gives_refused_points() -> None:
    async with device(f"{ask(3, 0, 2)}\n{refuse(3, 6)}", profile(NEAR)) as dev:
        assert await dev.read(("a", "b")) == ({}, dict.fromkeys(("a", "b"), Quality.REFUSED))


async def test_the_interval_of_a_device_gives_the_turn_back() -> None:
    what = profile(NEAR, limits=Limits(min_interval=0.2))
    async with device(f"{ask(3, 0, 2)}\n{tell(3, 10, 2)}\n{ask(3, 0, 2)}\n{tell(3, 10, 2)}", what) as dev:
        await dev.read(("a", "b"))
        with pytest.raises(Held) as told:
            await dev.read(("a", "b"))
        await asyncio.sleep(told.value.until - asyncio.get_running_loop().time())
        await dev.read(("a", "b"))


SET = {"set": Point("holding:16", U16, scale=0.1, write=Write(min=5, max=35))}


async def test_a_write_is_read_back() -> None:
    wrote = hexed(17, 6, 0, 16, 0, 215)
    async with device(f">> {wrote}\n<< {wrote}\n{ask(3, 16, 1)}\n{tell(3, 214)}", profile(SET)) as dev:
        assert await dev.write("set", 21.5) == 21.4  # what the device made of it


async def test_a_bit_is_written_without_touching_its_neighbours() -> None:
    points = {"fan": Point("holding:7", PointType.BOOL, bit=2, write=Write())}
    wrote = hexed(17, 6, 0, 7, 0x80, 0x05)
    script = f"{ask(3, 7, 1)}\n{tell(3, 0x8001)}\n>> {wrote}\n<< {wrote}\n{ask(3, 7, 1)}\n{tell(3, 0x8005)}"
    async with device(script, profile(points)) as dev:
        assert await dev.write("fan", value=True) is True


async def test_a_coil_and_a_double_register_are_written_with_their_own_functions() -> None:
    points = {
        "relay": Point("coil:3", PointType.BOOL, write=Write(read_back=False)),
        "total": Point("holding:8", PointType.UINT32, write=Write(read_back=False)),
    }
    coil = hexed(17, 5, 0, 3, 0xFF, 0)
    double = hexed(17, 16, 0, 8, 0, 2, 4, 0, 1, 0, 2)
    script = f">> {coil}\n<< {coil}\n>> {double}\n<< {hexed(17, 16, 0, 8, 0, 2)}"
    async with device(script, profile(points)) as dev:
        assert await dev.write("relay", value=True) is True
        assert await dev.write("total", 0x10002) == 0x10002


@pytest.mark.parametrize(("point", "value"), [("set", 36), ("set", float("nan")), ("nothing", 1)])
async def test_what_may_not_be_written_never_reaches_the_wire(point: str, value: float) -> None:
    async with device("", profile(SET)) as dev:
        with pytest.raises(ValueError, match=point):
            await dev.write(point, value)


async def test_a_refused_write_says_so() -> None:
    wrote = hexed(17, 6, 0, 16, 0, 200)
    async with device(f">> {wrote}\n{refuse(6, 4)}", profile(SET)) as dev:
        with pytest.raises(Refused, match="device failure"):
            await dev.write("set", 20)


async def test_a_valve_is_written_as_a_coil_and_read_back_from_its_contact() -> None:
    write = Write(register="coil:2", function="single", automatic=("closed",))
    valve = Point("discrete:7", PointType.BOOL, enum={0: "open", 1: "closed"}, write=write)
    order = hexed(17, 5, 0, 2, 0xFF, 0)
    script = f">> {order}\n<< {order}\n{ask(2, 7, 1)}\n<< {hexed(17, 2, 1, 1)}"
    async with device(script, profile({"valve": valve})) as dev:
        assert await dev.write("valve", "closed") == "closed"
