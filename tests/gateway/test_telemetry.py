from __future__ import annotations

import math
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from influxdb_client.client.write.point import Point as OfficialPoint

from gateway.model import Quality, Sample, Value
from gateway.telemetry import BadLine, Encoder, Record, join, line, parse, parse_group

Point: Any = OfficialPoint  # the oracle: it comes without types
AT = 1_790_000_000_000_000_000
NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters="\\"),
    min_size=1,
).filter(lambda s: not s.startswith("#"))
POINTS = NAMES.filter(lambda s: s != "q")
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")))
VALUES = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**63), 2**63 - 1), st.booleans(), TEXTS
)
BAD = st.sampled_from([q for q in Quality if q is not Quality.GOOD])


def sample(values: dict[str, Value], bad: dict[str, Quality] | None = None) -> Sample:
    return Sample("gas-b1-07", AT, 1.0, values, bad or {})


def test_a_good_sample_is_one_line_with_q_zero() -> None:
    text = Encoder("gas", "gas-b1-07").encode(sample({"lel": 1.5, "co": 3, "relay": True, "model": "OEM"}))
    assert text == f'gas,device=gas-b1-07 lel=1.5,co=3.0,relay=true,model="OEM",q=0i {AT}'


def test_a_whole_number_and_one_with_a_scale_are_of_one_type_or_the_database_would_refuse_one_of_them() -> (
    None
):
    texts = [
        Encoder("meter", name).encode(sample({"energy": value})) for name, value in (("a", 7), ("b", 7.5))
    ]
    assert [text.split()[1].split(",")[0] for text in texts] == ["energy=7.0", "energy=7.5"]


def test_a_mixed_sample_keeps_its_good_points_and_names_its_worst_quality() -> None:
    text = Encoder("gas", "g").encode(
        sample({"lel": 1.5}, {"co": Quality.SENTINEL, "h2s": Quality.LINE_DOWN})
    )
    assert text == f"gas,device=g lel=1.5,q={Quality.LINE_DOWN.code}i {AT}"


def test_a_wholly_bad_sample_carries_q_alone() -> None:
    assert Encoder("gas", "g").encode(sample({}, {"lel": Quality.NO_ANSWER})) == f"gas,device=g q=1i {AT}"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_the_database_cannot_hold_is_left_out_and_makes_the_sample_bad(value: float) -> None:
    text = Encoder("gas", "g").encode(sample({"lel": value, "co": 1}))
    assert text == f"gas,device=g co=1.0,q={Quality.NOT_A_NUMBER.code}i {AT}"


@pytest.mark.parametrize("name", ["", "a\\", "a\\b", "#a", "a\nb", "a\tb", "a\u2028b"])
def test_a_name_that_cannot_be_escaped_is_refused_when_the_encoder_is_made(name: str) -> None:
    with pytest.raises(ValueError, match="line protocol"):
        Encoder("gas", name)


def test_no_point_may_be_named_like_the_quality_field() -> None:
    with pytest.raises(ValueError, match="quality"):
        Encoder("gas", "g").encode(sample({"q": 1}))


def test_a_device_cannot_forge_a_second_line_with_its_text() -> None:
    for char in [chr(c) for c in range(0x2100) if len(f"a{chr(c)}b".splitlines()) > 1]:
        text = Encoder("gas", "g").encode(sample({"model": f'x"{char}gas,device=other lel=0 1'}))
        assert len(text.splitlines()) == 1
        assert [r.device for r in parse_group(join([text, text]))] == ["g", "g"]


@given(NAMES, NAMES, st.dictionaries(POINTS, VALUES, max_size=6), st.lists(BAD, max_size=3))
@example("a b", "c,d=e", {'"': '\\"', "x,y=z": "a,b=c d"}, [])
def test_a_sample_comes_back_as_it_went(
    kind: str, device: str, values: dict[str, Value], bad: list[Quality]
) -> None:
    went = Sample(
        device, AT, 1.0, values, dict.fromkeys(map(str, bad), Quality.GOOD) and {str(b): b for b in bad}
    )
    back = parse(Encoder(kind, device).encode(went))
    held = {name: float(v) if type(v) is int else v for name, v in values.items()}
    assert back == Record(kind, {"device": device}, held, max([0, *(b.code for b in bad)]), AT)
    numbers_are_floats = [float if type(v) is int else type(v) for v in values.values()]
    assert [type(v) for v in back.fields.values()] == numbers_are_floats


@given(NAMES, NAMES, st.dictionaries(POINTS, st.booleans() | TEXTS, max_size=6))
def test_the_official_client_writes_the_same_line(kind: str, device: str, values: dict[str, Value]) -> None:
    point = Point(kind).tag("device", device).time(AT)
    for name, value in (values | {"q": 0}).items():
        point.field(name, value)
    # The client sorts fields; the order of fields means nothing.
    ours = Encoder(kind, device).encode(sample(dict(sorted(values.items()))))
    before = [name for name in values if name < "q"]
    if len(before) == len(values):
        assert ours == point.to_line_protocol()
    assert sorted(ours) == sorted(point.to_line_protocol())


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_means_the_same_to_the_official_client(value: float) -> None:
    ours = Encoder("gas", "g").encode(sample({"lel": value})).split("lel=")[1].split(",")[0]
    theirs = Point("gas").field("lel", value).to_line_protocol().split("lel=")[1]
    assert float(ours) == float(theirs) == value


@given(st.text(max_size=60))
def test_a_line_from_elsewhere_is_read_or_refused_never_worse(text: str) -> None:
    with suppress(BadLine):
        parse(text)


@pytest.mark.parametrize(
    "text", ["", "gas", "gas,device=g", "gas,device=g lel=1", "gas lel 1", "gas,d=g lel=x 1"]
)
def test_a_broken_line_is_refused_with_its_text(text: str) -> None:
    with pytest.raises(BadLine):
        parse(text)


def test_a_health_line_leaves_out_what_is_not_known() -> None:
    fields: dict[str, Value | None] = {"age": 0.5, "signal": None, "lag": math.nan, "polls": 7}
    assert (
        line("device_health", {"device": "g"}, fields, AT) == f"device_health,device=g age=0.5,polls=7i {AT}"
    )
    assert line("device_health", {"device": "g"}, {"signal": None}, AT) == ""
    assert parse(line("line_health", {"line": "rs485-1"}, {"utilisation": 0.61}, AT)).q is None
