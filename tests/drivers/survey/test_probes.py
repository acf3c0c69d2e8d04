"""Questions of a survey: that they only read, and what an answer tells."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.dc589 import frame as dc589
from drivers.dlt645 import frame as dlt645
from drivers.dlt645.frame import Edition
from drivers.modbus import pdu
from drivers.survey import probes
from drivers.survey.frames import cut, hear, whole
from drivers.survey.probes import Sound, harmless, judge
from drivers.survey.talk import Heard, Setting, Shot, Tongue
from drivers.witmotion import frame as witmotion

SETTING = Setting(9600)
OURS = [
    probes.modbus(17, SETTING),
    probes.meters(SETTING),
    probes.meters(SETTING, Edition.Y1997),
    probes.meters(SETTING, Edition.Y2007, "0161"),
    probes.inclinometer(Tongue.TILT68, SETTING),
    probes.inclinometer(Tongue.TILT77, SETTING),
]


@pytest.mark.parametrize("shot", OURS, ids=lambda shot: shot.frame.hex())
def test_every_question_of_ours_only_reads(shot: Shot) -> None:
    assert harmless(shot.tongue, shot.frame)
    said, left = cut(shot.tongue, shot.frame)
    assert (len(said), left) == (1, b"")


def meter(function: int, data: bytes = b"") -> bytes:
    return dlt645.encode_frame(dlt645.Frame("000000000161", function, data))


HARMFUL = [
    (Tongue.MODBUS, pdu.write_register(1, 0, 1).rtu),
    (Tongue.MODBUS, pdu.write_coil(1, 0, on=True).rtu),
    (Tongue.MODBUS, pdu.write_registers(1, 0, [1, 2]).rtu),
    (Tongue.MODBUS, pdu.raw(1, b"\x42").rtu),  # resets the energy of a PZEM
    (Tongue.MODBUS, pdu.read(0, 3, 0, 1).rtu),  # a broadcast
    (Tongue.MODBUS, pdu.read(1, 3, 0, 1).rtu[:-1]),
    (Tongue.MODBUS, pdu.read(1, 3, 0, 1).rtu * 2),
    (Tongue.MODBUS, pdu.read(1, 3, 0, 1).rtu + pdu.write_register(1, 0, 1).rtu),
    (Tongue.DLT645, meter(dlt645.RELAY, bytes(16))),
    (Tongue.DLT645, meter(dlt645.WRITE, bytes(12))),
    (Tongue.DLT645, meter(dlt645.TIME, bytes(6))),
    (Tongue.DLT645, meter(0x1A, bytes(8))),
    (Tongue.DLT645, meter(dlt645.ADDRESS_1997, bytes(6))),
    (Tongue.DLT645, meter(0x91, bytes(4))),  # an answer
    (Tongue.TILT68, bytes.fromhex("68 04 00 0A 0E")),  # save
    (Tongue.TILT77, bytes.fromhex("77 05 00 0C 01 12")),  # automatic output
    (Tongue.WITMOTION, witmotion.encode_command(witmotion.UNLOCK)),
    (Tongue.DC589, bytes.fromhex("EE 09 B9 00 00 00 00 00 00 05 B5")),  # stop a port
    (Tongue.DC589, bytes.fromhex("EE 09 B0 00 00 00 00 00 00 00 B9")),
    (Tongue.DNY, b"DNY"),
]


@pytest.mark.parametrize(("tongue", "frame"), HARMFUL, ids=[f"{t} {f.hex()}" for t, f in HARMFUL])
def test_what_might_change_something_is_never_harmless(tongue: Tongue, frame: bytes) -> None:
    assert not harmless(tongue, frame)


@given(st.sampled_from(sorted(Tongue)), st.binary(max_size=40))
def test_rubbish_is_never_harmless_and_never_an_accident(tongue: Tongue, data: bytes) -> None:
    if harmless(tongue, data):  # then it is one sound question that reads
        assert len(cut(tongue, data).said) == 1
    whole(tongue, data)
    hear(data)


ANSWER = bytes.fromhex("11 03 02 00 7B")
ANSWER += pdu.crc(ANSWER)
REFUSAL = bytes.fromhex("11 83 02") + pdu.crc(bytes.fromhex("11 83 02"))
LATE = bytes.fromhex("10 03 02 00 01") + pdu.crc(bytes.fromhex("10 03 02 00 01"))


@pytest.mark.parametrize(
    ("data", "sound"),
    [
        (b"", Sound.NOTHING),
        (ANSWER, Sound.ANSWER),
        (REFUSAL, Sound.ANSWER),
        (ANSWER + ANSWER, Sound.ANSWER),
        (LATE, Sound.OTHER),
        (ANSWER[:-1], Sound.GARBAGE),
        (b"\x00\xff\x13", Sound.GARBAGE),
    ],
)
@pytest.mark.parametrize("echo", [False, True])
def test_what_comes_back_has_one_name(data: bytes, sound: Sound, *, echo: bool) -> None:
    shot = probes.modbus(17, SETTING)
    verdict = judge(shot, Heard((shot.frame if echo else b"") + data, 0.01))
    assert verdict.sound is sound
    assert verdict.echo is echo


def test_a_meter_that_answers_to_a_wildcard_says_its_address() -> None:
    shot = probes.meters(SETTING)
    answer = bytes.fromhex("68 61 01 00 00 00 00 68 93 06 94 34 33 33 33 33 5F 16")
    verdict = judge(shot, Heard(answer, 0.1))
    assert verdict.sound is Sound.ANSWER
    assert verdict.said[0].who == "000000000161"
    assert shot.frame.endswith(bytes.fromhex("68 AA AA AA AA AA AA 68 13 00 DF 16"))


def test_an_inclinometer_answers_to_everybody() -> None:
    shot = probes.inclinometer(Tongue.TILT68, SETTING)
    assert shot.frame == bytes.fromhex("68 04 00 04 08")
    answer = bytes.fromhex("68 0D 07 84 10 02 87 10 00 85 01 59 22 42")
    verdict = judge(shot, Heard(answer, 0.1))
    assert (verdict.sound, verdict.said[0].who) == (Sound.ANSWER, "7")


@given(st.lists(st.integers(0, 90), min_size=2, max_size=4))
def test_who_talks_by_himself_is_recognised_between_noise(noise: list[int]) -> None:
    frame = witmotion.encode_frame(witmotion.encode_axes(witmotion.Kind.ANGLE, 1, 2, 3))
    stream = b"".join(bytes(n % 7) + frame for n in noise)
    assert Tongue.WITMOTION in hear(stream)


def test_a_board_that_registers_is_recognised() -> None:
    data = bytes.fromhex("11 22 33 44 55 66 77 88") + bytes(40)
    board = dc589.encode_frame(dc589.Frame(0xA0, data))
    assert hear(board)[Tongue.DC589][0].who == "1122334455667788"


def test_noise_is_nobody() -> None:
    assert hear(bytes.fromhex("55 51 00 68 04 EE 00 FF 44 4E 59 01")) == {}


def test_tongues_of_tilt_do_not_hear_each_other() -> None:
    assert not cut(Tongue.TILT77, bytes.fromhex("68 04 00 04 08")).said
