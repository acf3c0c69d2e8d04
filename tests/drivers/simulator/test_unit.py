"""Registers that follow a persona."""

from __future__ import annotations

import dataclasses
import random

import pytest
from playing import POINTS, PROFILE, unit

from drivers.profile import Point, Write
from drivers.registers import PointType
from drivers.simulator.making import make_unit
from drivers.simulator.persona import PersonaError

CHANCE = random.Random(1)


def ask(device: object, text: str, t: float = 1.0) -> str:
    reply = device.hear(bytes.fromhex(text), t, CHANCE)  # type: ignore[attr-defined]  # a Unit
    return reply.hex(" ") if reply else ""


def test_values_are_looked_at_no_more_often_than_every_tenth_of_a_second() -> None:
    device = unit()
    first = ask(device, "04 00 00 00 01", 1.0)
    assert ask(device, "04 00 00 00 01", 1.09) == first
    assert ask(device, "04 00 00 00 01", 1.2) != first


def test_a_small_gap_between_points_is_memory_and_a_wide_one_is_not() -> None:
    points = {
        "a": Point("holding:0", PointType.UINT16),
        "b": Point("holding:5", PointType.UINT16),
        "c": Point("holding:50", PointType.UINT16),
    }
    device = make_unit("x", 1, dataclasses.replace(PROFILE, points=points, persona={}, dramas={}))
    assert ask(device, "03 00 00 00 06") == "03 0c" + " 00" * 12
    assert ask(device, "03 00 05 00 02") == "83 02"
    assert ask(device, "03 00 32 00 01") == "03 02 00 00"
    strict = dataclasses.replace(PROFILE.limits, bridge=False)
    device = make_unit(
        "x", 1, dataclasses.replace(PROFILE, points=points, persona={}, dramas={}, limits=strict)
    )
    assert ask(device, "03 00 00 00 06") == "83 02"


def test_a_counter_that_is_full_starts_again_and_noise_ends_at_nothing() -> None:
    points = {"n": Point("holding:0", PointType.UINT16), "m": Point("holding:1", PointType.UINT16, scale=0.1)}
    persona = {"n": {"play": "constant", "value": 65536 + 7}, "m": {"play": "noise", "mean": 0.1, "sd": 0.0}}
    trial = dataclasses.replace(
        PROFILE, points=points, persona=persona | {"n": {"play": "counter", "start": 65543}}, dramas={}
    )
    device = make_unit("x", 1, trial)
    assert ask(device, "03 00 00 00 02") == "03 04 00 07 00 01"
    device.set("m", -3.0)
    assert ask(device, "03 00 00 00 02") == "03 04 00 07 00 00"


def test_what_a_drama_does_to_a_point_without_persona_is_over_with_it() -> None:
    trial = dataclasses.replace(
        PROFILE, persona={}, dramas={"open": {"door": {"play": "step", "to": True, "hold": 5}}}
    )
    device = make_unit("x", 1, trial)
    device.player.start("open", 1.0)
    assert ask(device, "02 00 03 00 01", 2.0) == "02 01 01"
    assert ask(device, "02 00 03 00 01", 7.0) == "02 01 00"


def test_a_persona_with_a_word_or_a_point_that_is_not_there_is_refused() -> None:
    for persona, reason in (
        ({"status": {"play": "code", "value": "splendid"}}, "splendid"),
        ({"lel": {"play": "constant", "value": 70000}}, "70000"),
    ):
        with pytest.raises(PersonaError, match=reason):
            make_unit("x", 1, dataclasses.replace(PROFILE, persona=persona))


def test_a_point_that_the_site_switched_off_is_not_played() -> None:
    points = {name: point for name, point in POINTS.items() if name != "lel"}
    assert "lel" not in make_unit("x", 1, PROFILE, points).player.points


def test_an_output_holds_what_is_written_shows_it_at_its_contact_and_cuts_what_hangs_on_it() -> None:
    port = Point(
        "discrete:3",
        PointType.BOOL,
        enum={0: "off", 1: "on"},
        write=Write(register="coil:1", function="single"),
    )
    points = {"port": port, "current": Point("holding:0", PointType.UINT16)}
    persona: dict[str, dict[str, object]] = {
        "port": {"play": "switch", "value": "on", "off": "off", "gates": ["current"]},
        "current": {"play": "constant", "value": 7},
    }
    device = make_unit("x", 1, dataclasses.replace(PROFILE, points=points, persona=persona, dramas={}))
    assert ask(device, "02 00 03 00 01", 1.0) == "02 01 01"
    assert ask(device, "05 00 01 00 00", 1.01) == "05 00 01 00 00"
    assert ask(device, "02 00 03 00 01", 1.02) == "02 01 00"
    assert ask(device, "03 00 00 00 01", 1.03) == "03 02 00 00"
    assert ask(device, "02 00 03 00 01", 99.0) == "02 01 00", "it stays as it was written"
    assert ask(device, "05 00 03 00 00", 99.1) == "85 02", "the contact itself is no coil"
    ask(device, "05 00 01 ff 00", 99.2)
    assert ask(device, "03 00 00 00 01", 99.3) == "03 02 00 07"
    device.set("port", "off")
    assert ask(device, "03 00 00 00 01", 99.4) == "03 02 00 00"
    device.release("port")
    assert ask(device, "02 00 03 00 01", 99.5) == "02 01 01"
