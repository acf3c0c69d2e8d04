"""Pins of this machine, with gpiozero's own mock of a board: its pins hold what is driven onto them."""

from __future__ import annotations

import importlib.util
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from drivers.checks import check
from drivers.errors import BadAnswer, LineDown
from drivers.gpio import family
from drivers.gpio.line import MISSING, GpioLine
from drivers.line.settings import LineSettings
from drivers.profile import Point, Profile, Write
from drivers.registers import PointType
from drivers.registry import FAMILIES, make_device, make_line
from gateway.model import Quality

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

BOTH = {"zh": "甲", "en": "a"}
STATES = {0: "off", 1: "on"}
RELAY = Point(item="!GPIO17", type=PointType.BOOL, name=BOTH, enum=STATES, write=Write(automatic=("off",)))
CONTACT = Point(item="GPIO4", type=PointType.BOOL, name=BOTH)
PROFILE = Profile("contact", BOTH, "a test", {"relay": RELAY, "contact": CONTACT}, protocol="gpio")
SETTINGS = LineSettings("pins", "gpio")

needs_gpiozero = pytest.mark.skipif(
    importlib.util.find_spec("gpiozero") is None, reason="gpiozero is not installed: pip install gpiozero"
)


@pytest.fixture
def board() -> Iterator[Any]:
    gpiozero: Any = importlib.import_module("gpiozero")
    mock: Any = importlib.import_module("gpiozero.pins.mock")
    before, gpiozero.Device.pin_factory = gpiozero.Device.pin_factory, mock.MockFactory()
    yield gpiozero.Device.pin_factory
    gpiozero.Device.pin_factory.reset()
    gpiozero.Device.pin_factory = before


@asynccontextmanager
async def opened() -> AsyncIterator[tuple[Any, Any]]:
    line = make_line(SETTINGS)
    await line.open()
    yield make_device("box", PROFILE, 1, line), line
    await line.close()


@pytest.mark.parametrize(
    ("item", "wrong"), [("GPIO17", False), ("!GPIO4", False), ("17", True), ("", True), ("GPIO-1", True)]
)
def test_an_item_is_a_pin(item: str, wrong: bool) -> None:
    assert bool(family.check_item(item)) is wrong


def test_a_profile_of_pins_is_checked_like_any_other() -> None:
    assert check(PROFILE, FAMILIES) == []
    wrong = Profile("contact", BOTH, "a test", {"x": Point(register="coil:1", type=PointType.BOOL, name=BOTH)},
                    protocol="gpio")  # fmt: skip
    assert check(wrong, FAMILIES) != []


@needs_gpiozero
async def test_a_start_moves_nothing_and_a_write_is_read_back(board: Any) -> None:
    async with opened() as (device, line):
        first = board.pin(17).state
        await device.read(("relay",))
        assert board.pin(17).state == first
        assert await device.write("relay", "on") == "on"
        assert board.pin(17).state == 0, "low is on for this board"
        assert await device.read(("relay",)) == ({"relay": "on"}, {})
        assert await device.write("relay", "off") == "off"
        assert board.pin(17).state == 1
        assert line.stats.unit(1).replies == line.stats.unit(1).requests
    assert board.pin(17).function == "input", "given back"


@needs_gpiozero
async def test_a_contact_is_read_and_cannot_be_written(board: Any) -> None:
    async with opened() as (device, _):
        assert (await device.read(("contact",)))[0] == {"contact": False}
        board.pin(4).drive_high()
        assert (await device.read(("contact", "relay")))[0]["contact"] is True
        with pytest.raises(ValueError, match="contact"):
            await device.write("contact", value=True)
        with pytest.raises(ValueError, match="ajar"):
            await device.write("relay", "ajar")


@needs_gpiozero
async def test_a_pin_is_one_point_and_a_frame_is_no_question_for_it(board: Any) -> None:
    twice = {"relay": RELAY, "again": Point(item="GPIO17", type=PointType.BOOL, name=BOTH)}
    line = make_line(SETTINGS)
    await line.open()
    device = make_device("box", Profile("contact", BOTH, "t", twice, protocol="gpio"), 1, line)
    values, bad = await device.read(("relay", "again"))
    assert set(values) == {"relay"}
    assert bad == {"again": Quality.REFUSED}
    with pytest.raises(BadAnswer, match="no frames"):
        await line.exchange(b"\x01\x03")
    await line.close()
    with pytest.raises(LineDown):
        await device.read(("relay",))
    assert board is not None


async def test_without_the_library_the_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gpiozero", None)
    with pytest.raises(LineDown, match="apt install") as found:
        await GpioLine(SETTINGS).open()
    assert MISSING in str(found.value)
