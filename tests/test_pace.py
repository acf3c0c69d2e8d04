"""The bench's own tools are checked first: a line that is too fast, or a look-away log, would prove anything."""

from __future__ import annotations

import os
import select
import time
from typing import TYPE_CHECKING

import pytest
import serial
from pace import compiler, gaps, paced_pair, read_log, responder, silence, use, wire_limit
from pymodbus import FramerType
from pymodbus.client import ModbusTcpClient

from drivers.simulator.wire import crc

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.alone,
    pytest.mark.skipif(compiler() is None, reason="no C compiler: install gcc"),
]


def read(port: serial.Serial, unit: int, start: int, count: int) -> bytes:
    """Ask as a plain master does that knows how long the answer is."""
    body = bytes((unit, 3, 0, start, 0, count))
    port.write(body + crc(body))
    answer = b""
    while len(answer) < 5 + 2 * count:
        ready, _, _ = select.select([port.fileno()], [], [], 1)
        if not ready:
            break
        answer += os.read(port.fileno(), 256)
    return answer


@pytest.mark.parametrize(("baud", "bits"), [(9600, 10), (9600, 11), (115200, 10)])
def test_bytes_take_the_time_of_the_wire(baud: int, bits: int, tmp_path: Path) -> None:
    with paced_pair(baud, bits, tmp_path / "log") as line:
        sender, receiver = serial.Serial(line.app, baud), serial.Serial(line.device, baud, timeout=2)
        data = bytes(range(200)) * 2 if baud > 9600 else bytes(range(200))
        begun = time.monotonic()
        sender.write(data)
        assert receiver.read(len(data)) == data
        took = time.monotonic() - begun
        sender.close()
        receiver.close()
    ideal = len(data) * bits / baud
    assert took > ideal * 0.999  # never faster than the wire; how much slower is the machine's load
    log = read_log(line.log)
    assert bytes(b.value for b in log) == data
    assert (log[-1].due - log[0].due) / 1e9 == pytest.approx((len(data) - 1) * bits / baud, rel=1e-3)


def test_sixteen_units_answer_after_exactly_the_silence(tmp_path: Path) -> None:
    with paced_pair(9600, 10, tmp_path / "log", units=16) as line:
        port = serial.Serial(line.app, 9600)
        for unit in (1, 16):
            answer = read(port, unit, 3, 10)
            assert answer[:3] == bytes((unit, 3, 20))
            assert answer[3:-2] == b"".join(bytes((unit, 3 + i)) for i in range(10))
            assert crc(answer[:-2]) == answer[-2:]
            time.sleep(silence(9600, 10))  # not to hide a race: the silence that the line asks for
        port.close()
    log = read_log(line.log)
    request, answered = log[:8], log[8:33]
    assert (answered[0].due - request[-1].due) / 1e9 == pytest.approx(4.5 * 10 / 9600, rel=1e-3)


def test_the_log_shows_who_keeps_the_silence_and_who_does_not(tmp_path: Path) -> None:
    kept, broken = tmp_path / "kept", tmp_path / "broken"
    for log, pause in ((kept, 2 * silence(9600, 10)), (broken, 0.0)):
        with paced_pair(9600, 10, log, units=16) as line:
            port = serial.Serial(line.app, 9600)
            for unit in range(1, 9):
                read(port, unit, 0, 10)
                time.sleep(pause)
            port.close()
    assert len(gaps(kept, 9600, 10)) == len(gaps(broken, 9600, 10)) == 7
    assert min(gaps(kept, 9600, 10)) >= silence(9600, 10)
    assert min(gaps(broken, 9600, 10)) < silence(9600, 10)
    assert use(broken, 9600, 10, 10).share > 1.0 > use(kept, 9600, 10, 10).share > 0.7
    assert use(kept, 9600, 10, 10).exchanges == 8


def test_the_limit_is_the_one_of_the_timing_table() -> None:
    assert wire_limit(9600, 11, 10) == pytest.approx(21.8, abs=0.05)
    assert wire_limit(115200, 11, 10) == pytest.approx(150.4, abs=0.2)


@pytest.mark.parametrize(("framing", "framer"), [("tcp", FramerType.SOCKET), ("rtu", FramerType.RTU)])
def test_the_fast_responder_is_a_modbus_device(framing: str, framer: FramerType) -> None:
    with responder(framing, 32) as ports:
        assert len(set(ports)) == 32
        for port in ports[:2]:
            with ModbusTcpClient("127.0.0.1", port=port, framer=framer) as client:
                assert client.read_holding_registers(5, count=4, device_id=3).registers == [5, 6, 7, 8]
                assert not client.write_register(0, 77, device_id=3).isError()
                first = client.read_input_registers(0, count=2, device_id=3).registers
                assert first[0] == 77
                assert client.read_holding_registers(1, count=1, device_id=3).registers == [first[1] + 1]
                assert client.read_coils(0, count=1, device_id=3).exception_code == 1
