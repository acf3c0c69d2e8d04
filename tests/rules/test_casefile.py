"""Rule tests as data: what a file may say, what it may not, and how the comparison shows a difference."""

from __future__ import annotations

import pytest

from gateway.model import Quality
from rules.casefile import CaseError, parse
from rules.conditions import AlarmSpec, Limit
from rules.play import compare, play
from rules.series import entries, from_csv, seconds

RULE = AlarmSpec("device", Limit(name="high", point="p", limit=50.0, on_delay=2.0))
CASE = {
    "name": "x",
    "series": {"p": [10, "60 x5", "10 x3"]},
    "expect": [
        {"at": "3s", "rule": "high", "event": "raise"},
        {"at": "6s", "rule": "high", "event": "clear"},
    ],
}


def test_a_case_that_says_what_happens_passes() -> None:
    case = parse([CASE])[0]
    assert compare(case, play(case, [RULE]))[0]


@pytest.mark.parametrize(
    ("expect", "signs"),
    [
        ([], "++"),
        ([{"at": "3s", "rule": "high", "event": "raise"}], "=+"),
        (
            [{"at": "4s", "rule": "high", "event": "raise"}, {"at": "6s", "rule": "high", "event": "clear"}],
            "-+=",
        ),
        (
            [
                {"at": "3s", "rule": "high", "event": "raise", "level": 1},
                {"at": "6s", "rule": "high", "event": "clear"},
            ],
            "-+=",
        ),
        (
            [{"at": "6s", "rule": "high", "event": "clear"}, {"at": "3s", "rule": "high", "event": "raise"}],
            "-=+",
        ),
        (
            [
                {"at": "3s", "rule": "high", "event": "raise"},
                {"at": "6s", "rule": "high", "event": "clear"},
                {"at": "8s", "rule": "high", "event": "closed"},
            ],
            "==-",
        ),
    ],
)
def test_one_missing_late_or_surplus_event_fails_the_case(expect: list[object], signs: str) -> None:
    case = parse([{**CASE, "expect": expect}])[0]
    passed, lines = compare(case, play(case, [RULE]))
    assert not passed
    assert sorted(line.sign for line in lines) == sorted(signs)


def test_words_and_repetitions_in_a_series() -> None:
    assert entries([1, "bad", "gap", "2 x3", "over_range", True, "open", "60 × 2"]) == [
        1, Quality.SENTINEL, None, 2, 2, 2, Quality.OVER_RANGE, True, "open", 60, 60,
    ]  # fmt: skip


def test_a_series_from_a_table() -> None:
    text = "at,device,p,q\n10,a,1,\n11,a,bad,true\n13,b,2.5,x\n"
    assert from_csv(text, "a", 1.0) == {
        "a": {"p": [1, Quality.SENTINEL], "q": [None, True]},
        "b": {"p": [None, None, None, 2.5], "q": [None, None, None, "x"]},
    }


@pytest.mark.parametrize(
    ("text", "value"), [("90s", 90.0), ("1.5m", 90.0), (7, 7.0), ("x", None), (True, None)]
)
def test_times(text: object, value: float | None) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize(
    ("case", "path"),
    [
        ({"name": "x"}, "0.expect"),
        ({"name": "", "expect": []}, "0.name"),
        ({"name": "x", "expect": [], "serie": {}}, "0.serie"),
        ({"name": "x", "expect": [{"at": "soon", "rule": "r", "event": "raise"}]}, "0.expect.0.at"),
        ({"name": "x", "expect": [{"at": 1, "rule": "r", "event": "rise"}]}, "0.expect.0.event"),
        ({"name": "x", "expect": [], "do": [{"at": 1}]}, "0.do.0"),
        ({"name": "x", "expect": [], "do": [{"at": 1, "ack": "r", "reset": "r"}]}, "0.do.0"),
        ({"name": "x", "expect": [], "series": {"p": ["…"]}}, "0.series.p"),
        ({"name": "x", "expect": [], "profile": "a/b", "site": "c"}, "0.site"),
        ({"name": "x", "expect": [], "every": "0s"}, "0.every"),
    ],
)
def test_a_mistake_in_a_case_is_told_with_its_place(case: dict[str, object], path: str) -> None:
    with pytest.raises(CaseError) as error:
        parse([case])
    assert path in {".".join(map(str, place)) for place, _ in error.value.mistakes}


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(CaseError) as error:
        parse([{"name": "x", "x": 1}, 7, {"name": "y", "expect": 3}])
    assert len(error.value.mistakes) >= 4
