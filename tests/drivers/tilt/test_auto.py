"""Inclinometers that speak by themselves: one word per period, the middle of three readings."""

from __future__ import annotations

from talk import fed

from drivers.conversation import Listeners, Told
from drivers.tilt.auto import listens
from drivers.tilt.frame import Family, encode_frame
from drivers.tilt.values import LONG, Tilt, encode_tilt


def said(x: float, who: int = 3) -> bytes:
    return encode_frame(encode_tilt(Family.BW, who, Tilt(x, -0.5, None), LONG))


def test_five_readings_a_second_become_one_word_a_period() -> None:
    talk = listens(Family.BW)(Listeners({3: 1.0}))
    told: list[Told] = []
    for number in range(20):
        told += fed(talk, said(2.5), 0.2 * number, size=3).told
    assert [(word.who, word.items["x"], word.items["y"]) for word in told] == [(3, 2.5, -0.5)] * 4


def test_a_single_damaged_reading_is_not_told() -> None:
    talk = listens(Family.BW)(Listeners({3: 0.2}))
    told: list[Told] = []
    for number in range(12):
        told += fed(talk, said(80.0 if number == 6 else 2.5), 0.2 * number).told
    assert len(told) == 10
    assert {word.items["x"] for word in told} == {2.5}


def test_a_stranger_is_told_without_values() -> None:
    talk = listens(Family.BW)(Listeners({3: 1.0}))
    (word,) = fed(talk, said(2.5, who=4)).told
    assert (word.who, word.items) == (4, {})
