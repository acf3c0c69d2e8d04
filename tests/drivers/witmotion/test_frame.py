"""WitMotion: values in engineering units, commands, and what must not be written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.witmotion.frame import (
    UNITS,
    UNLOCK,
    Command,
    Frame,
    Kind,
    Register,
    WitmotionError,
    decode_command,
    decode_frame,
    encode_axes,
    encode_command,
    encode_frame,
    explain,
    time_of,
)

RANGES = {Kind.ACCELERATION: 16.0, Kind.GYRO: 2000.0, Kind.ANGLE: 180.0}


@given(st.sampled_from(sorted(RANGES)), st.data())
def test_what_a_simulator_says_is_what_is_read(kind: Kind, drawn: st.DataObject) -> None:
    most = RANGES[kind]
    x, y, z = drawn.draw(st.tuples(*[st.floats(-most, most)] * 3))
    frame = decode_frame(encode_frame(encode_axes(kind, x, y, z)))
    assert frame.axes == pytest.approx((x, y, z), abs=1.01 * UNITS[kind][1])


def test_a_value_outside_the_range_is_not_written() -> None:
    with pytest.raises(WitmotionError, match="outside"):
        encode_axes(Kind.ANGLE, 181, 0, 0)
    with pytest.raises(WitmotionError, match="8 bytes"):
        encode_frame(Frame(Kind.ANGLE, b"1234567"))


def test_commands_are_as_the_manual_has_them() -> None:
    assert encode_command(UNLOCK).hex(" ") == "ff aa 69 88 b5"
    assert encode_command(Command(Register.RATE, 0x0B)).hex(" ") == "ff aa 03 0b 00"
    assert decode_command(bytes.fromhex("ff aa 04 06 00")) == Command(Register.BAUD, 6)
    for bad in (b"\xff\xab\1\2\3", b"\xff\xaa\1"):
        with pytest.raises(WitmotionError):
            decode_command(bad)
    with pytest.raises(WitmotionError):
        encode_command(Command(3, 70000))


def test_years_count_from_2000_and_only_time_frames_have_one() -> None:
    frame = Frame(Kind.TIME, bytes.fromhex("1A 0B 16 08 0F 1E F4 01"))
    assert time_of(frame) == ((26, 11, 22, 8, 15, 30), 500)
    assert time_of(Frame(Kind.ANGLE, bytes(8))) is None


def test_a_kind_without_axes_is_shown_as_bytes() -> None:
    found = explain(encode_frame(Frame(Kind.PRESSURE, bytes(range(8)))))
    assert found == {"kind": "pressure", "data": "00 01 02 03 04 05 06 07"}
