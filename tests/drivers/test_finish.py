"""What is known only when all blocks are in: decimals, the device's own verdict, computed points."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.codec.finish import tilt_from_angles, tilt_from_gravity
from drivers.points import compile_finish
from drivers.profile import Derive, Formula, Point, Profile, QualityFrom
from drivers.registers import PointType
from gateway.model import Quality, Value

U16 = PointType.UINT16
STATUS = QualityFrom("status", {"warm_up": Quality.WARMING_UP, "sensor_fault": Quality.DEVICE_FAULT})
MODULE = Profile(
    kind="gas",
    name={},
    source="",
    points={
        "decimals": Point("holding:0", U16, bits=(11, 8), internal=True),
        "lel": Point("holding:1", U16, scale_from="decimals", range=(0, 100), quality_from=STATUS),
        "status": Point("holding:2", U16, enum={0: "warm_up", 1: "normal", 3: "sensor_fault"}),
    },
)


def finish(
    profile: Profile, values: dict[str, Value], bad: dict[str, Quality]
) -> tuple[dict[str, Value], dict[str, Quality]]:
    step = compile_finish(profile)
    assert step is not None
    step(values, bad)
    return values, bad


def test_decimals_come_from_their_register_and_are_not_reported() -> None:
    assert finish(MODULE, {"decimals": 1, "lel": 123, "status": "normal"}, {}) == (
        {"lel": 12.3, "status": "normal"},
        {},
    )
    assert finish(MODULE, {"decimals": 0, "lel": 12, "status": "normal"}, {})[0]["lel"] == 12.0


def test_a_value_whose_decimals_are_unknown_is_not_a_value() -> None:
    assert finish(MODULE, {"lel": 123, "status": "normal"}, {"decimals": Quality.REFUSED}) == (
        {"status": "normal"},
        {"lel": Quality.REFUSED},
    )
    assert finish(MODULE, {"lel": 123}, {})[1] == {"lel": Quality.NO_ANSWER}


def test_the_range_is_judged_after_the_decimals() -> None:
    assert finish(MODULE, {"decimals": 1, "lel": 1001, "status": "normal"}, {})[1] == {
        "lel": Quality.OVER_RANGE
    }


@pytest.mark.parametrize(
    ("word", "quality"), [("warm_up", Quality.WARMING_UP), ("sensor_fault", Quality.DEVICE_FAULT)]
)
def test_the_device_itself_says_that_its_value_is_none(word: str, quality: Quality) -> None:
    values, bad = finish(MODULE, {"decimals": 1, "lel": 0, "status": word}, {})
    assert (values, bad) == ({"status": word}, {"lel": quality})  # never a 0 that nobody measured
    values, bad = finish(MODULE, {"decimals": 1, "status": word}, {"lel": Quality.SENTINEL})
    assert bad == {"lel": quality}


def test_a_status_that_cannot_be_read_hides_no_alarm() -> None:
    values, bad = finish(MODULE, {"decimals": 1, "lel": 620}, {"status": Quality.UNKNOWN_CODE})
    assert (values, bad) == ({"lel": 62.0}, {"status": Quality.UNKNOWN_CODE})


def test_a_bit_can_be_the_verdict() -> None:
    relay = Profile(
        kind="electrical_fire",
        name={},
        source="",
        points={
            "toroid": Point("holding:0", PointType.BOOL, bit=0),
            "mA": Point(
                "holding:1", U16, quality_from=QualityFrom("toroid", {"false": Quality.DEVICE_FAULT})
            ),
        },
    )
    assert finish(relay, {"toroid": False, "mA": 0}, {})[1] == {"mA": Quality.DEVICE_FAULT}
    assert finish(relay, {"toroid": True, "mA": 30}, {})[0]["mA"] == 30


def computed(how: Formula, *of: str, limits: tuple[float, float] | None = None) -> Profile:
    points = {name: Point(f"holding:{i}", PointType.INT16) for i, name in enumerate(of)}
    return Profile(
        kind="meter", name={}, source="", points=points, derive={"x": Derive(how, of, range=limits)}
    )


def test_sums_and_differences() -> None:
    values: dict[str, Value] = {"a": 10, "b": 2.5, "c": 1}
    assert finish(computed(Formula.SUM, "a", "b", "c"), dict(values), {})[0]["x"] == 13.5
    assert finish(computed(Formula.DIFFERENCE, "a", "b", "c"), dict(values), {})[0]["x"] == 6.5


def test_a_computed_point_is_bad_with_its_input_and_absent_when_that_was_not_read() -> None:
    profile = computed(Formula.SUM, "a", "b")
    assert finish(profile, {"a": 1}, {"b": Quality.SENTINEL})[1]["x"] is Quality.SENTINEL
    assert "x" not in finish(profile, {"a": 1}, {})[0]
    assert (
        finish(computed(Formula.SUM, "a", "b", limits=(0, 10)), {"a": 9, "b": 9}, {})[1]["x"]
        is Quality.OVER_RANGE
    )


def test_what_is_wanted_names_what_must_be_read_for_it() -> None:
    assert MODULE.needs(["lel"]) == ("decimals", "lel", "status")
    assert MODULE.reported == ("lel", "status")
    assert computed(Formula.SUM, "a", "b").needs(["x"]) == ("a", "b")


@given(st.floats(-180, 180), st.floats(-90, 90))
def test_tilt_from_roll_and_pitch_is_the_tilt_of_the_gravity_they_turn(roll: float, pitch: float) -> None:
    a, b = math.radians(roll), math.radians(pitch)
    gravity = (-math.sin(b), math.sin(a) * math.cos(b), math.cos(a) * math.cos(b))
    assert tilt_from_angles((roll, pitch)) == pytest.approx(tilt_from_gravity(gravity), abs=1e-9)


def test_tilt_of_plain_positions() -> None:
    assert tilt_from_angles((0, 0)) == 0
    assert tilt_from_angles((30, 0)) == pytest.approx(30)
    assert tilt_from_angles((0, -45)) == pytest.approx(45)
    assert tilt_from_angles((180, 0)) == pytest.approx(180)
    assert tilt_from_gravity((0, 0, 1)) == 0
    assert tilt_from_gravity((0, 0, -1)) == pytest.approx(180)
    assert math.isnan(tilt_from_gravity((0, 0, 0)))


def test_a_profile_with_nothing_to_finish_costs_nothing() -> None:
    assert (
        compile_finish(Profile(kind="meter", name={}, source="", points={"a": Point("holding:0", U16)}))
        is None
    )
