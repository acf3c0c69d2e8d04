"""Points that messages carry: scale, words, the device's own verdict, and what was not carried."""

from __future__ import annotations

import pytest

from drivers.checks import check
from drivers.codec.encode import refusal
from drivers.family import Family
from drivers.items import compile_items
from drivers.profile import Derive, Formula, Point, Profile, QualityFrom, Write
from drivers.registers import PointType
from gateway.model import Quality

NAME = {"zh": "试验", "en": "trial"}


def only_letters(item: str) -> str:
    return "" if item.replace("_", "").isalpha() else f"there is no item {item!r}"


FAMILIES = {"modbus": Family("modbus"), "talk": Family("talk", only_letters)}
POINTS = {
    "voltage": Point(item="u", scale=0.1, unit="V", range=(0, 300), name=NAME, sentinel=(0xFFFF,)),
    "state": Point(item="s", enum={0: "idle", 1: "charging"}, name=NAME),
    "relay": Point(
        item="word",
        type=PointType.BOOL,
        bit=4,
        name=NAME,
        write=Write(),
        quality_from=QualityFrom("state", {}),
    ),
    "tariff": Point(item="word", bits=(2, 1), name=NAME),
    "label": Point(item="t", type=PointType.STRING, name=NAME),
    "x": Point(
        item="x", unit="°", name=NAME, quality_from=QualityFrom("state", {"idle": Quality.WARMING_UP})
    ),
    "y": Point(item="y", unit="°", name=NAME),
}
PROFILE = Profile(
    kind="meter",
    name=NAME,
    source="tests",
    points=POINTS,
    protocol="talk",
    derive={"tilt": Derive(Formula.TILT_FROM_ANGLES, ("x", "y"), NAME, "°")},
)


def test_items_become_values_as_registers_do() -> None:
    items = compile_items(PROFILE, PROFILE.reported)
    carried: dict[str, float | str | bool | None] = {
        "u": 2302,
        "s": 1,
        "word": 0b10110,
        "t": "Tocsin",
        "x": 30.0,
        "y": 0.0,
    }
    values, bad = items.values(carried)
    assert bad == {}
    assert values == {
        "voltage": 230.2, "state": "charging", "relay": True, "tariff": 3, "label": "Tocsin",
        "x": 30.0, "y": 0.0, "tilt": pytest.approx(30.0),
    }  # fmt: skip


def test_what_was_not_carried_has_its_reason_and_what_the_device_leaves_open_another() -> None:
    items = compile_items(PROFILE, ("voltage", "state", "label"))
    values, bad = items.values({"u": None, "s": 7}, Quality.REFUSED)
    assert values == {}
    assert bad == {"voltage": Quality.SENTINEL, "state": Quality.UNKNOWN_CODE, "label": Quality.REFUSED}
    assert items.values({"u": 0xFFFF, "s": 0, "t": ""})[1] == {"voltage": Quality.SENTINEL}
    assert items.values({"u": 3001, "s": 0, "t": ""})[1] == {"voltage": Quality.OVER_RANGE}
    assert items.values({"u": float("nan"), "s": 0, "t": ""})[1] == {"voltage": Quality.NOT_A_NUMBER}


def test_only_what_is_needed_is_wanted_each_item_once_and_a_verdict_brings_its_status_along() -> None:
    assert compile_items(PROFILE, ("relay", "tariff")).wanted == ("s", "word")
    assert compile_items(PROFILE, ("tilt",)).wanted == ("s", "x", "y")
    values, bad = compile_items(PROFILE, ("tilt",)).values({"s": 0, "x": 1.0, "y": 1.0})
    assert (values, bad) == ({}, {"tilt": Quality.WARMING_UP})


def test_a_sound_profile_of_items_passes_and_each_mistake_is_told() -> None:
    assert check(PROFILE, FAMILIES) == []
    wrong = {
        "a": Point(item="9", name=NAME),
        "b": Point("holding:1", PointType.UINT16, name=NAME),
        "c": Point(item="c", type=PointType.INT32, name=NAME),
    }
    profile = Profile("meter", NAME, "tests", wrong, protocol="talk")
    assert [(p.path, p.what.split(":")[0]) for p in check(profile, FAMILIES)] == [
        (("points", "a", "item"), "there is no item '9'"),
        (("points", "b", "register"), "talk has no registers"),
        (("points", "b", "type"), "an item of a message is number, bool or string, not uint16"),
        (("points", "c", "type"), "an item of a message is number, bool or string, not int32"),
    ]


def test_registers_want_a_type_and_no_item_and_a_protocol_must_be_one_we_speak() -> None:
    points = {"a": Point("holding:1", name=NAME), "b": Point(item="b", name=NAME)}
    found = check(Profile("meter", NAME, "tests", points), FAMILIES)
    assert [problem.path for problem in found] == [("points", "a", "type"), ("points", "b", "item")]
    unknown = Profile("meter", NAME, "tests", POINTS, protocol="klingon")
    assert [problem.path for problem in check(unknown, FAMILIES)] == [("protocol",)]


def test_what_no_message_can_carry_is_refused_before_it_is_written() -> None:
    relay = POINTS["relay"]
    assert refusal(relay, 1) == ""
    assert "neither true nor false" in refusal(relay, 2)
