"""What a listener can say of a line, without ever speaking on it."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playing import unit

from drivers.dlt645 import frame as dlt645
from drivers.modbus import pdu
from drivers.simulator.bus import Bus
from drivers.simulator.faults import Noise, Twin
from drivers.simulator.played import DIALECTS
from drivers.survey.ear import JITTER, RESTS, Ear, Kind
from drivers.survey.frames import cut
from drivers.survey.talk import Setting, Tongue
from drivers.witmotion import frame as witmotion

if TYPE_CHECKING:
    from collections.abc import Iterable

SETTING = Setting(9600)
Piece = tuple[str, bytes, float]


def line(faulty: dict[str, object], addresses: Iterable[int] = (17, 18, 19), polls: int = 20) -> list[Piece]:
    """A master that polls some devices; unit 17 has the faults. Asked and answered as bytes with times."""
    bus = Bus([unit(f"gas-{a}", a, 0.02) for a in addresses], DIALECTS["modbus-rtu"], random.Random(2))
    bus.units[17].faults.update(faulty)  # type: ignore[arg-type]  # faults by name
    pieces: list[Piece] = []
    at = 10.0
    for _ in range(polls):
        for address in addresses:
            query = pdu.read(address, 3, 0, 7)
            pieces.append((">>", query.rtu, at))
            end = at + len(query.rtu) * SETTING.character
            for said in bus.hear_frame(query.rtu, at):
                begin = end + SETTING.silence + said.wait
                pieces.append(("<<", said.data, begin + len(said.data) * SETTING.character))
            at += 0.3
    return pieces


def heard(pieces: Iterable[Piece], gap: float = JITTER, *, ways: bool = True) -> Ear:
    ear = Ear(SETTING, gap)
    for way, data, at in pieces:
        late = 0.0 if ways or way == "<<" else len(data) * SETTING.character  # heard when it is over
        ear.hear(way if ways else "<<", data, at + late)
    ear.close()
    return ear


@pytest.mark.parametrize("ways", [True, False], ids=["our own line", "somebody else's"])
def test_a_healthy_line_shows_who_answers_and_how_fast_and_nothing_wrong(*, ways: bool) -> None:
    ear = heard(line({}), ways=ways)
    assert ear.troubles() == []
    assert {voice.who: (voice.asked, voice.answered) for voice in ear.voices.values()} == {
        "17": (20, 20),
        "18": (20, 20),
        "19": (20, 20),
    }
    assert ear.lost == 0
    for voice in ear.voices.values():
        assert voice.turnaround == pytest.approx(0.02 + SETTING.silence, abs=0.003)


@pytest.mark.parametrize("ways", [True, False], ids=["our own line", "somebody else's"])
def test_two_devices_with_one_address_are_named(*, ways: bool) -> None:
    ear = heard(line({"twin": Twin()}), ways=ways)
    assert [(t.kind, t.who) for t in ear.troubles()] == [(Kind.TWO_DEVICES, "17")]
    assert ear.troubles()[0].share > 0.6


def test_two_whole_answers_to_one_question_are_two_devices() -> None:
    pieces: list[Piece] = []
    for way, data, at in line({}, [17]):
        pieces.append((way, data, at))
        if way == "<<":
            pieces.append((way, data, at + 0.015))
    assert [(t.kind, t.who) for t in heard(pieces, RESTS).troubles()] == [(Kind.TWO_DEVICES, "17")]


def test_a_bad_cable_is_not_taken_for_two_devices() -> None:
    ear = heard(line({"noise": Noise(0.7)}))
    assert [(t.kind, t.who) for t in ear.troubles()] == [(Kind.BROKEN, "17")]


def test_when_everybody_is_damaged_it_is_the_line() -> None:
    chance = random.Random(7)
    pieces = [
        (way, bytes(b ^ (1 << chance.randrange(8)) if i == 4 else b for i, b in enumerate(data)), at)
        if way == "<<" and chance.random() < 0.6
        else (way, data, at)
        for way, data, at in line({})
    ]
    assert [t.kind for t in heard(pieces).troubles()] == [Kind.NOISE]


def test_who_never_answers_is_named() -> None:
    pieces = [p for p in line({}) if p[0] == ">>" or p[1][0] != 17]
    assert [(t.kind, t.who, t.count) for t in heard(pieces).troubles()] == [(Kind.SILENT, "17", 20)]


def test_questions_that_are_not_ours_are_another_master() -> None:
    pieces = line({})
    pieces[4:4] = [("<<", pdu.read(17, 3, 0, 1).rtu, pieces[4][2] - 0.1)]
    assert Kind.OTHER_MASTER in {t.kind for t in heard(pieces).troubles()}


def test_bytes_without_any_frame_say_that_the_rate_is_wrong() -> None:
    ear = heard([("<<", random.Random(1).randbytes(40), 1.0), ("<<", random.Random(2).randbytes(40), 2.0)])
    assert [t.kind for t in ear.troubles()] == [Kind.NOTHING_UNDERSTOOD]


def test_silence_is_no_trouble() -> None:
    assert heard([]).troubles() == []


def test_a_stream_that_nobody_asked_for_is_a_voice() -> None:
    frame = witmotion.encode_frame(witmotion.encode_axes(witmotion.Kind.ANGLE, 1, 2, 3))
    ear = heard([("<<", frame * 3, 1.0 + i) for i in range(5)])
    assert ear.voices[Tongue.WITMOTION, ""].unasked == 15
    assert ear.troubles() == []


def test_meters_are_understood_as_well() -> None:
    ask = dlt645.encode_frame(dlt645.Frame("000000000161", dlt645.READ, bytes.fromhex("00000100")), 4)
    answer = dlt645.encode_frame(dlt645.Frame("000000000161", 0x91, bytes.fromhex("0000010026000000")))
    pieces: list[Piece] = []
    for i in range(5):
        pieces += [("<<", ask, 1.0 + i), ("<<", answer, 1.2 + i)]
    voice = heard(pieces).voices[Tongue.DLT645, "000000000161"]
    assert (voice.asked, voice.answered) == (5, 5)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_it_does_not_matter_how_the_bytes_are_cut(data: st.DataObject) -> None:
    pieces = line({"twin": Twin()}, polls=6)
    cuts: list[Piece] = []
    for way, chunk, at in pieces:
        if way == ">>":
            cuts.append((way, chunk, at))
            continue
        size = data.draw(st.integers(1, max(len(chunk), 1)))
        parts = [chunk[i : i + size] for i in range(0, len(chunk), size)]
        begin = at - len(chunk) * SETTING.character
        done = 0
        for part in parts:
            done += len(part)
            cuts.append((way, part, begin + done * SETTING.character))
    whole, torn = heard(pieces), heard(cuts)
    assert torn.troubles() == whole.troubles()
    assert {k: (v.asked, v.answered, v.broken) for k, v in torn.voices.items()} == {
        k: (v.asked, v.answered, v.broken) for k, v in whole.voices.items()
    }


@given(st.lists(st.tuples(st.sampled_from([">>", "<<"]), st.binary(max_size=20)), max_size=12))
def test_no_bytes_upset_the_ear(pieces: list[tuple[str, bytes]]) -> None:
    ear = heard([(way, data, float(i)) for i, (way, data) in enumerate(pieces)])
    ear.troubles()
    assert ear.bytes == sum(len(data) for _, data in pieces)


def test_a_frame_is_cut_the_same_in_every_tongue_or_not_at_all() -> None:
    frame = pdu.read(17, 3, 0, 7).rtu
    assert [tongue for tongue in Tongue if cut(tongue, frame).said] == [Tongue.MODBUS]
