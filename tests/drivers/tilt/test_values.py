"""The numbers of 0x68 and 0x77 inclinometers: signs, shapes, what is no number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.cutter import Step
from drivers.tilt.frame import ANGLES, GRAVITY, Family, Frame, TiltError, decode_frame, encode_frame
from drivers.tilt.values import (
    FINE,
    LONG,
    SHORT,
    Digits,
    Tilt,
    decode_number,
    decode_tilt,
    encode_number,
    encode_tilt,
)


@given(st.sampled_from([SHORT, LONG, FINE]), st.data())
def test_a_number_is_read_as_it_was_written(how: Digits, drawn: st.DataObject) -> None:
    most = 10 ** (2 * how.size - 1) - 1
    value = drawn.draw(st.integers(-most, most)) / 10**how.decimals
    assert decode_number(encode_number(value, how), how) == pytest.approx(value)


@pytest.mark.parametrize("data", ["20 00 00", "1A 00 00", "F0 00 00", "10 00"])
def test_what_is_no_number_is_refused(data: str) -> None:
    with pytest.raises(TiltError) as caught:
        decode_number(bytes.fromhex(data), SHORT)
    assert caught.value.step is Step.SANITY


def test_there_is_no_minus_nothing() -> None:
    assert str(decode_number(bytes.fromhex("10 00 00"), SHORT)) == "0.0"
    assert encode_number(-0.001, SHORT).hex() == "000000"


def test_a_number_that_does_not_fit_is_not_written() -> None:
    with pytest.raises(TiltError, match="does not fit"):
        encode_number(1000, SHORT)


@pytest.mark.parametrize("family", Family)
@pytest.mark.parametrize(
    ("tilt", "how"),
    [
        (Tilt(-2.87, -0.85, 159.22), SHORT),
        (Tilt(1.5, -1.5), SHORT),
        (Tilt(1.2345, -1.2345), LONG),
        (Tilt(-0.0151, 0.0447, -1.05), FINE),
    ],
)
def test_an_answer_is_read_as_it_was_written(family: Family, tilt: Tilt, how: Digits) -> None:
    frame = encode_tilt(family, 5, tilt, how)
    assert decode_tilt(decode_frame(encode_frame(frame), family)) == tilt
    assert frame.command == (GRAVITY if how is FINE else ANGLES)


def test_the_third_long_number_is_a_temperature_in_one_family_and_an_axis_in_the_other() -> None:
    data = encode_tilt(Family.RION, 0, Tilt(1, 2, temperature=25.5), LONG).data
    assert decode_tilt(Frame(Family.RION, 0, ANGLES, data)) == Tilt(1, 2, None, 25.5)
    assert decode_tilt(Frame(Family.BW, 0, ANGLES, data)) == Tilt(1, 2, 25.5)


def test_an_answer_of_another_size_is_refused() -> None:
    with pytest.raises(TiltError, match="7 bytes") as caught:
        decode_tilt(Frame(Family.BW, 0, ANGLES, bytes(7)))
    assert caught.value.step is Step.LENGTH
    assert decode_tilt(Frame(Family.BW, 0, 0x0C, bytes(7))) is None
