"""A line that is lent: raw bytes out and in, other rates, and everything as before afterwards."""

from __future__ import annotations

import asyncio
import os
import termios
from typing import TYPE_CHECKING

import pytest
from playing import played, serial_line, unit
from wire import ScriptedWire, hexed

from drivers.errors import LineDown
from drivers.line.settings import LineSettings
from drivers.line.turn import TurnLine
from drivers.modbus import pdu
from drivers.registry import make_line
from drivers.survey import probes
from drivers.survey.probes import Sound, judge
from drivers.survey.talk import Heard, Setting, Shot, Tongue

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

FAST = Setting(115200)
ASK = probes.modbus(17, FAST, 0.2)
ASKED = ASK.frame.hex(" ")
ANSWER = hexed(17, 3, 2, 0, 5)


def line_at(path: object, **more: Any) -> TurnLine[Any]:
    line = make_line(
        LineSettings("l", "modbus-rtu", serial=str(path), **{"baud": 115200, "timeout": 0.1} | more)
    )
    assert isinstance(line, TurnLine)
    return line


async def lent(script: str, shots: list[Shot], **more: Any) -> list[Heard]:
    async with ScriptedWire(script) as wire:
        line = line_at(wire.path, **more)
        await line.open()
        try:
            async with line.lend() as loan:
                return await loan.ask(FAST, shots)
        finally:
            await line.close()


async def test_a_shot_brings_back_what_was_heard_and_how_long_it_took() -> None:
    (heard,) = await lent(f">> {ASKED}\nwait 30ms\n<< {ANSWER}", [ASK])
    assert heard.data.hex(" ") == ANSWER
    assert heard.wait is not None
    assert heard.wait > 0.02


async def test_nobody_answers_and_the_next_is_asked() -> None:
    other = probes.modbus(18, FAST, 0.05)
    silent, heard = await lent(
        f">> {ASKED}\n>> {other.frame.hex(' ')}\n<< {hexed(18, 0x83, 2)}",
        [probes.modbus(17, FAST, 0.05), other],
    )
    assert silent == Heard()
    assert heard.data.hex(" ") == hexed(18, 0x83, 2)


async def test_an_echo_is_waited_through() -> None:
    (heard,) = await lent(f">> {ASKED}\n<< {ASKED}\nwait 40ms\n<< {ANSWER}", [ASK])
    verdict = judge(ASK, heard)
    assert (verdict.sound, verdict.echo) == (Sound.ANSWER, True)


async def test_who_lingers_hears_the_second_answer() -> None:
    script = f">> {ASKED}\n<< {ANSWER}\nwait 20ms\n<< {hexed(17, 3, 2, 0, 6)}"
    (heard,) = await lent(script, [probes.modbus(17, FAST, 0.2, linger=0.1)])
    assert len(heard.data) == 14


async def test_garbage_ends_with_the_silence_after_it() -> None:
    (heard,) = await lent(f">> {ASKED}\n<< 11 03 02 00\nwait 10ms\n<< FF FF FF FF FF", [ASK])
    assert judge(ASK, heard).sound is Sound.GARBAGE


async def test_polls_wait_for_the_end_of_a_loan_and_then_go_on(tmp_path: Path) -> None:
    async with played(serial_line(tmp_path / "p"), [unit()]):
        line = line_at(tmp_path / "p")
        await line.open()
        try:
            async with line.lend() as loan:
                poll = asyncio.create_task(line.exchange(pdu.read(17, 3, 0, 1)))
                (heard,) = await loan.ask(FAST, [probes.modbus(17, FAST)])
                assert not poll.done()
            assert heard.data
            assert (await poll)[1:] == b"\x00\x7b"
        finally:
            await line.close()


async def test_other_rates_are_set_and_at_the_end_the_lines_own_is_back(tmp_path: Path) -> None:
    async with played(serial_line(tmp_path / "p"), [unit()]):
        line = line_at(tmp_path / "p", baud=9600)
        await line.open()
        fd = os.open(tmp_path / "p", os.O_RDWR | os.O_NOCTTY)
        try:
            async with line.lend() as loan:
                (heard,) = await loan.ask(
                    Setting(2400, "even"), [probes.modbus(17, Setting(2400, "even"), 0.2)]
                )
                mode = termios.tcgetattr(fd)
                assert (mode[5], bool(mode[0] & termios.INPCK)) == (termios.B2400, True)
            assert heard.data
            mode = termios.tcgetattr(fd)
            assert (mode[5], bool(mode[0] & termios.INPCK)) == (termios.B9600, False)
            assert (await line.exchange(pdu.read(17, 3, 0, 1)))[1:] == b"\x00\x7b"
        finally:
            os.close(fd)
            await line.close()


async def test_a_rate_that_does_not_exist_is_refused_and_the_line_goes_on(tmp_path: Path) -> None:
    async with played(serial_line(tmp_path / "p"), [unit()]):
        line = line_at(tmp_path / "p")
        await line.open()
        try:
            with pytest.raises(ValueError, match="no usual rate"):
                async with line.lend() as loan:
                    await loan.ask(Setting(12345), [ASK])
            assert (await line.exchange(pdu.read(17, 3, 0, 1)))[1:] == b"\x00\x7b"
        finally:
            await line.close()


async def test_a_port_that_goes_during_a_loan_ends_it(tmp_path: Path) -> None:
    async with played(serial_line(tmp_path / "p"), [unit()]) as (simulation, _):
        line = line_at(tmp_path / "p")
        await line.open()
        with pytest.raises(LineDown):
            async with line.lend() as loan:
                listening = asyncio.create_task(loan.listen(FAST, 5))
                await asyncio.sleep(0)
                await simulation.fault("rs485-1", "unplug")
                await listening
        await line.close()


async def test_listening_says_nothing_and_hears_all() -> None:
    async with ScriptedWire(f"wait 20ms\n<< {ANSWER}\nwait 20ms\n<< FF") as wire:
        line = line_at(wire.path)
        await line.open()
        async with line.lend() as loan:
            data = await loan.listen(FAST, 0.3)
        await line.close()
    assert data.hex(" ") == f"{ANSWER} ff"


async def test_devices_of_a_strict_pair_understand_only_their_own_rate(tmp_path: Path) -> None:
    settings = serial_line(tmp_path / "p", baud=9600)
    from drivers.simulator.script import Join  # noqa: PLC0415  only here

    async with played(settings, [unit()], [Join(("rs485-1",))]):
        line = line_at(tmp_path / "p")
        await line.open()
        async with line.lend() as loan:
            for setting, there in ((FAST, False), (Setting(9600), True), (Setting(9600, "even"), False)):
                (heard,) = await loan.ask(setting, [Shot(Tongue.MODBUS, ASK.frame, 0.1)])
                assert bool(heard.data) is there, setting
        await line.close()
