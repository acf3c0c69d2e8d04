"""What the check of a profile finds, one mistake per row."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from drivers.checks import check, unconfirmed
from drivers.profile import Defaults, Derive, Formula, Identity, Limits, Point, Profile, QualityFrom, Write
from drivers.registers import PointType
from drivers.registry import FAMILIES
from gateway.model import Quality

BOTH = {"zh": "名", "en": "name"}
U16, U32, BOOL = PointType.UINT16, PointType.UINT32, PointType.BOOL


def point(register: str = "holding:0", kind: PointType = U16, **more: Any) -> Point:
    return Point(register, kind, name=BOTH, **more)


def profile(points: dict[str, Point] | None = None, **more: Any) -> Profile:
    return replace(
        Profile(
            kind="gas", name=BOTH, source="manual", points=points or {"lel": point()}, defaults=Defaults()
        ),
        **more,
    )


def test_a_sound_profile_has_no_problems() -> None:
    assert check(profile(), FAMILIES) == []


STATUS = point("holding:1", enum={0: "warm_up", 1: "normal"})
MISTAKES: dict[str, tuple[Profile, tuple[Any, ...]]] = {
    "an unknown kind": (profile(kind="gaz"), ("kind",)),
    "no source": (profile(source=" "), ("source",)),
    "a name in one language": (profile(name={"en": "x"}), ("name", "zh")),
    "a third language": (profile(name={**BOTH, "fr": "x"}), ("name", "fr")),
    "too many registers": (profile(limits=Limits(max_registers=200)), ("limits", "max_registers")),
    "an identity nowhere": (profile(identity=(Identity("reg:1", (1,)),)), ("identity", 0, "register")),
    "a point in CamelCase": (profile({"Lel": point()}), ("points", "Lel")),
    "a point called q": (profile({"q": point()}), ("points", "q")),
    "a rule in snake_case": (profile(rules={"lel_high": {"point": "lel"}}), ("rules", "lel_high")),
    "a register of no table": (profile({"lel": point("hold:0")}), ("points", "lel", "register")),
    "a manual's 400001": (profile({"lel": point("holding:400001")}), ("points", "lel", "register")),
    "past the last register": (profile({"lel": point("holding:65535", U32)}), ("points", "lel", "register")),
    "an unknown unit": (profile({"lel": point(unit="LEL%")}), ("points", "lel", "unit")),
    "a number in a coil": (profile({"lel": point("coil:0")}), ("points", "lel", "type")),
    "a bool without its bit": (profile({"lel": point(kind=BOOL)}), ("points", "lel", "bit")),
    "a bit of a number": (profile({"lel": point(bit=3)}), ("points", "lel", "bit")),
    "bit 16": (profile({"lel": point(kind=BOOL, bit=16)}), ("points", "lel", "bit")),
    "bits the wrong way round": (profile({"lel": point(bits=(8, 11))}), ("points", "lel", "bits")),
    "bits and a mask": (profile({"lel": point(bits=(3, 0), mask=1)}), ("points", "lel", "mask")),
    "bits of a signed number": (
        profile({"lel": point(kind=PointType.INT16, bits=(3, 0))}),
        ("points", "lel", "type"),
    ),
    "a mask too wide": (profile({"lel": point(mask=0x10000)}), ("points", "lel", "mask")),
    "a sentinel too wide": (profile({"lel": point(sentinel=(0x7FFFF,))}), ("points", "lel", "sentinel", 0)),
    "a string without length": (profile({"lel": point(kind=PointType.STRING)}), ("points", "lel", "length")),
    "a length of a number": (profile({"lel": point(length=2)}), ("points", "lel", "length")),
    "words for a float": (
        profile({"lel": point(kind=PointType.FLOAT32, enum={0: "a"})}),
        ("points", "lel", "enum"),
    ),
    "a word with a unit": (profile({"lel": point(enum={0: "a"}, unit="V")}), ("points", "lel", "enum")),
    "one word for two codes": (profile({"lel": point(enum={0: "a", 1: "a"})}), ("points", "lel", "enum")),
    "scale zero": (profile({"lel": point(scale=0.0)}), ("points", "lel", "scale")),
    "a range upside down": (profile({"lel": point(range=(100, 0))}), ("points", "lel", "range")),
    "a range of words": (profile({"lel": point(range=(0, 1), enum={0: "a"})}), ("points", "lel", "range")),
    "decimals from nowhere": (profile({"lel": point(scale_from="dots")}), ("points", "lel", "scale_from")),
    "decimals and a scale": (
        profile({"lel": point(scale_from="d", scale=0.1), "d": point("holding:1")}),
        ("points", "lel", "scale_from"),
    ),
    "a verdict from nowhere": (
        profile({"lel": point(quality_from=QualityFrom("status", {}))}),
        ("points", "lel", "quality_from", "point"),
    ),
    "a verdict nobody gives": (
        profile(
            {
                "lel": point(quality_from=QualityFrom("status", {"warming": Quality.WARMING_UP})),
                "status": STATUS,
            }
        ),
        ("points", "lel", "quality_from", "when", "warming"),
    ),
    "an input written": (profile({"lel": point("input:0", write=Write(0, 1))}), ("points", "lel", "write")),
    "a write without bounds": (profile({"lel": point(write=Write())}), ("points", "lel", "write")),
    "a write beyond the range": (
        profile({"lel": point(range=(0, 100), write=Write(0, 120))}),
        ("points", "lel", "write", "max"),
    ),
    "a write of no word": (
        profile({"lel": point(enum={0: "a"}, write=Write(words=("b",)))}),
        ("points", "lel", "write", "words", 0),
    ),
    "an interlock's word that is none": (
        profile({"lel": point(enum={0: "a"}, write=Write(automatic=("b",)))}),
        ("points", "lel", "write", "automatic", 0),
    ),
    "interlocks kept from a number": (
        profile({"lel": point(write=Write(0, 1, automatic=()))}),
        ("points", "lel", "write", "automatic"),
    ),
    "written in an input": (
        profile({"lel": point(write=Write(0, 1, register="input:1"))}),
        ("points", "lel", "write", "register"),
    ),
    "a register written as a coil": (
        profile({"lel": point(write=Write(0, 1, register="coil:1"))}),
        ("points", "lel", "write", "register"),
    ),
    "written nowhere": (
        profile({"lel": point(write=Write(0, 1, register="spool:1"))}),
        ("points", "lel", "write", "register"),
    ),
    "neither read nor written": (profile({"lel": point(readable=False)}), ("points", "lel", "readable")),
    "confirm nonsense": (profile({"lel": point(confirm=("colour",))}), ("points", "lel", "confirm", 0)),
    "the same register twice": (profile({"lel": point(), "co": point()}), ("points", "co", "register")),
    "half an overlap": (
        profile({"lel": point(kind=U32), "co": point("holding:1")}),
        ("points", "co", "register"),
    ),
    "the same bits twice": (
        profile({"a": point(bits=(7, 0)), "b": point(bits=(9, 7))}),
        ("points", "b", "register"),
    ),
    "the same half twice": (
        profile({"a": point(kind=PointType.UINT8), "b": point(kind=PointType.INT8)}),
        ("points", "b", "register"),
    ),
    "computed from nowhere": (
        profile(derive={"x": Derive(Formula.SUM, ("lel", "co"), BOTH)}),
        ("derive", "x", "of", 1),
    ),
    "computed from itself": (
        profile(derive={"x": Derive(Formula.SUM, ("lel", "x"), BOTH)}),
        ("derive", "x", "of", 1),
    ),
    "tilt from one angle": (
        profile(derive={"x": Derive(Formula.TILT_FROM_ANGLES, ("lel",), BOTH)}),
        ("derive", "x", "of"),
    ),
    "computed over a point": (
        profile(derive={"lel": Derive(Formula.SUM, ("lel", "lel"), BOTH)}),
        ("derive", "lel"),
    ),
    "a rule about nothing": (profile(rules={"x": {"point": "co"}}), ("rules", "x", "point")),
    "a persona of nothing": (profile(persona={"lel": {}, "co": {}}), ("persona", "co")),
    "a point nobody plays": (
        profile({"lel": point(), "co": point("holding:1")}, persona={"lel": {}}),
        ("persona",),
    ),
    "a drama of nothing": (
        profile(persona={"lel": {}}, dramas={"leak": {"co": {}}}),
        ("dramas", "leak", "co"),
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_found_at_its_key(mistake: str) -> None:
    broken, path = MISTAKES[mistake]
    problems = check(broken, FAMILIES)
    assert path in [problem.path for problem in problems]
    assert all(problem.what for problem in problems)


def test_parts_of_one_register_may_lie_side_by_side() -> None:
    points = {
        "top": point(bits=(15, 12)),
        "flag": point(kind=BOOL, bit=11),
        "low": point(kind=PointType.UINT8, half="low"),
        "other_table": point("input:0"),
    }
    assert check(profile(points), FAMILIES) == []


def test_all_mistakes_come_at_once() -> None:
    broken = profile({"Lel": point("hold:1"), "co": point(unit="x", range=(1, 0))}, kind="z", source="")
    assert len(check(broken, FAMILIES)) >= 6


def test_what_the_source_leaves_open_is_listed_until_the_site_says_it() -> None:
    asked = point(confirm=("scale", "order"))
    assert unconfirmed(asked, {}) == ("scale", "order")
    assert unconfirmed(asked, {"scale": 0.1}) == ("order",)
