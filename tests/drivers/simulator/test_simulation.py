"""Played devices, read by pymodbus' clients: a master that others wrote."""

from __future__ import annotations

import asyncio
import contextlib
import struct
import termios
import time
from typing import TYPE_CHECKING, Any

import pytest
import serial
from playing import free_port, played, serial_line, unit
from pymodbus import FramerType
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient, ModbusTcpClient
from pymodbus.exceptions import ModbusIOException

from drivers.line.settings import LineSettings
from drivers.simulator.faults import FaultError
from drivers.simulator.ptys import LinkTaken
from drivers.simulator.script import parse_entry
from drivers.simulator.wire import crc

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from drivers.simulator.simulation import Simulation

WAYS = ("pty", "tcp", "rtu over tcp")


@contextlib.asynccontextmanager
async def connected(way: str, tmp_path: Path, patience: float = 1.0) -> AsyncIterator[tuple[Any, Simulation]]:
    port = free_port()
    client: Any
    if way == "pty":
        settings = serial_line(tmp_path / "port", baud=115200)
        client = AsyncModbusSerialClient(str(tmp_path / "port"), baudrate=115200, timeout=patience, retries=0)
    else:
        protocol = "modbus-tcp" if way == "tcp" else "modbus-rtu"
        settings = LineSettings("plant", protocol, tcp=f"127.0.0.1:{port}")
        framer = FramerType.SOCKET if way == "tcp" else FramerType.RTU
        client = AsyncModbusTcpClient("127.0.0.1", port=port, framer=framer, timeout=patience, retries=0)
    async with played(settings, [unit()]) as (simulation, _):
        assert await client.connect()
        try:
            yield client, simulation
        finally:
            client.close()


def floats(registers: list[int]) -> float:
    low, high = registers
    value: float = struct.unpack(">f", struct.pack(">HH", high, low))[0]
    return value


@pytest.mark.parametrize("way", WAYS)
async def test_registers_hold_what_the_persona_says(way: str, tmp_path: Path) -> None:
    async with connected(way, tmp_path) as (client, simulation):
        answer = await client.read_holding_registers(0, count=7, device_id=17)
        assert answer.registers[0] == 123
        assert answer.registers[1] == 1
        assert answer.registers[2] == 0x10000 - 75
        assert floats(answer.registers[3:5]) == pytest.approx(180, abs=25)
        player = simulation.stage.units["gas-1"].player
        assert (await client.read_coils(0, count=1, device_id=17)).bits[0] is False
        assert (await client.read_discrete_inputs(3, count=1, device_id=17)).bits[0] is True
        ticks = (await client.read_input_registers(0, count=1, device_id=17)).registers[0]
        assert ticks == pytest.approx(float(player.value("ticks", simulation.now())) % 65536, abs=3)


@pytest.mark.parametrize("way", WAYS)
async def test_what_is_written_is_read_back(way: str, tmp_path: Path) -> None:
    async with connected(way, tmp_path) as (client, _):
        assert not (await client.write_register(20, 250, device_id=17)).isError()
        assert (await client.read_holding_registers(20, count=1, device_id=17)).registers == [250]
        assert not (await client.write_registers(20, [260], device_id=17)).isError()
        assert (await client.read_holding_registers(20, count=1, device_id=17)).registers == [260]
        assert not (await client.write_coil(address=0, value=True, device_id=17)).isError()
        assert (await client.read_coils(0, count=1, device_id=17)).bits[0] is True
        assert not (await client.write_coils(0, [False], device_id=17)).isError()
        assert (await client.read_coils(0, count=1, device_id=17)).bits[0] is False


async def test_a_device_refuses_what_it_has_not(tmp_path: Path) -> None:
    async with connected("tcp", tmp_path) as (client, _):
        assert (await client.read_holding_registers(300, count=1, device_id=17)).exception_code == 2
        assert (await client.read_holding_registers(0, count=111, device_id=17)).exception_code == 3
        assert (await client.write_register(0, 1, device_id=17)).exception_code == 2
        assert (await client.read_exception_status(device_id=17)).exception_code == 1
        assert (await client.read_holding_registers(0, count=1, device_id=99)).exception_code == 0x0B


async def test_a_unit_that_dials_in_is_read(tmp_path: Path) -> None:
    heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = bytes.fromhex("11 03 00 00 00 01")
        writer.write(request + crc(request))
        heard.set_result(await reader.readexactly(7))
        writer.close()

    server = await asyncio.start_server(ask, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with played(LineSettings("dtu", "modbus-rtu", listen=f"0.0.0.0:{port}"), [unit()]):
        assert (await asyncio.wait_for(heard, 5))[:5] == bytes.fromhex("11 03 02 00 7B")
    server.close()


# --- faults ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
async def test_a_silent_device_says_nothing_until_it_is_healed(way: str, tmp_path: Path) -> None:
    async with connected(way, tmp_path, patience=0.3) as (client, simulation):
        assert not (await client.read_holding_registers(0, count=1, device_id=17)).isError()
        await simulation.fault("gas-1", "silent")
        with pytest.raises(ModbusIOException):
            await client.read_holding_registers(0, count=1, device_id=17)
        await simulation.heal("gas-1", "silent")
        assert not (await client.read_holding_registers(0, count=1, device_id=17)).isError()


async def test_a_device_can_answer_exceptions_and_refuse_writes(tmp_path: Path) -> None:
    async with connected("tcp", tmp_path) as (client, simulation):
        await simulation.fault("gas-1", "refuse_writes", code=7)
        assert (await client.write_register(20, 250, device_id=17)).exception_code == 7
        assert not (await client.read_holding_registers(0, count=1, device_id=17)).isError()
        await simulation.fault("gas-1", "exception", code=6)
        assert (await client.read_holding_registers(0, count=1, device_id=17)).exception_code == 6


async def test_a_frozen_device_keeps_its_values(tmp_path: Path) -> None:
    async with connected("tcp", tmp_path) as (client, simulation):
        await client.read_input_registers(0, count=1, device_id=17)
        await simulation.fault("gas-1", "frozen")
        first = (await client.read_input_registers(0, count=1, device_id=17)).registers
        await asyncio.sleep(0.25)
        assert (await client.read_input_registers(0, count=1, device_id=17)).registers == first
        await simulation.heal("gas-1", "frozen")
        assert (await client.read_input_registers(0, count=1, device_id=17)).registers != first


async def test_a_late_answer_comes_late_and_whole(tmp_path: Path) -> None:
    async with connected("rtu over tcp", tmp_path) as (client, simulation):
        await simulation.fault("gas-1", "late", low=0.2, high=0.25)
        begun = time.monotonic()
        assert (await client.read_holding_registers(0, count=1, device_id=17)).registers == [123]
        assert time.monotonic() - begun > 0.19


async def test_values_can_be_set_and_released(tmp_path: Path) -> None:
    async with connected("tcp", tmp_path) as (client, simulation):
        await simulation.set("gas-1", "lel", 55.5)
        assert (await client.read_holding_registers(0, count=1, device_id=17)).registers == [555]
        await simulation.release("gas-1", "lel")
        assert (await client.read_holding_registers(0, count=1, device_id=17)).registers == [123]
        with pytest.raises(FaultError):
            await simulation.set("gas-1", "lol", 1)


async def test_noise_is_no_fault_of_modbus_tcp(tmp_path: Path) -> None:
    async with connected("tcp", tmp_path) as (_, simulation):
        with pytest.raises(FaultError, match="noise"):
            await simulation.fault("gas-1", "noise")


class Port:
    """The application's end of a pty, raw: frames out, bytes in."""

    def __init__(self, path: Path, baud: int) -> None:
        self._serial = serial.Serial(str(path), baud, timeout=0)

    async def ask(self, request: str, wait: float, expect: int = 256) -> tuple[bytes, float]:
        """Return what came within `wait` seconds and how long the last byte of it took."""
        body = bytes.fromhex(request)
        begun = time.monotonic()
        self._serial.write(body + crc(body))
        return await self.listen(begun, wait, expect)

    async def listen(self, begun: float, wait: float, expect: int = 256) -> tuple[bytes, float]:
        data, last = b"", begun
        while len(data) < expect and (left := begun + wait - time.monotonic()) > 0:
            ready = asyncio.Event()
            loop = asyncio.get_running_loop()
            loop.add_reader(self._serial.fileno(), ready.set)
            try:
                await asyncio.wait_for(ready.wait(), left)
            except TimeoutError:
                break
            finally:
                loop.remove_reader(self._serial.fileno())
            data += self._serial.read(4096)
            last = time.monotonic()
        return data, last - begun

    def close(self) -> None:
        self._serial.close()


def good(frame: bytes) -> bool:
    return len(frame) > 4 and crc(frame[:-2]) == frame[-2:]


async def test_noise_damages_about_the_share_of_answers_that_was_asked_for(tmp_path: Path) -> None:
    async with played(serial_line(tmp_path / "p"), [unit()]) as (simulation, _):
        port = Port(tmp_path / "p", 115200)
        await simulation.fault("gas-1", "noise", probability=0.5)
        answers = [(await port.ask("11 03 00 00 00 01", 0.5, 7))[0] for _ in range(100)]
        assert {len(a) for a in answers} == {7}
        assert 30 <= sum(map(good, answers)) <= 70
        await simulation.heal("gas-1", "noise")
        assert all([good((await port.ask("11 03 00 00 00 01", 0.5, 7))[0]) for _ in range(20)])
        port.close()


async def test_two_devices_with_one_address_spoil_each_others_answers(tmp_path: Path) -> None:
    async with played(serial_line(tmp_path / "p"), [unit()]) as (simulation, _):
        port = Port(tmp_path / "p", 115200)
        await simulation.fault("gas-1", "twin")
        answers = [(await port.ask("11 03 00 00 00 04", 0.1))[0] for _ in range(20)]
        assert all(len(answer) >= 13 for answer in answers)
        assert sum(map(good, answers)) < 8
        port.close()


@pytest.mark.alone
async def test_a_babbling_line_talks_unasked_and_stops(tmp_path: Path) -> None:
    async with played(serial_line(tmp_path / "p"), [unit()]) as (simulation, told):
        port = Port(tmp_path / "p", 115200)
        assert (await port.listen(time.monotonic(), 0.2))[0] == b""
        await simulation.fault("rs485-1", "babble", 0.4)
        assert len((await port.listen(time.monotonic(), 0.35))[0]) > 20
        await asyncio.sleep(0.3)
        await port.listen(time.monotonic(), 0.1)
        assert (await port.listen(time.monotonic(), 0.2))[0] == b""
        assert [(h.event, h.line, h.fault) for h in told] == [
            ("start", "rs485-1", "babble"),
            ("end", "rs485-1", "babble"),
        ]
        port.close()


async def test_a_pulled_adapter_is_gone_and_comes_back_behind_the_same_link(tmp_path: Path) -> None:
    link = tmp_path / "p"
    async with played(serial_line(link), [unit()]) as (simulation, _):
        port = Port(link, 115200)
        assert good((await port.ask("11 03 00 00 00 01", 0.5, 7))[0])
        await simulation.fault("rs485-1", "unplug", 0.3)
        assert not link.is_symlink()
        with pytest.raises((serial.SerialException, OSError, termios.error)):
            await port.ask("11 03 00 00 00 01", 0.1)
        port.close()
        await asyncio.sleep(0.5)
        port = Port(link, 115200)
        assert good((await port.ask("11 03 00 00 00 01", 0.5, 7))[0])
        port.close()
    assert not link.is_symlink()


async def test_what_is_not_a_link_of_ours_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("precious")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    for name in ("file", "link"):
        with pytest.raises(LinkTaken):
            async with played(serial_line(tmp_path / name), [unit()]):
                pass
    assert (tmp_path / "file").read_text() == "precious"


async def test_a_link_left_by_a_killed_simulator_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "p").symlink_to("/dev/pts/9999")
    async with played(serial_line(tmp_path / "p"), [unit()]):
        assert str((tmp_path / "p").readlink()) != "/dev/pts/9999"


# --- the wire ----------------------------------------------------------------------------------------------


@pytest.mark.alone
@pytest.mark.parametrize(("baud", "reads"), [(9600, 3), (115200, 15)])
async def test_a_read_takes_the_time_of_the_wire(baud: int, reads: int, tmp_path: Path) -> None:
    character = 10 / baud
    silence = 3.5 * character if baud <= 19200 else 0.00175
    ideal = 8 * character + silence + 205 * character
    async with played(serial_line(tmp_path / "p"), [unit()]) as (_, _told):
        port = Port(tmp_path / "p", baud)
        times = []
        for _ in range(reads):
            answer, took = await port.ask("11 04 00 64 00 64", 1.0, 205)
            assert good(answer)
            times.append(took)
            await asyncio.sleep(2 * silence)
        port.close()
    # The best of them: this machine is shared, and what it does late is not the pacing's doing.
    assert min(times) == pytest.approx(ideal, rel=0.03)
    assert min(times) > ideal * 0.999


async def test_a_request_without_silence_before_it_is_not_heard(tmp_path: Path) -> None:
    body = bytes.fromhex("11 03 00 00 00 01")
    frame = body + crc(body)
    async with played(serial_line(tmp_path / "p"), [unit()]) as (simulation, _):
        port = serial.Serial(str(tmp_path / "p"), 9600, timeout=0)
        port.write(frame + frame)
        await asyncio.sleep(0.1)
        assert port.read(100) == b""
        assert simulation.report()["lines"]["rs485-1"]["damaged"] == 1
        port.write(frame)
        await asyncio.sleep(0.1)
        assert good(port.read(100))
        port.close()


@pytest.mark.alone
async def test_who_talks_while_an_answer_is_on_the_wire_spoils_it(tmp_path: Path) -> None:
    async with played(serial_line(tmp_path / "p"), [unit()]) as (simulation, _):
        port = Port(tmp_path / "p", 9600)
        clean, _ = await port.ask("11 03 00 00 00 07", 0.2, 19)
        assert good(clean)
        begun, _ = await port.ask("11 03 00 00 00 07", 0.02)  # the answer is under way
        rest, _ = await port.ask("11 03 00 00 00 07", 0.2)
        assert simulation.report()["lines"]["rs485-1"]["collisions"] == 1
        assert len(begun + rest) == len(clean)  # the second request was not heard
        assert not good(begun + rest)
        port.close()


async def test_an_adapter_with_echo_gives_back_what_was_sent_before_the_answer(tmp_path: Path) -> None:
    body = bytes.fromhex("11 03 00 00 00 01")
    async with played(serial_line(tmp_path / "p", echo=True), [unit()]):
        port = Port(tmp_path / "p", 9600)
        heard, _ = await port.ask(body.hex(), 0.5, 15)
        assert heard[:8] == body + crc(body)
        assert good(heard[8:])
        port.close()


@pytest.mark.alone
async def test_the_speed_is_the_one_that_the_application_sets(tmp_path: Path) -> None:
    async with played(serial_line(tmp_path / "p", baud=9600), [unit()]):
        best = {}
        for baud in (2400, 19200):
            port = Port(tmp_path / "p", baud)
            best[baud] = min([(await port.ask("11 03 00 00 00 07", 1.0, 19))[1] for _ in range(3)])
            port.close()
    assert best[2400] > 0.999 * 30.5 * 10 / 2400  # never faster; how much slower is the machine's load
    assert best[19200] < best[2400] / 3


# --- the script --------------------------------------------------------------------------------------------


async def test_a_script_plays_and_tells(tmp_path: Path) -> None:
    port = free_port()
    script = [
        parse_entry({"at": "50ms", "device": "gas-1", "drama": "leak"}),
        parse_entry({"at": "100ms", "device": "gas-1", "fault": "silent", "for": "200ms"}),
    ]
    settings = LineSettings("plant", "modbus-tcp", tcp=f"127.0.0.1:{port}")
    async with played(settings, [unit()], script) as (_, told):
        await asyncio.sleep(0.8)
    assert [(h.event, h.drama or h.fault) for h in told] == [
        ("start", "leak"),
        ("start", "silent"),
        ("end", "silent"),
        ("end", "leak"),
    ]


async def test_two_hundred_units_cost_little(tmp_path: Path) -> None:
    units = [unit(f"gas-{i}", i + 1) for i in range(200)]
    port = free_port()
    settings = LineSettings("plant", "modbus-tcp", tcp=f"127.0.0.1:{port}")

    def poll() -> None:
        with ModbusTcpClient("127.0.0.1", port=port) as client:
            for i in range(200):
                assert not client.read_holding_registers(0, count=7, device_id=i + 1).isError()

    async with played(settings, units):
        await asyncio.to_thread(poll)  # the first look compiles
        await asyncio.sleep(0.11)
        begun = time.thread_time()
        await asyncio.to_thread(poll)
        cost = time.thread_time() - begun  # of this thread: the simulator alone
    assert cost < 0.15
