"""DL/T 645: blocks, follow-up frames, wildcards, both editions, and what must not be written."""

from __future__ import annotations

import pytest

from drivers.cutter import Step
from drivers.dlt645.explain import explain
from drivers.dlt645.frame import Dlt645Error, Edition, Frame, decode_frame, encode_frame, matches

METER = "000000000161"


def reply(data: str, control: int = 0x91) -> bytes:
    return encode_frame(Frame(METER, control, bytes.fromhex(data)))


def test_a_block_says_all_its_values() -> None:
    found = explain(reply("00 FF 01 02 05 22 98 21 FF FF"))
    assert (found["di"], found["value"], found["unit"]) == ("0201FF00", None, "V")
    assert found["values"] == [220.5, 219.8, None]


def test_a_block_cut_within_a_value_is_refused() -> None:
    with pytest.raises(Dlt645Error, match="no whole number") as caught:
        explain(reply("00 FF 01 02 05 22 98"))
    assert caught.value.step is Step.LENGTH


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("00 00 03 02 45 23 80", -0.2345),
        ("00 00 06 02 50 89", -0.95),
        ("00 01 02 02 34 12 80", -1.234),
        ("07 00 80 02 53 80", -5.3),
        ("00 00 00 00 26 00 00 80", -0.26),
        ("00 00 01 00 26 00 00 80", 800000.26),
        ("00 00 01 00 FF FF FF FF", None),
        ("03 05 00 04 10 00", 16),
    ],
)
def test_the_top_bit_is_a_sign_where_the_table_says_so(data: str, value: float | None) -> None:
    assert explain(reply(data))["value"] == (None if value is None else pytest.approx(value))


def test_an_identity_is_a_text_because_its_zeros_count() -> None:
    found = explain(reply("01 04 00 04 61 01 00 00 00 00"))
    assert (found["value"], found["text"]) == (None, METER)


def test_a_follow_up_frame_says_which_it_is() -> None:
    second = Frame(METER, 0xB2, bytes.fromhex("00 FF 01 02 21 01 01"))
    assert explain(encode_frame(second))["sequence"] == 1


@pytest.mark.parametrize(
    ("asked", "true"),
    [(METER, True), ("AA" * 6, True), ("AAAAAAAA0161", True), ("AAAAAAAA0162", False), ("0" * 12, False)],
)
def test_wildcard_pairs_match_any_meter(asked: str, true: bool) -> None:
    assert matches(Frame(METER, 0x91), asked) is true


@pytest.mark.parametrize(
    ("control", "edition"),
    [
        (0x01, Edition.Y1997),
        (0x81, Edition.Y1997),
        (0x11, Edition.Y2007),
        (0x91, Edition.Y2007),
        (0x08, Edition.Y2007),
    ],
)
def test_the_function_tells_the_edition(control: int, edition: Edition) -> None:
    assert Frame(METER, control).edition is edition


def test_what_does_not_fit_is_not_written() -> None:
    for bad in ("12345", "00000000016X", "A00000000161"):
        with pytest.raises(Dlt645Error, match="12 decimal digits"):
            encode_frame(Frame(bad, 0x11))
    with pytest.raises(Dlt645Error, match="at most 200"):
        encode_frame(Frame(METER, 0x11, bytes(201)))


def test_more_data_than_allowed_are_refused() -> None:
    data = bytearray(encode_frame(Frame(METER, 0x91, bytes(200))))
    data[9] = 201
    with pytest.raises(Dlt645Error, match="201 bytes") as caught:
        decode_frame(bytes(data))
    assert caught.value.step is Step.LENGTH


@pytest.mark.parametrize("control", [0x14, 0x04, 0x18, 0x0F, 0x19, 0x1A, 0x1B, 0x1C])
def test_a_password_is_never_shown(control: int) -> None:
    secret = "02 77 66 55 78 56 34 12"
    for data in (f"01 02 03 04 {secret}", secret):
        shown = str(explain(reply(data, control)))
        assert "77 66 55" not in shown
        assert "776655" not in shown
