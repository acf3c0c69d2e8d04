"""Modbus answers that nobody asked for: cut anywhere, known by their length, never held up by noise."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from talk import fed, moment
from wire import rtu

from drivers.conversation import Listeners, Told
from drivers.modbus.report import PAUSE, Reports, unfit
from drivers.profile import Limits, Point
from drivers.registers import PointType
from gateway.config.profiles import load_profile

COVER = rtu(9, 3, 10, 5, 240, 255, 226, 0, 42, 0, 88, 255, 165)
WORD = Told(9, {"holding": "05 f0 ff e2 00 2a 00 58 ff a5"})


def reports() -> Reports:
    return Reports(Listeners({9: 28800.0}))


@given(st.lists(st.integers(1, 20), min_size=1, max_size=10))
def test_cut_anywhere_it_is_heard(cuts: list[int]) -> None:
    data, talk, at = COVER * 3, reports(), 0
    told: list[Told] = []
    while at < len(data):
        for size in cuts:
            told += fed(talk, data[at : at + size]).told
            at += size
    assert told == [WORD] * 3


def test_noise_that_seems_to_begin_a_long_report_does_not_swallow_the_next() -> None:
    talk = reports()
    assert fed(talk, b"\x09\x03\xfa" + COVER, 0.0).told == ()
    assert talk.next_deadline() == PAUSE
    assert talk.tick(moment(PAUSE)).told == (WORD,)
    assert talk.next_deadline() is None


def test_a_damaged_report_is_not_told() -> None:
    talk = reports()
    assert fed(talk, COVER[:5] + b"\x00" + COVER[6:]).told == ()
    assert talk.tick(moment(PAUSE)).told == ()
    assert talk.noise == len(COVER)


@pytest.mark.parametrize(
    ("points", "why"),
    [
        (
            {"a": Point("holding:0", PointType.UINT16), "b": Point("holding:90", PointType.UINT16)},
            "two blocks of 1",
        ),
        ({"a": Point("coil:0", PointType.BOOL)}, "not coil bits"),
        ({"a": Point("holding:0", PointType.UINT16), "b": Point("holding:3", PointType.UINT16)}, ""),
    ],
)
def test_a_profile_whose_reports_cannot_be_told_apart_does_not_fit(
    points: dict[str, Point], why: str
) -> None:
    profile = replace(
        load_profile("manhole/battery-cover"), points=points, derive={}, limits=Limits(max_registers=40)
    )
    assert why in unfit(profile)
    assert bool(unfit(profile)) is bool(why)
