"""A fire panel's printer port: fires hold until the reset, and nothing that was printed is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from talk import fed, merged

from drivers.conversation import Listeners, Told
from drivers.gst9000.record import Record, encode_record
from drivers.gst9000.talk import PANEL, SLOTS, Printer, address_of

WHEN = "08/12/02  17:24"
PUBLISHED = bytes.fromhex("1B3630382F31322F3032202031373A32340A20203030342D3030340A1B39CAD7B4CEBBF0BEAF0A")


def printed(words: str, loop: int = 4, point: int = 12) -> bytes:
    return encode_record(Record(loop, point, words, WHEN))


def printer(*places: str) -> Printer:
    return Printer(Listeners(dict.fromkeys((PANEL, *places), 86400.0)))


@pytest.mark.parametrize("size", [0, 1, 5])
def test_the_published_record_is_a_first_fire(size: int) -> None:
    told = merged(fed(printer("004-004"), PUBLISHED, size=size).told)
    assert told["004-004"] == {"fire": True, "first": True}
    assert (told[PANEL]["fires"], told[PANEL]["last"]) == (1, "004-004 首次火警 08/12/02  17:24")


def test_a_reset_ends_every_fire_of_the_panel() -> None:
    port = printer("004-012")
    fed(port, printed("首次火警") + printed("火警", 4, 13))
    told = merged(fed(port, printed("复位", 0, 0)).told)
    assert told[None] == {"fire": False, "first": False}
    assert (told[PANEL]["fires"], told[PANEL]["slot.1"]) == (0, "")


def test_what_still_burns_after_a_reset_is_a_fire_anew() -> None:
    port = printer("004-012")
    fed(port, printed("火警", 9, 1) + printed("火警", 9, 2) + printed("复位"))
    panel = merged(fed(port, printed("首次火警", 9, 2)).told)[PANEL]
    assert (panel["fires"], panel["slot.1"], panel["slot.2"]) == (1, "009-002", "")


def test_a_fire_at_a_place_that_is_not_listed_fills_a_slot_of_its_own() -> None:
    port = printer("004-012")
    fed(port, printed("首次火警", 9, 1))
    panel = merged(fed(port, printed("火警", 9, 2)).told)[PANEL]
    assert (panel["slot.1"], panel["slot.2"], panel["slot.3"]) == ("009-001", "009-002", "")
    again = merged(fed(port, printed("火警", 9, 1)).told)[PANEL]
    assert (again["slot.2"], again["slot.3"], again["fires"]) == ("009-002", "", 2)


def test_the_last_slot_takes_all_that_come_after() -> None:
    port, panel = printer(), {}
    for point in range(1, SLOTS + 3):
        panel = merged(fed(port, printed("火警", 9, point)).told)[PANEL]
    assert panel[f"slot.{SLOTS}"] == "009-008 009-009 009-010"
    assert panel["fires"] == SLOTS + 2


def test_words_nobody_knows_are_told_with_their_place() -> None:
    port = printer("004-012")
    told = merged(fed(port, printed("模块故障")).told)
    assert told[PANEL]["unknown"] == "004-012 模块故障"
    assert told["004-012"] == {}, "it lives"
    assert merged(fed(port, printed("火警")).told)[PANEL]["unknown"] == ""


@pytest.mark.parametrize(
    "damage",
    [
        printed("火警").replace(b"\x1b6", b"\x1b7"),  # its beginning is not recognised
        printed("火警").replace(b"004-012", b"0x4-012"),
        b"\x1b@ power on self test\r\n",
    ],
)
def test_a_print_that_cannot_be_read_is_told_until_the_next_sound_one(damage: bytes) -> None:
    port = printer("004-012")
    assert merged(fed(port, damage).told)[PANEL]["unreadable"] is True
    assert merged(fed(port, printed("火警")).told)[PANEL]["unreadable"] is False
    assert merged(fed(port, damage + printed("火警")).told)[PANEL]["unreadable"] is True, "in one piece too"


def test_blank_lines_between_records_mean_nothing() -> None:
    port = printer("004-012")
    told = fed(port, printed("首次火警") + b"\r\n\n" + printed("复位") + b"\n\n").told
    assert [word.items["unreadable"] for word in told if word.who == PANEL] == [False, False]


@given(st.lists(st.integers(1, 30), min_size=1, max_size=20))
def test_cut_anywhere_it_says_the_same(cuts: list[int]) -> None:
    data = printed("首次火警") + printed("火警", 9, 9) + printed("复位") + printed("首次火警", 9, 9)
    pieces, whole, at = printer("004-012"), printer("004-012"), 0
    found: list[Told] = []
    while at < len(data):
        for size in cuts:
            found += fed(pieces, data[at : at + size]).told
            at += size
    assert found == list(fed(whole, data).told)


def test_addresses_are_loop_and_point_or_the_panel() -> None:
    assert [address_of(text) for text in ("4-12", "004-012", "panel")] == ["004-012", "004-012", "panel"]
    with pytest.raises(ValueError, match='"panel"'):
        address_of(4)
