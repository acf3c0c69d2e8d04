"""A line with one request at a time, on a real pty: silence, resynchronisation, and whose answer is whose."""

from __future__ import annotations

import asyncio
import os
import pty
import random
import tty
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from late_unit import PtyUnit
from wire import ScriptedWire, hexed

from drivers.errors import BadAnswer, Held, LineDown, NoAnswer, Refused
from drivers.line.settings import LineSettings
from drivers.modbus import pdu
from drivers.registry import make_line

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from drivers.line import AnyLine

ASK = hexed(17, 3, 0, 0, 0, 2)
ASK_OTHER = hexed(17, 3, 0, 10, 0, 2)
ASK_FENCE = hexed(17, 3, 0, 10, 0, 1)
GOOD = hexed(17, 3, 4, 1, 2, 3, 4)
OTHER = hexed(17, 3, 4, 9, 9, 9, 9)
FIRST = pdu.read(17, 3, 0, 2)
SECOND = pdu.read(17, 3, 10, 2)


@asynccontextmanager
async def serial(path: str, **more: object) -> AsyncIterator[AnyLine]:
    wanted = {"baud": 115200, "timeout": 0.08, "quarantine": 0.1} | more
    line = make_line(LineSettings("test", "modbus-rtu", serial=path, **wanted))  # type: ignore[arg-type]
    await line.open()
    try:
        yield line
    finally:
        await line.close()


async def test_the_data_of_the_answer_comes_back() -> None:
    async with ScriptedWire(f">> {ASK}\n<< {GOOD}") as wire, serial(wire.path) as line:
        assert await line.exchange(FIRST) == bytes([4, 1, 2, 3, 4])
        assert (line.stats.requests, line.stats.replies) == (1, 1)


async def test_an_answer_in_single_bytes_is_put_together() -> None:
    pieces = "\n".join(f"<< {byte}\nwait 2ms" for byte in GOOD.split())
    async with ScriptedWire(f">> {ASK}\n{pieces}") as wire, serial(wire.path, baud=9600) as line:
        assert await line.exchange(FIRST) == bytes([4, 1, 2, 3, 4])


async def test_an_exception_is_refused_with_its_code() -> None:
    async with ScriptedWire(f">> {ASK}\n<< {hexed(17, 0x83, 2)}") as wire, serial(wire.path) as line:
        with pytest.raises(Refused, match="illegal address") as told:
            await line.exchange(FIRST)
        assert told.value.code == 2


async def test_silence_is_no_answer_and_the_unit_is_left_alone_for_its_quarantine() -> None:
    async with ScriptedWire(f">> {ASK}") as wire, serial(wire.path) as line:
        with pytest.raises(NoAnswer, match=r"unit 17 .* within 0\.08 s"):
            await line.exchange(FIRST)
        with pytest.raises(Held) as told:
            await line.exchange(SECOND)
        assert line.held_until(17) == told.value.until > asyncio.get_running_loop().time()
        assert line.held_until(18) == 0.0


async def test_a_broken_answer_is_told_long_before_the_timeout() -> None:
    script = f">> {ASK}\n<< {GOOD[:-2]}00"
    async with ScriptedWire(script) as wire, serial(wire.path, timeout=5) as line:
        async with asyncio.timeout(1):
            with pytest.raises(BadAnswer, match="11 03 04"):
                await line.exchange(FIRST)
        assert line.stats.crc_errors == 1


async def test_garbage_before_the_answer_is_skipped() -> None:
    async with ScriptedWire(f">> {ASK}\n<< 00 ff\n<< {GOOD}") as wire, serial(wire.path) as line:
        assert await line.exchange(FIRST) == bytes([4, 1, 2, 3, 4])


async def test_when_another_unit_answers_we_keep_waiting() -> None:
    foreign = hexed(18, 3, 4, 7, 7, 7, 7)
    async with (
        ScriptedWire(f">> {ASK}\n<< {foreign}\nwait 30ms\n<< {GOOD}") as wire,
        serial(wire.path) as line,
    ):
        assert await line.exchange(FIRST) == bytes([4, 1, 2, 3, 4])
        assert line.stats.foreign == 1


async def test_an_answer_with_more_registers_than_asked_for_is_not_taken() -> None:
    more = hexed(17, 3, 6, 1, 2, 3, 4, 5, 6)
    async with ScriptedWire(f">> {ASK}\n<< {more}") as wire, serial(wire.path) as line:
        with pytest.raises(NoAnswer):
            await line.exchange(FIRST)
        assert line.stats.foreign == 1


async def test_the_echo_of_an_adapter_is_taken_off() -> None:
    write = pdu.write_register(17, 1, 5)  # answered by the very same bytes
    script = f">> {write.rtu.hex()}\n<< {write.rtu.hex()}\nwait 5ms\n<< {write.rtu.hex()}\n>> {ASK}\n<< {ASK}\n<< {GOOD}"
    async with ScriptedWire(script) as wire, serial(wire.path, echo=True) as line:
        assert await line.exchange(write) == bytes([0, 1, 0, 5])
        assert await line.exchange(FIRST) == bytes([4, 1, 2, 3, 4])
        assert line.stats.late == line.stats.foreign == 0


async def test_even_an_echo_nobody_told_us_of_is_not_taken_for_the_answer_to_a_read() -> None:
    async with ScriptedWire(f">> {ASK}\n<< {ASK}\nwait 5ms\n<< {GOOD}") as wire, serial(wire.path) as line:
        assert await line.exchange(FIRST) == bytes([4, 1, 2, 3, 4])
        assert line.stats.foreign == 1


async def test_a_late_answer_is_discarded_and_frees_the_unit() -> None:
    script = f">> {ASK}\nwait 110ms\n<< {GOOD}\n>> {ASK_OTHER}\n<< {OTHER}"
    async with ScriptedWire(script) as wire, serial(wire.path, quarantine=5) as line:
        with pytest.raises(NoAnswer):
            await line.exchange(FIRST)
        await asyncio.sleep(0.06)
        assert line.held_until(17) == 0.0
        assert await line.exchange(SECOND) == bytes([4, 9, 9, 9, 9])
        assert (line.stats.late, line.stats.fences) == (1, 0)


async def test_a_fence_goes_first_where_a_late_answer_could_be_taken_for_the_next() -> None:
    fence = hexed(17, 3, 2, 5, 5)
    script = f">> {ASK}\n>> {ASK_FENCE}\n<< {GOOD}\n<< {fence}\n>> {ASK_OTHER}\n<< {OTHER}"
    async with ScriptedWire(script) as wire, serial(wire.path, quarantine=0.05) as line:
        with pytest.raises(NoAnswer):
            await line.exchange(FIRST)
        await asyncio.sleep(0.06)
        assert await line.exchange(SECOND) == bytes([4, 9, 9, 9, 9])


async def test_even_an_exception_to_the_fence_is_proof() -> None:
    script = f">> {ASK}\n>> {ASK_FENCE}\n<< {hexed(17, 0x83, 3)}\n>> {ASK_OTHER}\n<< {OTHER}"
    async with ScriptedWire(script) as wire, serial(wire.path, quarantine=0.05) as line:
        with pytest.raises(NoAnswer):
            await line.exchange(FIRST)
        await asyncio.sleep(0.06)
        assert await line.exchange(SECOND) == bytes([4, 9, 9, 9, 9])
        assert line.stats.fences == 1


@pytest.mark.alone
async def test_a_silent_unit_costs_one_request_per_probe_and_comes_back_with_the_first_answer() -> None:
    fences = [hexed(17, 3, 0, 10, 0, 1), hexed(17, 3, 0, 10, 0, 3)]
    script = f">> {ASK}\n>> {fences[0]}\n>> {fences[1]}\n<< {hexed(17, 3, 6, 0, 0, 0, 0, 0, 0)}\n>> {ASK_OTHER}\n<< {OTHER}"
    async with ScriptedWire(script) as wire, serial(wire.path, quarantine=0.02) as line:
        for _ in range(2):
            with pytest.raises(NoAnswer):
                await line.exchange(FIRST if line.stats.requests == 0 else SECOND)
            await asyncio.sleep(0.03)
        assert await line.exchange(SECOND) == bytes([4, 9, 9, 9, 9])


async def test_other_units_go_on_while_one_is_held() -> None:
    script = f">> {ASK}\n>> {hexed(18, 3, 0, 0, 0, 2)}\n<< {GOOD}\n<< {hexed(18, 3, 4, 8, 8, 8, 8)}"
    async with ScriptedWire(script) as wire, serial(wire.path) as line:
        with pytest.raises(NoAnswer):
            await line.exchange(FIRST)
        assert await line.exchange(pdu.read(18, 3, 0, 2)) == bytes([4, 8, 8, 8, 8])
        assert line.stats.late == 1


async def test_after_a_cancelled_exchange_its_answer_goes_to_nobody() -> None:
    script = f">> {ASK}\nwait 30ms\n<< {GOOD}\n>> {ASK_OTHER}\n<< {OTHER}"
    async with ScriptedWire(script) as wire, serial(wire.path) as line:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(line.exchange(FIRST), 0.02)
        await asyncio.sleep(0.03)
        assert await line.exchange(SECOND) == bytes([4, 9, 9, 9, 9])


async def test_callers_take_turns_and_a_cancelled_one_holds_nobody_up() -> None:
    async with (
        ScriptedWire(f">> {ASK}\nwait 20ms\n<< {GOOD}\n>> {ASK_OTHER}\n<< {OTHER}") as wire,
        serial(wire.path) as line,
    ):
        first, second, third = (asyncio.create_task(line.exchange(q)) for q in (FIRST, FIRST, SECOND))
        await asyncio.sleep(0.01)
        second.cancel()
        assert (await first, await third) == (bytes([4, 1, 2, 3, 4]), bytes([4, 9, 9, 9, 9]))


async def test_a_port_that_hangs_up_ends_the_exchange_and_is_closed_at_once() -> None:
    async with ScriptedWire(f">> {ASK}\nhang up") as wire, serial(wire.path, timeout=5) as line:
        with pytest.raises(LineDown):
            await line.exchange(FIRST)
        assert not line.is_open
        assert not descriptors_of(wire.path)
        with pytest.raises(LineDown, match="next attempt in"):
            await line.exchange(FIRST)


def descriptors_of(path: str) -> list[Path]:
    return [fd for fd in Path("/proc/self/fd").iterdir() if _leads_to(fd, path)]


def _leads_to(fd: Path, path: str) -> bool:
    try:
        return str(fd.readlink()).startswith(path)
    except OSError:
        return False


async def test_a_port_that_vanishes_and_comes_back_is_reopened(tmp_path: Path) -> None:
    link = tmp_path / "tty"
    async with ScriptedWire(f">> {ASK}\n<< {GOOD}\nwait 50ms\nhang up") as wire:
        link.symlink_to(wire.path)
        line = make_line(LineSettings("test", "modbus-rtu", serial=str(link), baud=115200))
        await line.exchange(FIRST)  # opens by itself
        await asyncio.sleep(0.1)
    assert not line.is_open
    link.unlink()
    async with ScriptedWire(f">> {ASK}\n<< {GOOD}") as wire:
        link.symlink_to(wire.path)
        async with asyncio.timeout(2):
            await line.ready()
        assert await line.exchange(FIRST) == bytes([4, 1, 2, 3, 4])
        assert line.stats.reopened == 1
        await line.close()


@pytest.mark.parametrize("parity", ["none", "even", "odd"])
async def test_a_pty_opens_again_and_again_whatever_parity_is_asked_for(parity: str) -> None:
    async with ScriptedWire("") as wire:
        for _ in range(3):
            async with serial(wire.path, parity=parity) as line:
                assert line.is_open


async def test_two_lines_cannot_have_one_port() -> None:
    async with ScriptedWire("") as wire, serial(wire.path):
        with pytest.raises(LineDown, match="lock"):
            async with serial(wire.path):
                pass


async def test_a_port_that_is_not_there_says_so() -> None:
    with pytest.raises(LineDown, match="/dev/nothing"):
        async with serial("/dev/nothing"):
            pass


@pytest.mark.parametrize(("baud", "silence"), [(9600, 3.5 * 10 / 9600), (115200, 0.00175)])
async def test_no_request_starts_inside_three_and_a_half_characters(baud: int, silence: float) -> None:
    near, slave = pty.openpty()
    tty.setraw(slave)
    loop = asyncio.get_running_loop()
    ends, starts = [], []

    def answer() -> None:
        starts.append(loop.time())
        os.read(near, 64)
        ends.append(loop.time())  # the last byte is on the wire no earlier
        os.write(near, bytes.fromhex(GOOD))

    loop.add_reader(near, answer)
    async with serial(os.ttyname(slave), baud=baud) as line:
        for _ in range(50):
            await line.exchange(FIRST)
    loop.remove_reader(near)
    os.close(near)
    os.close(slave)
    gaps = [start - end for start, end in zip(starts[1:], ends, strict=False)]
    assert min(gaps) >= silence


async def late_trials(seed: int, trials: int) -> tuple[int, int, int]:
    """Ask alternating registers of one shape; return right, wrong and unanswered."""
    chance = random.Random(seed)
    unit = PtyUnit(lambda _: chance.uniform(0.005, 0.09) if chance.random() < 0.5 else 0.0)
    right = wrong = missed = 0
    async with serial(unit.path, timeout=0.03, quarantine=0.1) as line:
        for n in range(trials):
            register = 1000 + n
            try:
                got = pdu.registers(await line.exchange(pdu.read(17, 3, register, 2)))
            except Held as held:
                await asyncio.sleep(max(0.0, held.until - asyncio.get_running_loop().time()))
            except NoAnswer:
                missed += 1
            else:
                right += got == (register, register + 1)
                wrong += got != (register, register + 1)
    unit.close()
    return right, wrong, missed


async def test_hundreds_of_late_answers_and_none_is_credited_to_another_register() -> None:
    outcomes = await asyncio.gather(*(late_trials(seed, 40) for seed in range(20)))
    right, wrong, missed = (sum(column) for column in zip(*outcomes, strict=True))
    assert wrong == 0
    assert missed > 100  # else there was nothing to get wrong
    assert right > 100
