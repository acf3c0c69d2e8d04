"""Application data of GB/T 26875.3: every type, the limits of the standard, notes, states, analog values."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.cutter import Step
from drivers.gb26875.codes import (
    ANALOGS,
    OUR_ANALOGS,
    OUR_PARTS,
    PARTS,
    STATES,
    SYSTEMS,
    WORDS,
    Analog,
    state_of,
    state_words,
)
from drivers.gb26875.explain import explain, explain_unit
from drivers.gb26875.frame import (
    MOST_DATA,
    Command,
    Frame,
    Gb26875Error,
    confirm,
    decode_frame,
    deny,
    encode_frame,
)
from drivers.gb26875.unit import LAYOUTS, Item, Unit, decode_unit, encode_unit, note, note_text
from drivers.stamp import Stamp

NOW = Stamp(26, 11, 22, 8, 15, 30)
SIZES = {  # of one object with its time tag, by the tables of the standard
    1: 10, 2: 46, 3: 16, 4: 10, 5: 4, 7: 38, 8: 8, 21: 7, 24: 8, 25: 2, 28: 6, 61: 2, 62: 6, 63: 6, 64: 9,
    65: 2, 66: 2, 67: 6, 68: 2, 81: 1, 84: 7, 85: 1, 86: 1, 88: 1, 89: 1, 90: 6, 91: 1, 6: 3, 26: 1,
}  # fmt: skip


def item(kind: int, draw: Any) -> Item:
    found: dict[str, Any] = {}
    for name, size in LAYOUTS[kind].fields:
        if name == "time":
            found[name] = Stamp(*draw(st.tuples(*[st.integers(0, 255)] * 6)))
        elif name in {"note", "part_address"}:
            found[name] = draw(st.binary(min_size=size, max_size=size or 40))
        elif name == "value":
            found[name] = draw(st.integers(-32768, 32767))
        else:
            found[name] = draw(st.integers(0, 256**size - 1))
    return Item(**found)


def test_every_type_of_the_standard_is_there_with_its_size() -> None:
    assert {kind: layout.size for kind, layout in LAYOUTS.items()} == SIZES


@given(st.sampled_from(sorted(LAYOUTS)), st.data())
def test_a_unit_is_read_as_it_was_written(kind: int, drawn: st.DataObject) -> None:
    count = drawn.draw(st.integers(0, min(3, LAYOUTS[kind].most)))
    unit = Unit(kind, tuple(item(kind, drawn.draw) for _ in range(count)))
    data = encode_unit(unit)
    assert decode_unit(data) == unit
    assert len(explain_unit(unit)) == count


@given(st.binary(max_size=200))
def test_any_bytes_are_a_unit_or_refused(data: bytes) -> None:
    try:
        unit = decode_unit(data)
    except Gb26875Error:
        return
    if len(unit.items) <= LAYOUTS.get(unit.type, LAYOUTS[1]).most:
        assert encode_unit(unit) == data
    explain_unit(unit)


@pytest.mark.parametrize("kind", sorted(LAYOUTS))
def test_as_many_objects_as_allowed_fit_into_a_frame_and_one_more_is_refused(kind: int) -> None:
    fields = {
        name: NOW if name == "time" else bytes(size) if name in {"note", "part_address"} else 0
        for name, size in LAYOUTS[kind].fields
    }
    one = Item(**fields)  # type: ignore[arg-type]  # the table gives each field its kind
    most = LAYOUTS[kind].most
    assert len(encode_unit(Unit(kind, (one,) * most))) <= MOST_DATA
    with pytest.raises(Gb26875Error, match="at most") as caught:
        encode_unit(Unit(kind, (one,) * (most + 1)))
    assert caught.value.step is Step.LENGTH


@pytest.mark.parametrize("kind", sorted(LAYOUTS))
def test_a_unit_that_is_a_byte_short_or_long_is_refused(kind: int) -> None:
    good = bytes([kind, 1]) + bytes(SIZES[kind])
    assert len(decode_unit(good).items) == 1
    for bad in (good[:-1], good + b"\0"):
        with pytest.raises(Gb26875Error) as caught:
            decode_unit(bad)
        assert caught.value.step is Step.LENGTH


@pytest.mark.parametrize("kind", [0, 9, 22, 29, 69, 92, 128, 254])
def test_a_type_without_layout_keeps_its_bytes(kind: int) -> None:
    unit = decode_unit(bytes([kind, 3, 1, 2, 3, 4]))
    assert unit == Unit(kind, (), b"\1\2\3\4", 3)
    assert encode_unit(unit) == bytes([kind, 3, 1, 2, 3, 4])


def test_a_missing_field_is_not_written_as_zero() -> None:
    with pytest.raises(Gb26875Error, match="state is missing"):
        encode_unit(Unit(21, (Item(time=NOW),)))


@pytest.mark.parametrize(
    ("kind", "bits", "words"),
    [
        (2, 0x02, ["fire"]),  # as the field sends it, formally a test
        (2, 0x03, ["normal", "fire"]),
        (2, 0x00, ["test"]),
        (2, 0x104, ["fault", "power_fault"]),
        (1, 0x2101, ["normal", "mains_fault", "reset"]),
        (21, 0x08, ["mains_fault"]),
        (21, 0x21, ["normal", "channel_fault"]),
        (2, 0x8001, ["normal", "bit_15"]),
    ],
)
def test_a_state_is_said_in_words_and_no_test_stands_beside_a_fire(
    kind: int, bits: int, words: list[str]
) -> None:
    assert state_words(kind, bits) == words
    if "bit_15" not in words:
        assert state_of(kind, words) == bits


def test_every_word_has_both_languages() -> None:
    assert {w for words in STATES.values() for w in words} <= WORDS.keys()
    for table in (SYSTEMS, PARTS, WORDS, OUR_PARTS):
        assert all(name.zh and name.en for name in table.values())
    assert (len(SYSTEMS), len(ANALOGS)) == (17, 12)
    assert not OUR_ANALOGS.keys() & ANALOGS.keys()


@pytest.mark.parametrize(
    ("text", "size", "data"),
    [
        ("3号楼", 31, "33 ba c5 c2 a5" + " 00" * 26),
        ("配电间", 5, "c5 e4 b5 e7 00"),  # the third character would be cut in two
        ("𠀀", 3, "00 00 00"),  # four bytes in GB18030
        ("", 2, "00 00"),
    ],
)
def test_a_note_is_cut_between_characters(text: str, size: int, data: str) -> None:
    assert note(text, size).hex(" ") == data


@given(st.text(max_size=40))
def test_a_note_fits_whatever_it_says(text: str) -> None:
    assert len(note(text)) == 31
    note_text(note(text))


def test_a_centre_may_have_its_own_analog_types() -> None:
    unit = Unit(3, (Item(1, 1, 17, bytes(4), analog_type=128, value=305, time=NOW),))
    assert explain_unit(unit)[0]["value"] == 305
    assert explain_unit(unit)[0]["unit"] == "mA"
    own = {128: Analog("剩余电流", "residual current", "A", 2)}
    assert explain_unit(unit, own)[0]["value"] == pytest.approx(3.05)
    assert (explain_unit(unit, {})[0]["value"], explain_unit(unit, {})[0]["unit"]) == (305, None)


def test_a_clock_that_was_never_set_costs_no_alarm() -> None:
    frame = Frame(
        1, Stamp(0, 0, 0, 0, 0, 0), 1, 2, Command.SEND, encode_unit(Unit(21, (Item(state=2, time=NOW),)))
    )
    found = explain(encode_frame(frame))
    assert (found["time"], found["objects"][0]["state"]) == (None, ["fire"])


def test_a_confirmation_echoes_the_sequence_and_turns_the_addresses() -> None:
    frame = Frame(513, NOW, 889, 88888, Command.SEND, b"\x16", (16, 0))
    later = Stamp(26, 11, 22, 8, 15, 31)
    assert confirm(frame, later) == Frame(513, later, 88888, 889, Command.CONFIRM, b"\x17", (16, 0))
    assert confirm(Frame(1, NOW, 1, 2, Command.SEND), later).data == b""
    denial = deny(encode_frame(frame)[:-3] + b"\0##", later)
    assert denial == Frame(513, later, 88888, 889, Command.DENY, b"", (16, 0))
    assert deny(b"@@\1\0", later) is None


def test_what_does_not_fit_is_not_written() -> None:
    for bad in (
        Frame(70000, NOW, 1, 2, 2),
        Frame(1, NOW, 2**48, 2, 2),
        Frame(1, NOW, 1, -1, 2),
        Frame(1, Stamp(2026, 1, 1, 0, 0, 0), 1, 2, 2),
        Frame(1, NOW, 1, 2, 2, bytes(1025)),
        Frame(1, NOW, 1, 2, 300),
    ):
        with pytest.raises(Gb26875Error):
            encode_frame(bad)
    assert decode_frame(encode_frame(Frame(1, NOW, 1, 2, 2, bytes(1024)))).data == bytes(1024)
