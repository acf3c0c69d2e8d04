"""Decoding and encoding: every type in every order, against pymodbus and against each other."""

from __future__ import annotations

import math
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.client.mixin import ModbusClientMixin

from drivers.points import compile_block, encode, refusal
from drivers.profile import Point, Write
from drivers.registers import Order, PointType, Table
from gateway.model import Quality, Value

DT = ModbusClientMixin.DATATYPE
ORACLE = {
    PointType.INT16: DT.INT16,
    PointType.UINT16: DT.UINT16,
    PointType.INT32: DT.INT32,
    PointType.UINT32: DT.UINT32,
    PointType.INT64: DT.INT64,
    PointType.UINT64: DT.UINT64,
    PointType.FLOAT32: DT.FLOAT32,
    PointType.FLOAT64: DT.FLOAT64,
}
SAMPLES: dict[PointType, list[float]] = {
    PointType.INT16: [0, 1, -1, -32768, 32767, 0x1234],
    PointType.UINT16: [0, 1, 65535, 0x1234],
    PointType.INT32: [0, -2, 0x12345678, -(2**31), 2**31 - 1],
    PointType.UINT32: [0, 0x12345678, 2**32 - 1],
    PointType.INT64: [0, -3, 0x123456789ABCDEF0, -(2**63), 2**63 - 1],
    PointType.UINT64: [0, 0x123456789ABCDEF0, 2**64 - 1],
    PointType.FLOAT32: [0.0, -1.5, 230.1999969482422, 3.4028234663852886e38],
    PointType.FLOAT64: [0.0, -1.5, 230.2, 1.7976931348623157e308],
}
BASIC_ORDERS = [Order.ABCD, Order.CDAB, Order.BADC, Order.DCBA]


def data_of(registers: list[int]) -> bytes:
    return struct.pack(f">{len(registers)}H", *registers)


def decode_one(point: Point, registers: list[int]) -> Value | Quality:
    values, bad = compile_block({"x": point}, point.address, len(registers), point.table).decode(
        data_of(registers)
    )
    assert len(values) + len(bad) == 1
    return bad["x"] if bad else values["x"]


def swapped(registers: list[int]) -> list[int]:
    return [(r >> 8) | (r & 0xFF) << 8 for r in registers]


@pytest.mark.parametrize("order", list(Order))
@pytest.mark.parametrize("kind", list(ORACLE))
def test_every_type_and_order_reads_and_writes_as_pymodbus_does(kind: PointType, order: Order) -> None:
    point = Point("holding:7", kind, order=order)
    for sample in SAMPLES[kind]:
        words = ModbusClientMixin.convert_to_registers(
            sample, ORACLE[kind], word_order="little" if order.swaps_words else "big"
        )
        wire = swapped(words) if order.swaps_bytes else words
        assert decode_one(point, wire) == sample
        assert encode(point, sample) == wire


@pytest.mark.parametrize("kind", list(ORACLE))
def test_orders_spelt_in_eight_letters_are_the_four(kind: PointType) -> None:
    for short, long in zip(
        BASIC_ORDERS, [Order.ABCDEFGH, Order.GHEFCDAB, Order.BADCFEHG, Order.HGFEDCBA], strict=True
    ):
        sample = SAMPLES[kind][1]
        assert encode(Point("holding:0", kind, order=short), sample) == encode(
            Point("holding:0", kind, order=long), sample
        )


def test_the_letters_say_where_each_byte_arrives() -> None:
    value = int.from_bytes(b"ABCD", "big")
    long = int.from_bytes(b"ABCDEFGH", "big")
    for order in BASIC_ORDERS:
        assert data_of(encode(Point("holding:0", PointType.UINT32, order=order), value)) == order.encode()
    for order in (Order.ABCDEFGH, Order.GHEFCDAB, Order.BADCFEHG, Order.HGFEDCBA):
        assert data_of(encode(Point("holding:0", PointType.UINT64, order=order), long)) == order.encode()


INTEGERS = {k: v for k, v in SAMPLES.items() if k.is_integer}


def values_of(kind: PointType) -> st.SearchStrategy[Any]:
    if kind is PointType.STRING:
        return st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=8)
    if kind is PointType.BOOL:
        return st.booleans()
    if kind.is_float:
        return st.floats(allow_nan=False, allow_infinity=False, width=int(kind.value[5:]))  # type: ignore[arg-type]
    if kind.is_bcd:
        return st.integers(0, 10 ** (4 * kind.registers) - 1)
    bits = int(kind.value.lstrip("uint"))
    return (
        st.integers(-(1 << bits - 1), (1 << bits - 1) - 1)
        if kind.value[0] == "i"
        else st.integers(0, (1 << bits) - 1)
    )


@st.composite
def point_and_value(draw: st.DrawFn) -> tuple[Point, Value]:
    kind = draw(st.sampled_from([kind for kind in PointType if kind is not PointType.NUMBER]))
    order = draw(st.sampled_from(list(Order)))
    more: dict[str, Any] = {}
    if kind is PointType.STRING:
        more["length"] = 4
    if kind is PointType.BOOL:
        more["bit"] = draw(st.integers(0, 15))
    if kind in {PointType.INT8, PointType.UINT8}:
        more["half"] = draw(st.sampled_from(["high", "low"]))
    return Point("input:3", kind, order=order, **more), draw(values_of(kind))


@given(point_and_value(), st.integers(0, 5), st.integers(0, 5))
def test_what_is_encoded_is_decoded_again_wherever_it_lies(
    drawn: tuple[Point, Value], before: int, after: int
) -> None:
    point, value = drawn
    registers = encode(point, value)
    start = max(0, point.address - before)
    block = [0xAAAA] * (point.address - start) + registers + [0x5555] * after
    decoder = compile_block({"x": point}, start, len(block), Table.INPUT)
    assert decoder.decode(data_of(block)) == ({"x": value}, {})


@given(
    st.lists(st.tuples(st.sampled_from(list(ORACLE)), st.sampled_from(list(Order))), min_size=1, max_size=12),
    st.data(),
)
def test_many_points_in_one_block_do_not_disturb_each_other(
    kinds: list[tuple[PointType, Order]], data: st.DataObject
) -> None:
    points: dict[str, Point] = {}
    wanted: dict[str, Value] = {}
    registers: list[int] = []
    for number, (kind, order) in enumerate(kinds):
        registers += [0xDEAD] * data.draw(st.integers(0, 3))
        point = Point(f"holding:{len(registers)}", kind, order=order)
        points[f"p{number}"] = point
        wanted[f"p{number}"] = data.draw(values_of(kind))
        registers += encode(point, wanted[f"p{number}"])
    values, bad = compile_block(points, 0, len(registers), Table.HOLDING).decode(data_of(registers))
    assert (values, bad) == (wanted, {})


@given(
    st.integers(0, 0xFFFF), st.integers(0, 15), st.integers(0, 15), st.sampled_from(BASIC_ORDERS), st.data()
)
def test_a_bit_field_changes_only_its_own_bits(
    before: int, a: int, b: int, order: Order, data: st.DataObject
) -> None:
    top, low = max(a, b), min(a, b)
    point = Point("holding:0", PointType.UINT16, bits=(top, low), order=order)
    value = data.draw(st.integers(0, (1 << top - low + 1) - 1))
    (after,) = encode(point, value, [before])
    assert decode_one(point, [after]) == value
    keep = ((1 << top + 1) - (1 << low)) ^ 0xFFFF
    word = [before, after] if not order.swaps_bytes else swapped([before, after])
    assert word[0] & keep == word[1] & keep


def test_bits_masks_halves_and_bits_share_a_register() -> None:
    points = {
        "unit": Point("holding:0", PointType.UINT16, bits=(15, 12)),
        "decimals": Point("holding:0", PointType.UINT16, bits=(11, 8)),
        "low": Point("holding:0", PointType.UINT16, mask=0x00F0),
        "flag": Point("holding:0", PointType.BOOL, bit=1),
        "high_byte": Point("holding:1", PointType.INT8, half="high"),
        "low_byte": Point("holding:1", PointType.UINT8, half="low"),
    }
    values, bad = compile_block(points, 0, 2, Table.HOLDING).decode(bytes.fromhex("21 52 FE 80"))
    assert values == {"unit": 2, "decimals": 1, "low": 0x50, "flag": True, "high_byte": -2, "low_byte": 128}
    assert bad == {}


def test_an_integer_without_scale_stays_an_int_and_a_scaled_one_is_a_round_decimal() -> None:
    assert decode_one(Point("holding:0", PointType.UINT16), [2302]) == 2302
    assert type(decode_one(Point("holding:0", PointType.UINT16), [2302])) is int
    for raw in range(65536):
        assert decode_scaled(raw) == float(f"{raw // 10}.{raw % 10}")
    assert decode_one(Point("holding:0", PointType.UINT16, scale=0.1, offset=-50), [753]) == 25.3
    assert (
        decode_one(Point("holding:0", PointType.INT16, scale=0.0054931640625), [0x1555])
        == 0x1555 * 180 / 32768
    )


SCALED = compile_block({"x": Point("holding:0", PointType.UINT16, scale=0.1)}, 0, 1, Table.HOLDING)


def decode_scaled(raw: int) -> Value:
    return SCALED.decode(struct.pack(">H", raw))[0]["x"]


@pytest.mark.parametrize("kind", [PointType.FLOAT16, PointType.FLOAT32, PointType.FLOAT64])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("ranged", [None, (0.0, 100.0)])
def test_nan_and_infinity_are_no_values(
    kind: PointType, value: float, ranged: tuple[float, float] | None
) -> None:
    point = Point("holding:0", kind, range=ranged)
    assert decode_one(point, encode(point, value)) is Quality.NOT_A_NUMBER


def test_sentinels_come_before_the_range_and_are_raw_bits() -> None:
    signed = Point("holding:0", PointType.INT16, scale=0.1, range=(-40, 200), sentinel=(0x8000, 0x7FFF))
    assert decode_one(signed, [0x8000]) is Quality.SENTINEL
    assert decode_one(signed, [0x7FFF]) is Quality.SENTINEL
    inside = Point("holding:0", PointType.UINT16, sentinel=(0xFFFF,))
    assert decode_one(inside, [0xFFFF]) is Quality.SENTINEL
    assert decode_one(inside, [0xFFFE]) == 0xFFFE
    wide = Point("holding:0", PointType.FLOAT32, order=Order.CDAB, sentinel=(0x4B18967F,))
    assert decode_one(wide, [0x967F, 0x4B18]) is Quality.SENTINEL  # 9999999.0
    bcd = Point("holding:0", PointType.BCD48, order=Order.CDAB, sentinel=(0xFFFFFFFFFFFF,))
    assert decode_one(bcd, [0xFFFF] * 3) is Quality.SENTINEL


@pytest.mark.parametrize("scale", [0.1, -0.1])
def test_the_range_says_over_and_under_in_engineering_units(scale: float) -> None:
    point = Point("holding:0", PointType.INT16, scale=scale, range=(-5, 100))
    turn = 1 if scale > 0 else -1
    for value, wanted in [
        (-5.1, Quality.UNDER_RANGE),
        (-5.0, -5.0),
        (100.0, 100.0),
        (100.1, Quality.OVER_RANGE),
    ]:
        assert (
            decode_one(point, encode(Point("holding:0", PointType.INT16), turn * round(value * 10))) == wanted
        )


def test_bcd_digits_above_nine_are_no_number() -> None:
    for kind in (PointType.BCD16, PointType.BCD32, PointType.BCD48, PointType.BCD64):
        point = Point("holding:0", kind, scale=0.01)
        good = encode(point, 12.34)
        assert decode_one(point, good) == 12.34
        assert decode_one(point, [*good[:-1], 0x123A]) is Quality.NOT_A_NUMBER


def test_a_code_that_nobody_listed_is_never_taken_for_normal() -> None:
    point = Point("holding:0", PointType.UINT16, mask=0x00FF, enum={0: "warm_up", 1: "normal"})
    assert decode_one(point, [0xAB01]) == "normal"
    assert decode_one(point, [0x0009]) is Quality.UNKNOWN_CODE
    decoder = compile_block({"status": point}, 0, 1, Table.HOLDING)
    assert decoder.raw(b"\x00\x09") == {"status": 9}  # and people can still see it


def test_strings_end_at_nul_and_may_come_low_byte_first() -> None:
    high = Point("holding:0", PointType.STRING, length=4)
    assert decode_one(high, [0x4142, 0x4300, 0x5A5A, 0x5A5A]) == "ABC"
    low = Point("holding:0", PointType.STRING, length=4, order=Order.BADC)
    assert encode(low, "ABC") == [0x4241, 0x0043, 0, 0]
    assert decode_one(low, [0x4241, 0x0043, 0, 0]) == "ABC"
    gbk = Point("holding:0", PointType.STRING, length=4, encoding="gb18030")
    assert decode_one(gbk, encode(gbk, "井盖")) == "井盖"
    assert decode_one(high, [0xFF41, 0, 0, 0]) is Quality.NOT_A_NUMBER


def test_coils_are_bits_lowest_first_and_may_have_words() -> None:
    points = {
        "a": Point("coil:8", PointType.BOOL),
        "b": Point("coil:17", PointType.BOOL, enum={0: "open", 1: "closed"}),
        "c": Point("coil:9", PointType.BOOL, enum={0: "off"}),
    }
    decoder = compile_block(points, 8, 10, Table.COIL)
    assert decoder.decode(bytes([0b0000_0011, 0b10])) == (
        {"a": True, "b": "closed"},
        {"c": Quality.UNKNOWN_CODE},
    )
    assert encode(points["b"], "closed") == [1]


def test_data_of_another_size_is_refused() -> None:
    decoder = compile_block({"x": Point("holding:0", PointType.UINT16)}, 0, 2, Table.HOLDING)
    for data in (b"", b"\0" * 3, b"\0" * 6):
        with pytest.raises(ValueError, match="bytes of data where 4"):
            decoder.decode(data)
    with pytest.raises(ValueError, match="not within"):
        compile_block({"x": Point("holding:9", PointType.UINT32)}, 0, 10, Table.HOLDING)


@pytest.mark.parametrize(
    ("point", "value"),
    [
        (Point("holding:0", PointType.UINT16), -1),
        (Point("holding:0", PointType.UINT16), 65536),
        (Point("holding:0", PointType.INT8), 128),
        (Point("holding:0", PointType.INT16), math.nan),
        (Point("holding:0", PointType.BCD16), 10000),
        (Point("holding:0", PointType.BCD16), -1),
        (Point("holding:0", PointType.UINT16, bits=(3, 0)), 16),
        (Point("holding:0", PointType.UINT16, mask=0xF0), 1),
        (Point("holding:0", PointType.UINT16, enum={1: "on"}), "off"),
        (Point("holding:0", PointType.STRING, length=1), "ABC"),
        (Point("holding:0", PointType.UINT16), "12"),
        (Point("coil:0", PointType.BOOL), 2),
        (Point("holding:0", PointType.FLOAT32), 1e300),
    ],
)
def test_a_value_that_cannot_be_expressed_is_refused(point: Point, value: Value) -> None:
    with pytest.raises(ValueError, match=r"."):
        encode(point, value)


def test_only_what_the_profile_allows_may_be_written() -> None:
    setpoint = Point("holding:0", PointType.UINT16, scale=0.1, unit="%LEL", write=Write(min=5, max=50))
    assert refusal(setpoint, 20) == ""
    assert "not within 5 to 50 %LEL" in refusal(setpoint, 60)
    assert "not a number" in refusal(setpoint, math.nan)
    assert "allows no writing" in refusal(Point("holding:0", PointType.UINT16), 1)
    valve = Point("coil:0", PointType.BOOL, enum={0: "open", 1: "closed"}, write=Write(words=("open",)))
    assert refusal(valve, "open") == ""
    assert "none of open" in refusal(valve, "closed")


def test_points_of_different_width_may_look_at_the_same_registers() -> None:
    points = {
        "both": Point("holding:0", PointType.UINT32, mask=0xFF00_0000),
        "high": Point("holding:0", PointType.UINT8, half="low"),
        "low": Point("holding:1", PointType.UINT16),
    }
    values, _ = compile_block(points, 0, 2, Table.HOLDING).decode(bytes.fromhex("12 34 56 78"))
    assert values == {"both": 0x12000000, "high": 0x34, "low": 0x5678}
