"""What a survey may take of a line that the gateway polls, and what it may not."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from typing import TYPE_CHECKING, Any

import pytest
from playing import free_port, played, serial_line, unit

from drivers.line.settings import LineSettings
from drivers.line.turn import TurnLine
from drivers.modbus import pdu
from drivers.registry import make_line
from drivers.survey import probes
from drivers.survey.probes import Sound, judge
from drivers.survey.talk import Setting
from gateway.clock import SystemClock
from gateway.lending import SHARE, InUse, Lending

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from drivers.line import AnyLine

OWN, OTHER = Setting(115200), Setting(38400)
POLL = pdu.read(17, 3, 0, 2)


@contextlib.asynccontextmanager
async def polled(path: Path) -> AsyncIterator[tuple[TurnLine[Any], list[tuple[float, bytes]]]]:
    """A line with a device that is polled as fast as it goes; every frame that we send is noted."""
    async with played(serial_line(path), [unit()]):
        line = make_line(serial_line(path, baud=OWN.baud, timeout=0.1))
        assert isinstance(line, TurnLine)
        await line.open()
        sent: list[tuple[float, bytes]] = []
        line.listen(lambda way, data, at: sent.append((at, data)) if way == ">>" else None)

        async def poll() -> None:
            while True:
                await line.exchange(POLL)
                await asyncio.sleep(0.005)

        task = asyncio.create_task(poll())
        try:
            yield line, sent
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await line.close()


async def test_at_the_own_rate_most_of_the_time_is_the_polls(tmp_path: Path) -> None:
    async with polled(tmp_path / "p") as (line, sent):
        shots = [probes.modbus(n, OWN, 0.02) for n in range(30, 36)]
        began = time.monotonic()
        spoken = await Lending(SystemClock()).talk("l", line, None, shots)
        took = time.monotonic() - began
    assert all(
        judge(shot, heard).sound is Sound.NOTHING for shot, heard in zip(shots, spoken.heard, strict=True)
    )
    assert took >= spoken.held * (len(shots) - 1) / len(shots) / SHARE * 0.9
    ours = [n for n, (_, frame) in enumerate(sent) if frame != POLL.rtu]
    assert len(ours) == len(shots)
    assert all(later - earlier > 1 for earlier, later in itertools.pairwise(ours))


async def test_other_rates_come_in_slices_with_polls_between(tmp_path: Path) -> None:
    async with polled(tmp_path / "p") as (line, sent):
        shots = [probes.modbus(n, OTHER, 0.04) for n in range(30, 36)]
        await Lending(SystemClock(), slice_=0.1).talk("l", line, OTHER, shots)
    kinds = "".join("P" if frame == POLL.rtu else "x" for _, frame in sent)
    runs = [run for run in kinds.split("P") if run]
    assert sum(map(len, runs)) == len(shots)
    assert max(map(len, runs)) <= 2
    assert len(runs) >= 3


async def test_without_the_pauses_a_survey_would_shut_the_polls_out(tmp_path: Path) -> None:
    """Control: with one endless slice no poll gets between the shots."""
    async with polled(tmp_path / "p") as (line, sent):
        shots = [probes.modbus(n, OTHER, 0.04) for n in range(30, 36)]
        await Lending(SystemClock(), slice_=60).talk("l", line, OTHER, shots)
    kinds = "".join("P" if frame == POLL.rtu else "x" for _, frame in sent)
    assert "xxxxxx" in kinds


async def test_a_line_is_lent_to_one_at_a_time(tmp_path: Path) -> None:
    async with polled(tmp_path / "p") as (line, _):
        lending = Lending(SystemClock())
        shots = [probes.modbus(30, OWN, 0.05)]
        first = asyncio.create_task(lending.talk("l", line, None, shots))
        await asyncio.sleep(0)
        with pytest.raises(InUse):
            await lending.talk("l", line, None, shots)
        await first
        await lending.talk("l", line, None, shots)


async def test_a_network_line_answers_through_exchanges() -> None:
    settings = LineSettings("plant", "modbus-tcp", tcp=f"127.0.0.1:{free_port()}", timeout=0.2)
    async with played(settings, [unit()]):
        line: AnyLine = make_line(settings)
        await line.open()
        shots = [probes.modbus(17, OWN), probes.modbus(18, OWN)]
        spoken = await Lending(SystemClock()).talk("plant", line, None, shots)
        await line.close()
    sounds = [judge(shot, heard).sound for shot, heard in zip(shots, spoken.heard, strict=True)]
    assert sounds == [Sound.ANSWER, Sound.NOTHING]


async def test_a_listener_who_does_not_read_loses_the_oldest_and_nobody_waits(tmp_path: Path) -> None:
    async with polled(tmp_path / "p") as (line, _):
        lending = Lending(SystemClock())
        async with lending.sniff("l", line) as queue:
            with pytest.raises(InUse):
                async with lending.sniff("l", line):
                    pass
            for n in range(queue.maxsize + 5):
                line._wire.hook(">>", b"%d" % n, 0.0)  # type: ignore[misc]
            assert queue.full()
            assert queue.get_nowait()[1] != b"0"
        async with lending.sniff("l", line):
            pass
