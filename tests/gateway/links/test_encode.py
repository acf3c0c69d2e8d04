"""Topics and payloads are what the contract says, and survive the way back."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.links import custody, encode
from gateway.model import AlarmClass, AlarmEvent, EventKind, Quality, Sample

TOPICS = encode.Topics("lvjing", "gw-01")
AT = 1_790_000_000_123_456_789
EVENT = AlarmEvent(
    kind=EventKind.RAISE,
    device="gas-b1-07",
    rule="lel-high",
    occurrence="01JC",
    n=1,
    at=AT,
    mono=5.0,
    alarm_class=AlarmClass.GAS,
    level=2,
    letter="B",
    active=True,
    acked=False,
    latched=False,
    activation=1,
    value=52.1,
    limit=25.0,
    unit="%LEL",
    quality=Quality.GOOD,
    test=False,
    actor="",
    reason="",
    message={"zh": "可燃气体浓度高", "en": "gas high"},
)
FACTS = encode.Facts(
    "gas",
    name={"zh": "厨房", "en": "Kitchen"},
    place={"text": "3号楼", "building": "3", "floor": "-1", "lat": 36.65, "lon": 117.12},
    area={"community": "绿景"},
    zone="b3",
)


def test_the_topics_are_those_of_the_contract() -> None:
    assert TOPICS.status == "tocsin/v1/lvjing/gw-01/status"
    assert TOPICS.alarm("d", "r") == "tocsin/v1/lvjing/gw-01/alarm/d/r"
    assert TOPICS.live("d") == "tocsin/v1/lvjing/gw-01/live/d"
    assert TOPICS.receipt("alarm") == "tocsin/v1/lvjing/gw-01/receipt/alarm"
    assert TOPICS.receipts == "tocsin/v1/lvjing/gw-01/receipt/+"
    assert encode.Topics.of(TOPICS.event) == TOPICS


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "a/b/c/d/e",
        "tocsin/v2/s/g/event",
        "tocsin/v1/s/g",
        "tocsin/v1//g/event",
        "tocsin/v1/s g/g/event",
        "tocsin/v1/s,site=x/g/event",
        "tocsin/v1/S/g/event",
        "tocsin/v1/s/g=1/event",
        "tocsin/v1/s/网关/event",
    ],
)
def test_names_that_could_not_be_tags_are_refused(topic: str) -> None:
    with pytest.raises(encode.BadMessage):
        encode.Topics.of(topic)


def test_an_event_says_who_where_what_and_when() -> None:
    event = json.loads(encode.event(EVENT, FACTS, TOPICS))
    assert event["id"] == "lvjing/gw-01/gas-b1-07/lel-high/01JC/1"
    assert (event["event"], event["class"], event["level"], event["active"]) == ("raise", "gas", 2, True)
    assert (event["value"], event["limit"], event["unit"], event["quality"]) == (52.1, 25.0, "%LEL", "good")
    assert (event["at"], event["time"]) == (AT, "2026-09-21T14:13:20.123456789Z")
    assert event["title"] == {"zh": "3号楼 厨房 可燃气体浓度高", "en": "3号楼 Kitchen gas high"}
    assert event["where"]["crs"] == "WGS-84", "a position without its system sends people to the wrong gate"
    assert event["status"] == "Actual"
    assert json.loads(encode.event(replace(EVENT, test=True), FACTS, TOPICS))["status"] == "Test"


def test_each_event_of_an_alarm_has_its_own_id() -> None:
    ids = {json.loads(encode.event(replace(EVENT, n=n), FACTS, TOPICS))["dedup"] for n in range(5)}
    assert len(ids) == 5


def test_an_alarm_that_was_only_shelved_leaves_nothing_retained() -> None:
    shelved = replace(EVENT, kind=EventKind.SHELVE, occurrence="", letter="G", active=False)
    assert json.loads(encode.alarm(shelved, FACTS, TOPICS))["state"] == "G"
    assert encode.alarm(replace(shelved, kind=EventKind.UNSHELVE, letter="A"), FACTS, TOPICS) == b""


def test_a_closed_alarm_clears_its_topic() -> None:
    assert encode.alarm(replace(EVENT, kind=EventKind.CLOSED), FACTS, TOPICS) == b""
    assert json.loads(encode.alarm(EVENT, FACTS, TOPICS))["device"] == "gas-b1-07"


def test_live_carries_value_quality_and_age() -> None:
    samples = Sample("d", AT, 10.0, {"lel": 1.5}), Sample("d", AT + 1, 12.0, {}, {"co": Quality.NO_ANSWER})
    live = json.loads(encode.live("d", FACTS, samples, now_mono=12.5))
    assert live["points"]["lel"] == {"value": 1.5, "quality": "good", "at": AT, "age": 2.5}
    assert live["points"]["co"] == {"value": None, "quality": "no_answer", "at": AT + 1, "age": 0.5}
    assert live["at"] == AT + 1


@given(st.integers(0, 1 << 40), st.lists(st.tuples(st.integers(0, 1 << 40), st.integers(0, 1 << 40))))
def test_a_receipt_survives_the_way(epoch: int, ranges: list[tuple[int, int]]) -> None:
    assert custody.parse_receipt(custody.receipt(epoch, ranges)) == (epoch, ranges)


@given(st.binary(max_size=60) | st.sampled_from([b"[]", b"{}", b'{"epoch":1,"ranges":[[1]]}', b"null"]))
def test_what_is_no_receipt_is_refused_and_never_a_crash(payload: bytes) -> None:
    with pytest.raises(encode.BadMessage):
        custody.parse_receipt(payload)


@pytest.mark.parametrize("bad", ['"1"', "1.5", "true", "null"])
def test_numbers_that_are_none_are_refused(bad: str) -> None:
    with pytest.raises(encode.BadMessage):
        custody.parse_receipt(f'{{"epoch":{bad},"ranges":[[1,2]]}}'.encode())
    with pytest.raises(encode.BadMessage):
        custody.parse_receipt(f'{{"epoch":1,"ranges":[[1,{bad}]]}}'.encode())


def test_the_properties_of_a_record_survive_the_way() -> None:
    pairs = custody.record_properties("telemetry", 7, 140, 33)
    assert custody.parse_properties(pairs) == custody.RecordId("telemetry", 7, 140, 33)
    assert custody.parse_properties(custody.record_properties("alarm", 7, 1, 1)) == custody.RecordId(
        "alarm", 7, 1, 1
    )


@pytest.mark.parametrize(
    "pairs",
    [
        [],
        [("lane", "alarm")],
        [("lane", "x"), ("epoch", "1"), ("seq", "1")],
        [("lane", "alarm"), ("epoch", "-1"), ("seq", "1")],
        [("lane", "alarm"), ("epoch", "1"), ("seq", "x")],
    ],
)
def test_a_message_that_does_not_say_which_record_it_is_is_refused(pairs: list[tuple[str, str]]) -> None:
    with pytest.raises(encode.BadMessage):
        custody.parse_properties(pairs)
