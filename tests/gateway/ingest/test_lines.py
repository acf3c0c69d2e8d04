"""What a gateway sends: whole lines, its own site and gateway, nothing that could reach beyond itself."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ingest import events
from gateway.ingest.lines import tag
from gateway.ingest.opening import open_message
from gateway.links.custody import record_properties
from gateway.links.encode import Topics
from gateway.model import Quality, Sample, Value
from gateway.telemetry import Encoder, join

TOPICS = Topics("lvjing", "gw-01")
AT = 1_790_000_000_000_000_000


def test_site_and_gateway_come_from_the_topic() -> None:
    found = tag(b'gas,device=a lel=1.5,q=0i 1\ngas,device=b,phase=1 s="x y, z",q=0i 2\n', "s", "g")
    assert found.good == (
        b"gas,site=s,gateway=g,device=a lel=1.5,q=0i 1\n"
        b'gas,site=s,gateway=g,device=b,phase=1 s="x y, z",q=0i 2'
    )
    assert (found.count, found.bad) == (2, ())


def test_a_line_without_tags_of_its_own_and_one_with_a_similar_name_are_told_apart() -> None:
    found = tag(b"host rss=1 1\nhost,device=a p=1 1\nhost_a p=2 2", "s", "g")
    tags = b",site=s,gateway=g"
    assert found.good == b"host%s rss=1 1\nhost%s,device=a p=1 1\nhost_a%s p=2 2" % (tags, tags, tags)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"gas,site=other,device=a p=1 1", "carries site or gateway"),
        (b"gas,device=a,gateway=other p=1 1", "carries site or gateway"),
        (b"gas,device=a p=1", "no time"),
        (b"gas,device=a p=1 1\r", "no time"),
        (b'gas,device=a p="open 1', "not line protocol"),
        (b'gas,device=a p="open\\" 1', "not line protocol"),
        (b",device=a p=1 1", "not line protocol"),
        (b"# gas,device=a p=1 1", "not line protocol"),
        (b"gas,device=a  1", "not line protocol"),
        (b"gas,device=a p=1 1 1", "not line protocol"),
        (b"gas,device=a p=1 -1", "no time"),
        (b"gas,device= p=1 1", "not line protocol"),
        (b"\xff\x00", "no time"),
    ],
)
def test_a_bad_line_is_set_aside_with_its_reason_and_the_rest_flows(line: bytes, why: str) -> None:
    good = b"gas,device=ok p=1 1"
    found = tag(b"\n".join([good, line, good]), "s", "g")
    assert found.count == 2
    assert [bad for bad, _ in found.bad] == [line]
    assert why in found.bad[0][1]


def test_a_text_cannot_swallow_the_lines_of_another_gateway() -> None:
    forged = b'gas,device=a s="x\ngas,site=other,gateway=other,device=b p=1 1\ngas,device=c s=" 1'
    found = tag(forged, "s", "g")
    assert found.count == 0
    assert len(found.bad) == 3


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES: st.SearchStrategy[Value] = st.floats() | st.integers(-(1 << 70), 1 << 70) | st.booleans() | TEXT
POINTS = st.dictionaries(st.from_regex(r"[a-pr-z][a-z0-9_]{0,8}", fullmatch=True), VALUES, max_size=5)


@given(st.lists(POINTS, min_size=1, max_size=5))
def test_every_line_that_the_gateway_writes_passes_whole(samples: list[dict[str, Value]]) -> None:
    encoder = Encoder("gas", "gas-b1-07")
    group = join(
        encoder.encode(Sample("gas-b1-07", AT + n, 0.0, points, {"z": Quality.REFUSED}))
        for n, points in enumerate(samples)
    )
    found = tag(group, "lvjing", "gw-01")
    assert (found.count, found.bad) == (len(samples), ())
    assert found.good.replace(b",site=lvjing,gateway=gw-01", b"") == group


@given(st.binary(max_size=200))
def test_whatever_comes_every_good_line_is_tagged(payload: bytes) -> None:
    found = tag(payload, "s", "g")
    good = found.good.split(b"\n") if found.count else []
    assert len(good) == found.count
    assert all(b",site=s,gateway=g," in line for line in good)


EVENT = {
    "at": AT, "device": "d 1", "rule": "lel-high", "class": "gas", "event": "raise", "state": "B", "level": 2,
    "active": True, "acked": False, "activation": 1, "value": 52, "limit": 25.0, "occurrence": "01JC", "n": 1,
    "title": {"zh": '燃气 "高"', "en": "gas"}, "unit": "%LEL",
}  # fmt: skip


def test_an_event_becomes_a_point_of_the_measurement_alarm() -> None:
    line = events.point(json.dumps(EVENT).encode(), "s", "g").decode()
    assert line.startswith(r"alarm,class=gas,device=d\ 1,gateway=g,rule=lel-high,site=s ")
    assert line.endswith(f" {AT}")
    assert 'message="燃气 \\"高\\""' in line
    for part in ('event="raise"', "level=2i", "active=true", "acked=false", "value=52.0", "limit=25.0"):
        assert part in line


def test_a_value_that_is_a_word_has_a_field_of_its_own() -> None:
    line = events.point(json.dumps(EVENT | {"value": "open"}).encode(), "s", "g").decode()
    assert 'value_text="open"' in line
    assert ",value=" not in line


@pytest.mark.parametrize(
    "change",
    [
        {"at": "x"},
        {"at": -1},
        {"at": True},
        {"device": ""},
        {"rule": 3},
        {"class": None},
        {"event": ""},
        {"level": "2"},
        {"device": "a\nb"},
        {"device": "a\\"},
    ],
)
def test_an_event_that_cannot_be_a_point_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(events.BadEvent):
        events.point(json.dumps(EVENT | change).encode(), "s", "g")


@pytest.mark.parametrize("payload", [b"", b"[]", b"{", b"\xff", b"null"])
def test_what_is_no_event_is_refused(payload: bytes) -> None:
    with pytest.raises(events.BadEvent):
        events.point(payload, "s", "g")


def test_a_wrong_count_is_set_aside_and_the_lines_are_kept() -> None:
    opened = open_message(TOPICS.telemetry, b"gas,device=a p=1 1", record_properties("telemetry", 1, 2, 5))
    assert opened.parcel
    assert opened.parcel.count == 1
    assert opened.miscounted
    assert "count says 5, lines are 1" in opened.refusals[0].reason
    assert opened.origin, "the receipt covers it"


def test_a_message_without_properties_is_set_aside_without_receipt() -> None:
    opened = open_message(TOPICS.telemetry, b"gas,device=a p=1 1", [])
    assert (opened.parcel, opened.origin) == (None, None)
    assert opened.refusals[0].line == b"gas,device=a p=1 1"
