"""Requests are built once, by pymodbus; answers are judged on bytes. pymodbus is the oracle for both."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer.rtu import FramerRTU
from pymodbus.pdu import DecodePDU
from pymodbus.pdu.bit_message import ReadCoilsResponse
from pymodbus.pdu.register_message import ReadHoldingRegistersResponse

from drivers.modbus import pdu

UNITS = st.integers(1, 247)
WORDS = st.integers(0, 0xFFFF)


@given(st.binary(max_size=260))
def test_our_checksum_is_that_of_pymodbus(data: bytes) -> None:
    assert pdu.crc(data) == FramerRTU.compute_CRC(data).to_bytes(2, "big")


def test_a_read_request_is_the_example_of_the_specification() -> None:
    query = pdu.read(17, 3, 0x6B, 3)  # MODBUS application protocol V1.1b3, 6.3
    assert query.pdu.hex() == "03006b0003"
    assert query.rtu.hex() == "1103006b00037687"
    assert query.mbap.hex() == "00000006" + "1103006b0003"
    assert (query.shape.hex(), query.answer) == ("0306", 8)


@given(UNITS, st.sampled_from(sorted(pdu.READS)), st.integers(0, 0xFF00), st.integers(1, 125))
def test_pymodbus_understands_our_reads(unit: int, function: int, start: int, count: int) -> None:
    query = pdu.read(unit, function, start, count)
    got = DecodePDU(is_server=True).decode(query.pdu)
    assert got is not None
    assert (got.function_code, got.address, got.count) == (function, start, count)


@given(UNITS, WORDS, st.lists(WORDS, min_size=1, max_size=100))
def test_pymodbus_understands_our_register_writes(unit: int, address: int, words: list[int]) -> None:
    decode = DecodePDU(is_server=True).decode
    several = decode(pdu.write_registers(unit, address, words).pdu)
    one = decode(pdu.write_register(unit, address, words[0]).pdu)
    assert several is not None
    assert one is not None
    assert (several.address, several.registers) == (address, words)
    assert (one.address, one.registers) == (address, words[:1])


@given(WORDS, st.lists(st.booleans(), min_size=1, max_size=100))
def test_pymodbus_understands_our_coil_writes(address: int, coils: list[bool]) -> None:
    decode = DecodePDU(is_server=True).decode
    several = decode(pdu.write_coils(1, address, coils).pdu)
    one = decode(pdu.write_coil(1, address, on=coils[0]).pdu)
    assert several is not None
    assert one is not None
    assert several.bits[: len(coils)] == coils
    assert one.bits == coils[:1]


@given(st.lists(WORDS, min_size=1, max_size=125))
def test_registers_come_out_as_pymodbus_put_them_in(words: list[int]) -> None:
    assert pdu.registers(ReadHoldingRegistersResponse(registers=words).encode()) == tuple(words)


@given(st.lists(st.booleans(), min_size=1, max_size=200))
def test_bits_come_out_as_pymodbus_put_them_in(bits: list[bool]) -> None:
    assert pdu.bits(ReadCoilsResponse(bits=bits).encode(), len(bits)) == tuple(bits)


@pytest.mark.parametrize(
    ("function", "start", "count"),
    [(3, 0, 0), (3, 0, 126), (1, 0, 2001), (3, 0xFFFF, 2), (5, 0, 1), (3, -1, 1)],
)
def test_what_cannot_be_read_is_refused_with_its_values(function: int, start: int, count: int) -> None:
    with pytest.raises(ValueError, match=r"\d"):
        pdu.read(1, function, start, count)


QUERIES = [
    *(
        pdu.read(5, f, s, n)
        for f in (1, 2, 3, 4)
        for s in (0, 7, 0xFFFF)
        for n in (1, 2, 8, 9, 125)
        if s + n <= 0x10000
    ),
    pdu.write_coil(5, 3, on=True),
    pdu.write_register(5, 3, 77),
    pdu.write_coils(5, 3, [True, False]),
    pdu.write_registers(5, 3, [1, 2]),
    pdu.raw(5, bytes([0x11])),
]


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_a_fence_is_a_read_of_the_same_unit_that_cannot_be_taken_for_the_query(query: pdu.Query) -> None:
    for attempt in range(6):
        forms = pdu.fence(query, attempt)
        assert forms
        for form in forms:
            assert form.unit == query.unit
            assert form.function in pdu.READS
            assert not form.shape.startswith(query.shape)
            assert not query.shape.startswith(form.shape)


def test_successive_fences_begin_with_another_form() -> None:
    query = pdu.read(5, 3, 0, 10)
    assert len({pdu.fence(query, attempt)[0].pdu for attempt in range(3)}) == 3
