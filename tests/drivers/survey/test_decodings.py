"""What a block of registers may mean, and which decoding gives what the display shows."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.points import compile_block
from drivers.profile import Point
from drivers.registers import Order, PointType, Table
from drivers.survey.decodings import ORDERS, decodings, matching

PZEM = [0x08FD, 0x020B, 0x0000, 0x0484, 0x0000, 0x04D2, 0x0000, 0x01F4, 0x0060, 0x0000]
SDM = list(struct.unpack(">4H", struct.pack(">2f", 230.2, 6.25)))


def test_a_float_that_looks_measured_comes_first() -> None:
    best = decodings(SDM, 0, Table.INPUT)[0]
    assert (best.type, best.order, best.address) == (PointType.FLOAT32, Order.ABCD, 0)
    assert best.value == pytest.approx(230.2, rel=1e-6)
    assert best.line(Table.INPUT) == 'NAME: {register: "input:0x0000", type: float32}'


@pytest.mark.parametrize(
    ("shown", "address", "kind", "order", "scale"),
    [
        ("230.1", 0, PointType.UINT16, Order.ABCD, 0.1),
        ("0.523", 1, PointType.UINT16, Order.ABCD, 0.001),
        ("115.6", 3, PointType.UINT16, Order.ABCD, 0.1),
        ("50.0", 7, PointType.UINT16, Order.ABCD, 0.1),
        ("0.96", 8, PointType.UINT16, Order.ABCD, 0.01),
    ],
)
def test_the_display_tells_which_decoding_is_right(
    shown: str, address: int, kind: PointType, order: Order, scale: float
) -> None:
    best = matching(PZEM, 0, Table.INPUT, shown)[0]
    assert (best.address, best.type, best.order, best.scale) == (address, kind, order, scale)


def test_a_display_that_rounds_is_understood() -> None:
    assert matching(SDM, 0x10, Table.INPUT, "6.3")[0].address == 0x12


def test_a_value_that_is_nowhere_is_not_invented() -> None:
    assert matching([7, 7, 7], 0, Table.HOLDING, "123.4") == []


def test_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="could not convert"):
        matching(PZEM, 0, Table.INPUT, "many")


@given(
    st.sampled_from(
        [PointType.UINT16, PointType.INT16, PointType.UINT32, PointType.INT32, PointType.FLOAT32]
    ),
    st.sampled_from(ORDERS),
    st.integers(1, 30000),
    st.sampled_from([1.0, 0.1, 0.01, 0.001]),
)
def test_whatever_the_device_means_the_display_finds_it(
    kind: PointType, order: Order, number: int, scale: float
) -> None:
    point = Point("holding:0", kind, order=order)
    raw = _raw(kind, order, number)
    value = number * scale
    found = matching(raw, 0, Table.HOLDING, f"{value:.4f}")
    data = b"".join(word.to_bytes(2, "big") for word in raw)
    good, _ = compile_block({"it": point}, 0, len(raw), Table.HOLDING).decode(data)
    assert good["it"] == number
    assert any(decoding.value == pytest.approx(value, abs=1e-4) for decoding in found)


def _raw(kind: PointType, order: Order, number: int) -> list[int]:
    size = 2 * kind.registers
    data = (
        struct.pack(">f", number) if kind.is_float else number.to_bytes(size, "big", signed="u" not in kind)
    )
    words = list(struct.unpack(f">{size // 2}H", data))
    if order.swaps_bytes:
        words = [int.from_bytes(word.to_bytes(2, "little"), "big") for word in words]
    return words[::-1] if order.swaps_words else words


@given(
    st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=12), st.sampled_from([Table.HOLDING, Table.INPUT])
)
def test_every_decoding_is_a_line_that_decodes_to_the_same(words: list[int], table: Table) -> None:
    data = b"".join(word.to_bytes(2, "big") for word in words)
    for decoding in decodings(words, 0, table):
        point = Point(
            f"{table}:{decoding.address}", decoding.type, order=decoding.order, length=decoding.length
        )
        good, _ = compile_block({"it": point}, 0, len(words), table).decode(data)
        assert good["it"] == decoding.value


def test_text_is_seen_as_text() -> None:
    words = list(struct.unpack(">5H", b"LP-5 rev C"))
    assert decodings(words, 0, Table.HOLDING)[0].value == "LP-5 rev C"
