"""The owner of a line on which devices speak by themselves: stamped, handed on, lost by silence alone."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from datetime import UTC
from typing import TYPE_CHECKING, Any

import pytest

from drivers.dc589.fields import FIELDS, encode_fields
from drivers.dc589.frame import Frame, encode_frame
from drivers.errors import LineDown, NoAnswer
from drivers.heard import HeardDevice
from drivers.line.hearing import HearingLine
from drivers.line.settings import LineSettings
from drivers.registry import make_device, make_line
from gateway.clock import SystemClock
from gateway.config.profiles import load_profile
from gateway.hearer import Expected, Hearer
from gateway.liveness import State
from gateway.model import Quality

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from gateway.model import Sample

ONE, OTHER = "5348111111111111", "5348111111111112"


def frame(command: int, **values: Any) -> bytes:
    return encode_frame(Frame(command, encode_fields(FIELDS[command], values)))


class Rig:
    """A hearer of two boards, what it handed on, and a way to speak to it."""

    def __init__(self, every: float, *, quiet: bool = False) -> None:
        line = make_line(LineSettings("piles", "dc589", listen="127.0.0.1:0"))
        assert isinstance(line, HearingLine)
        profile = load_profile("charging_pile/dc589")
        self.line = line
        self.samples: list[Sample] = []
        expected = []
        for name, address in (("pile-1", ONE), ("pile-2", OTHER)):
            device = make_device(name, profile, address, line)
            assert isinstance(device, HeardDevice)
            expected.append(Expected(device, profile.reported, every, None, quiet))
        self.hearer = Hearer("piles", line, expected, self.accept, SystemClock(), UTC)

    async def accept(self, samples: Sequence[Sample]) -> None:
        self.samples += samples

    async def until(self, true: Callable[[], object]) -> None:
        async with asyncio.timeout(8):
            while not true():  # noqa: ASYNC110  others do it
                await asyncio.sleep(0.01)

    def state(self, device: str) -> State:
        return next(life.state for life in self.hearer.devices() if life.device == device)


@asynccontextmanager
async def running(
    every: float = 60.0, *, quiet: bool = False
) -> AsyncIterator[tuple[Rig, asyncio.StreamWriter]]:
    rig = Rig(every, quiet=quiet)
    task = asyncio.create_task(rig.hearer.run())
    await rig.until(lambda: rig.hearer.health().is_open)
    _, writer = await asyncio.open_connection(*rig.line.bound)
    try:
        yield rig, writer
    finally:
        writer.close()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_each_word_is_a_sample_of_the_points_it_carries() -> None:
    async with running() as (rig, writer):
        writer.write(
            frame(0xA4, board=ONE, signal=9) + frame(0xC0, port=0xFF, fault=0xBB, temperature=30, voltage=220)
        )
        await rig.until(lambda: len(rig.samples) == 2)
        beat, fault = rig.samples
        assert (beat.device, beat.values, beat.bad) == ("pile-1", {"signal": 9}, {})
        assert fault.values == {"smoke": True, "fault": "smoke", "temperature": 30.0, "voltage": 220.0}
        assert fault.at > beat.at


async def test_a_code_nobody_knows_is_bad_and_not_ignored() -> None:
    async with running() as (rig, writer):
        writer.write(frame(0xA4, board=ONE) + frame(0xC0, port=3, fault=0x77, temperature=30, voltage=220))
        await rig.until(lambda: len(rig.samples) == 2)
        assert rig.samples[1].bad == {"fault": Quality.UNKNOWN_CODE}


async def test_a_device_is_lost_by_silence_and_back_with_its_next_word() -> None:
    async with running(every=0.2) as (rig, writer):
        writer.write(frame(0xA4, board=ONE))
        await rig.until(lambda: rig.state("pile-1") is State.LOST and rig.state("pile-2") is State.LOST)
        gone = next(s for s in rig.samples if s.device == "pile-1" and s.bad)
        assert set(gone.bad.values()) == {Quality.NO_ANSWER}
        assert "power_3" in gone.bad
        assert rig.hearer.health().silent
        with pytest.raises(NoAnswer, match="is lost"):
            await rig.hearer.command("pile-1", lambda device: device.write("charging_3", value=False))
        writer.write(frame(0xA4, board=ONE))
        await rig.until(lambda: rig.state("pile-1") is State.LIVE)
        assert rig.state("pile-2") is State.LOST
        sent = rig.line.stats.bytes_out
        assert sent % len(encode_frame(Frame(0xA5, b"\x01"))) != 1, (
            "only answers were sent, nobody was probed"
        )


async def test_who_says_nothing_while_all_is_well_is_never_lost() -> None:
    async with running(every=0.05, quiet=True) as (rig, _):
        await asyncio.sleep(0.5)
        assert rig.state("pile-1") is State.LIVE
        assert not rig.hearer.health().silent
        assert rig.samples == []


async def test_a_stranger_is_logged_once_and_shown(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        async with running() as (rig, writer):
            writer.write(frame(0xA0, board="5348111111111199", hardware="SH10HA01") * 5)
            await rig.until(lambda: rig.line.strangers.total == 5 and "5348111111111199" in caplog.text)
            (shown,) = rig.hearer.health().strangers
            assert shown[:3] == ("5348111111111199", "127.0.0.1", 5)
    assert caplog.text.count("is not in the site file") == 1


async def test_what_was_told_last_is_what_a_poll_shows() -> None:
    async with running() as (rig, writer):
        with pytest.raises(NoAnswer, match="has not spoken yet"):
            await rig.hearer.command("pile-1", lambda device: device.read(("signal",)))
        writer.write(frame(0xA4, board=ONE, signal=9))
        await rig.until(lambda: rig.samples)
        values, bad = await rig.hearer.command("pile-1", lambda device: device.read(("signal", "voltage")))
        assert (values, bad) == ({"signal": 9}, {"voltage": Quality.NO_ANSWER})


async def test_only_what_the_profile_allows_is_written() -> None:
    async with running() as (rig, writer):
        writer.write(frame(0xA4, board=ONE))
        await rig.until(lambda: rig.samples)
        for point, value, why in (
            ("voltage", 3, "no writing"),
            ("charging_3", True, "payment"),
            ("none", 1, "no such"),
        ):
            with pytest.raises(ValueError, match=why):
                await rig.hearer.command("pile-1", lambda d, p=point, v=value: d.write(p, v))  # type: ignore[misc]  # bound
    with pytest.raises(LineDown):
        await rig.hearer.command("pile-1", lambda device: device.write("charging_3", value=False))


def test_a_device_on_a_battery_is_lost_after_two_missed_reports() -> None:
    assert Expected(None, (), 8 * 3600.0).lost_after == pytest.approx(2.1 * 8 * 3600)  # type: ignore[arg-type]  # unused
    assert Expected(None, (), 60.0).lost_after == 180  # type: ignore[arg-type]  # unused
