"""Inclinometers of both families as the gateway reads them, and whose answer an answer is on their line."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from field import at, field, settings
from wire import ScriptedWire

from drivers.errors import BadAnswer, Held, NoAnswer
from drivers.registry import make_device, make_line
from drivers.tilt import frame as wire
from drivers.tilt.frame import Family, Frame, encode_frame
from drivers.tilt.query import READ_X, READ_Y, ZERO_MODE, ask
from drivers.tilt.values import FINE, LONG, SHORT, Tilt, encode_tilt
from gateway.config.profiles import load_profile
from gateway.model import Quality

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

RION = load_profile("manhole/tilt68")
GRAVITY = load_profile("manhole/tilt77-gravity")
READ = ">> 68 04 00 04 08"
SHOWN = "<< 68 0D 00 84 10 02 87 10 00 85 01 59 22 3B"  # -2.87, -0.85
OTHER = f"<< {encode_frame(encode_tilt(Family.RION, 0, Tilt(30, 0, 0), SHORT)).hex()}"


def fence(command: int) -> str:
    return f">> {ask(Family.RION, 0, command).frame.hex()}"


def fenced(command: int, data: bytes) -> str:
    return f"<< {encode_frame(Frame(Family.RION, 0, command | 0x80, data)).hex()}"


@pytest.fixture(name="lines")
async def _lines() -> AsyncIterator[list[Any]]:
    opened: list[Any] = []
    yield opened
    for line in opened:
        await line.close()


async def opened(lines: list[Any], path: str, **more: Any) -> Any:
    line = make_line(at(path, more.pop("protocol", "tilt68"), **({"timeout": 0.08} | more)))
    lines.append(line)
    await line.open()
    return line


@pytest.mark.parametrize("way", ["pty", "tcp"])
@pytest.mark.parametrize(
    ("protocol", "profiles"),
    [("tilt68", ["manhole/tilt68"]), ("tilt77", ["manhole/tilt77", "manhole/tilt77-gravity"])],
)
async def test_every_point_of_the_shipped_sensors_is_read(
    way: str, protocol: str, profiles: list[str], tmp_path: Path
) -> None:
    sensors = {f"c{n}": (name, n) for n, name in enumerate(profiles)}
    async with field(settings(way, protocol, tmp_path), sensors) as site:
        for name, (_, address) in sensors.items():
            profile = site.profiles[name]
            values, bad = await site.device(name, address).read(profile.reported)
            assert bad == {}
            assert 0 <= values["tilt"] < 3
            player = site.simulation.stage.units[name].player
            for point in profile.points:
                truth = player.value(point, site.simulation.now())
                assert values[point] == pytest.approx(truth, abs=0.5)


async def test_a_lifted_cover_turns_both_angles_and_gravity(tmp_path: Path) -> None:
    sensors = {"a": ("manhole/tilt77", 0), "g": ("manhole/tilt77-gravity", 1)}
    async with field(settings("pty", "tilt77", tmp_path), sensors) as site:
        await site.simulation.set("a", "tilt_x", 74.0)
        for point, pull in (("gravity_x", -0.9613), ("gravity_y", 0.0), ("gravity_z", 0.2756)):
            await site.simulation.set("g", point, pull)
        angles, _ = await site.device("a", 0).read(("tilt",))
        gravity, _ = await site.device("g", 1).read(("tilt",))
        assert angles["tilt"] == pytest.approx(74, abs=0.1)
        assert gravity["tilt"] == pytest.approx(74, abs=0.1)


async def test_the_temperature_of_a_precise_model_is_read_with_its_angles(lines: list[Any]) -> None:
    precise = encode_frame(encode_tilt(Family.RION, 0, Tilt(-1.2345, 89.9, None, 25.5), LONG)).hex()
    async with ScriptedWire(f"{READ}\n<< {precise}") as far:
        device = make_device("c", RION, 0, await opened(lines, far.path))
        assert (await device.read(("tilt_x", "tilt_y")))[0] == {"tilt_x": -1.2345, "tilt_y": 89.9}


async def test_what_a_model_does_not_tell_has_no_value(lines: list[Any]) -> None:
    two = encode_frame(encode_tilt(Family.BW, 0, Tilt(1, 2), SHORT)).hex()
    async with ScriptedWire(f">> 77 04 00 04 08\n<< {two}\n>> 77 04 00 54 58") as far:
        both = load_profile("manhole/tilt77")
        points = {**both.points, "g": GRAVITY.points["gravity_x"]}
        points["heading"] = points["tilt_x"].__class__(item="z", name=points["tilt_x"].name)
        profile = both.__class__(both.kind, both.name, both.source, points, both.protocol)
        device = make_device("c", profile, 0, await opened(lines, far.path, protocol="tilt77"))
        values, bad = await device.read(tuple(points))
        assert values == {"tilt_x": 1.0, "tilt_y": 2.0}
        assert bad == {"g": Quality.NO_ANSWER, "heading": Quality.SENTINEL}


async def test_a_digit_that_is_none_is_a_broken_answer(lines: list[Any]) -> None:
    wrong = "68 0D 00 84 10 02 8A 10 00 85 01 59 22 3E"
    again = "\n".join([READ, f"<< {wrong}"])
    async with ScriptedWire(again) as far:
        device = make_device("c", RION, 0, await opened(lines, far.path))
        with pytest.raises(BadAnswer, match="10 02 8a is no number"):
            await device.read(("tilt",))


async def test_nothing_is_written_to_a_sensor(lines: list[Any]) -> None:
    async with ScriptedWire("") as far:
        line = await opened(lines, far.path)
        with pytest.raises(ValueError, match="may not be written"):
            await make_device("c", RION, 0, line).write("tilt_x", 0)
        assert line.stats.bytes_out == 0


# --- whose answer it is: the answer tells address and command only ------------------------------------------


async def test_before_the_next_reading_of_angles_another_command_proves_that_nothing_older_can_come(
    lines: list[Any],
) -> None:
    script = [READ, fence(READ_X), SHOWN, fenced(READ_X, bytes(3)), READ, OTHER]
    async with ScriptedWire("\n".join(script)) as far:
        line = await opened(lines, far.path, quarantine=0.05)
        with pytest.raises(NoAnswer, match=r"sensor 0 angles: no answer within 0\.08 s"):
            await line.exchange(ask(Family.RION, 0, wire.READ))
        await asyncio.sleep(0.06)
        assert (await line.exchange(ask(Family.RION, 0, wire.READ))).hex() == "003000000000000000"
        assert (line.stats.late, line.stats.fences) == (1, 1)


async def test_a_sensor_that_is_silent_on_one_proof_gets_another(lines: list[Any]) -> None:
    script = [READ, fence(READ_X), fence(READ_Y), fence(ZERO_MODE), fenced(ZERO_MODE, b"\0"), READ, SHOWN]
    async with ScriptedWire("\n".join(script)) as far:
        line = await opened(lines, far.path, quarantine=0.2)  # what is owed lapses after ten of them
        got = b""
        async with asyncio.timeout(5):
            while not got:
                try:
                    got = await line.exchange(ask(Family.RION, 0, wire.READ))
                except Held as held:
                    await asyncio.sleep(max(0.0, held.until - asyncio.get_running_loop().time()))
                except NoAnswer:
                    continue
        assert got.hex() == "100287100085015922"


async def test_angles_and_gravity_of_one_sensor_cannot_be_taken_for_each_other(lines: list[Any]) -> None:
    gravity = encode_frame(encode_tilt(Family.BW, 0, Tilt(0, 0, 1), FINE)).hex()
    async with ScriptedWire(f">> 77 04 00 04 08\n>> 77 04 00 54 58\n<< {gravity}") as far:
        line = await opened(lines, far.path, protocol="tilt77", quarantine=0.02)
        with pytest.raises(NoAnswer):
            await line.exchange(ask(Family.BW, 0, wire.READ))
        await asyncio.sleep(0.03)
        assert (await line.exchange(ask(Family.BW, 0, wire.GRAVITY)))[8:] == bytes.fromhex("01000000")
        assert line.stats.fences == 0


async def test_the_answer_of_another_sensor_is_not_taken(lines: list[Any]) -> None:
    foreign = encode_frame(encode_tilt(Family.RION, 1, Tilt(9, 9, 9), SHORT)).hex()
    async with ScriptedWire(f"{READ}\n<< {foreign}\nwait 20ms\n{SHOWN}") as far:
        device = make_device("c", RION, 0, await opened(lines, far.path))
        assert (await device.read(("tilt_x",)))[0] == {"tilt_x": -2.87}
