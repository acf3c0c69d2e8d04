"""The local API over its Unix socket: every route, every wrong question, the stream, and its end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import stat
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_gateway import Running, connected, encode

from drivers.modbus import pdu
from gateway.clock import SystemClock
from gateway.console.api import MOST_STREAMS
from gateway.console.asked import MOST_BODY
from gateway.model import Sample

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with Running(tmp_path_factory.mktemp("gw")) as gateway:
        gateway.wait(lambda: gateway.gateway.pipeline.counts.samples > 5)
        yield gateway


API = "/api/v1"


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        ("/status", dict),
        ("/devices", list),
        ("/devices/box-1", dict),
        ("/devices/box-1/history", dict),
        ("/devices/box-1/history?limit=3", dict),
        ("/alarms", list),
        ("/events", list),
        ("/events?since=5&limit=2", list),
    ],
)
def test_every_view_is_json(running: Running, path: str, shape: type) -> None:
    status, data = running.ask("GET", API + path)
    assert status == 200
    assert type(data) is shape


def test_the_status_tells_the_zone_of_the_site(running: Running) -> None:
    assert running.ask("GET", f"{API}/status")[1]["timezone"] == "Asia/Shanghai"
    assert str(running.daemon.zone()) == "Asia/Shanghai"


def test_history_has_what_was_measured(running: Running) -> None:
    found = running.wait(lambda: running.ask("GET", f"{API}/devices/box-1/history?limit=3")[1]["lines"])
    assert found[0].startswith("gas,device=box-1 lel=5.0,")


def test_a_poll_reads_now_and_says_what_it_read(running: Running) -> None:
    status, data = running.ask("POST", f"{API}/devices/box-1/poll")
    assert status == 200
    assert data["values"]["lel"] == 5.0


def test_what_is_written_is_read_back(running: Running) -> None:
    order = {"id": uuid.uuid4().hex, "point": "limit", "value": 30.5, "actor": "wang"}
    assert running.ask("POST", f"{API}/devices/box-1/write", encode(order)) == (
        200,
        {"outcome": "done", "value": 30.5},
    )


def test_an_exchange_shows_the_frames(running: Running) -> None:
    body = encode({"unit": 1, "function": 3, "address": 0, "count": 1})
    status, data = running.ask("POST", f"{API}/lines/plant/exchange", body)
    assert status == 200
    assert data["registers"] == [50]


SHOT = {"tongue": "modbus-rtu", "frame": pdu.read(77, 3, 0, 1).rtu.hex(), "patience": 0.1}
WRITES, POLLED = pdu.write_register(77, 0, 1).rtu.hex(), pdu.read(1, 3, 0, 1).rtu.hex()
WRONG: list[tuple[str, str, Any, int]] = [
    ("GET", "/nothing", None, 404),
    ("GET", "/devices/nosuch", None, 404),
    ("GET", "/devices/nosuch/history", None, 404),
    ("GET", "/devices/box-1/history?since=rubbish", None, 400),
    ("GET", "/devices/box-1/history?until=99999999999999999999", None, 400),
    ("GET", "/devices/box-1/history?limit=0", None, 400),
    ("GET", "/events?limit=-1", None, 400),
    ("GET", "/events?since=1e3", None, 400),
    ("POST", "/status", None, 405),
    ("POST", "/devices/nosuch/poll", None, 404),
    ("POST", "/devices/box-1/write", [], 400),
    ("POST", "/devices/box-1/write", {"id": "x", "point": "limit", "actor": "w"}, 400),
    ("POST", "/devices/nosuch/write", {"id": "a1", "point": "limit", "value": 1, "actor": "w"}, 404),
    ("POST", "/devices/box-1/write", {"id": "a2", "point": "nosuch", "value": 1, "actor": "w"}, 404),
    ("POST", "/devices/box-1/write", {"id": "a3", "point": "lel", "value": 1, "actor": "w"}, 403),
    ("POST", "/devices/box-2/write", {"id": "a4", "point": "limit", "value": 1, "actor": "w"}, 403),
    ("POST", "/devices/box-1/write", {"id": "a5", "point": "limit", "value": 61, "actor": "w"}, 403),
    (
        "POST",
        "/devices/box-1/write",
        {"id": "a6", "point": "limit", "value": 1, "actor": "w", "expires_in": -1},
        409,
    ),
    (
        "POST",
        "/devices/box-1/write",
        {"id": "a7", "point": "limit", "value": 1, "actor": "w", "expires_in": 61},
        403,
    ),
    ("GET", "/alarms/box-1/nosuch", None, 404),
    ("POST", "/alarms/box-1/nosuch/ack", {"occurrence": "1.1", "seen": 1, "actor": "w"}, 404),
    ("POST", "/alarms/box-2/lel-high/ack", {"occurrence": "1.1", "seen": 1, "actor": "w"}, 409),
    ("POST", "/alarms/box-2/lel-high/ack", {"occurrence": "1.1", "seen": "1", "actor": "w"}, 400),
    ("POST", "/alarms/box-2/lel-high/ack", {"occurrence": "1.1", "seen": 1, "actor": "\ud800"}, 400),
    ("POST", "/lines/nosuch/exchange", {}, 404),
    ("POST", "/lines/plant/exchange", {}, 400),
    ("POST", "/lines/plant/exchange", {"unit": 1, "function": 3, "address": 65535, "count": 2}, 400),
    ("POST", "/lines/plant/exchange", {"unit": 1, "function": 6, "address": 0, "count": 1}, 400),
    ("GET", "/lines/nosuch", None, 404),
    ("POST", "/lines/nosuch/talk", {}, 404),
    ("POST", "/lines/plant/talk", {}, 400),
    ("POST", "/lines/plant/talk", {"shots": []}, 400),
    ("POST", "/lines/plant/talk", {"shots": [{"tongue": "modbus-rtu", "frame": "zz", "patience": 0.1}]}, 400),
    ("POST", "/lines/plant/talk", {"shots": [{"tongue": "morse", "frame": "00", "patience": 0.1}]}, 400),
    ("POST", "/lines/plant/talk", {"shots": [SHOT | {"patience": 9}]}, 400),
    ("POST", "/lines/plant/talk", {"shots": [SHOT] * 65}, 400),
    ("POST", "/lines/plant/talk", {"shots": [SHOT | {"frame": WRITES}]}, 400),
    ("POST", "/lines/plant/talk", {"shots": [SHOT | {"frame": POLLED}]}, 409),
    ("POST", "/lines/plant/talk", {"shots": [SHOT], "setting": {"baud": "fast", "parity": "none"}}, 400),
    ("POST", "/lines/plant/talk", {"shots": [SHOT], "setting": {"baud": 2400, "parity": "none"}}, 400),
    ("POST", "/lines/plant/sniff", {"seconds": 0}, 400),
    ("GET", "/audit/proof?head=1204:9f86d0...", None, 400),
]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"), WRONG, ids=[f"{w[1]} {w[3]} {n}" for n, w in enumerate(WRONG)]
)
def test_a_wrong_question_is_refused_in_both_languages(
    running: Running, method: str, path: str, body: object, status: int
) -> None:
    found, data = running.ask(method, API + path, None if body is None else encode(body))
    assert found == status, data
    assert data["error"]["zh"]
    assert data["error"]["en"]


def test_a_body_without_end_is_refused_before_it_is_read(running: Running) -> None:
    status, _ = running.ask("POST", f"{API}/lines/plant/talk", b" " * (MOST_BODY + 1))
    assert status == 413


@pytest.mark.parametrize("body", [b"", b"\xff", b"{", b"[" * 60_000, b'{"a":' * 10_000, b"NaN", b'"x"'])
def test_a_body_that_is_no_object_is_refused(running: Running, body: bytes) -> None:
    assert running.ask("POST", f"{API}/devices/box-1/write", body)[0] == 400


# Every kind of thing that JSON, or Python's reader of it, can hold.
RUBBISH = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.just(10**400)
    | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=4,
)
ORDERS = {
    "/devices/box-1/write": ("id", "point", "value", "actor", "expires_in"),
    "/alarms/box-1/lel-high/ack": ("occurrence", "seen", "actor", "comment"),
    "/lines/plant/exchange": ("unit", "function", "address", "count"),
    "/lines/plant/talk": ("setting", "interrupt", "shots"),
}
GOOD = {
    "point": "limit",
    "actor": "w",
    "value": 1,
    "expires_in": 5,
    "occurrence": "1.1",
    "seen": 1,
    "comment": "",
}
GOOD |= {"unit": 1, "function": 3, "address": 0, "count": 1}


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(sorted(ORDERS)), st.data())
def test_no_order_whatever_it_holds_makes_a_500_or_ends_the_gateway(
    running: Running, path: str, data: st.DataObject
) -> None:
    keys = ORDERS[path]
    body = {key: GOOD.get(key, uuid.uuid4().hex) for key in keys}
    for key in data.draw(st.lists(st.sampled_from(keys), min_size=1, max_size=2, unique=True)):
        body[key] = data.draw(RUBBISH)
    status, _ = running.ask("POST", API + path, json.dumps(body).encode())
    assert status in {200, 400, 403, 404, 409, 502}, status
    assert running.ask("GET", f"{API}/status")[0] == 200


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(["/devices/box-1/history", "/events"]),
    st.sampled_from(["since", "until", "limit"]),
    st.one_of(st.integers().map(str), st.text("0123456789-+eE._ x٣", max_size=25)),
)
def test_no_query_makes_a_500(running: Running, path: str, name: str, value: str) -> None:
    status, _ = running.ask("GET", f"{API}{path}?{name}={quote(value)}")
    assert status in {200, 400}


# -- alarms --------------------------------------------------------------------------------------


def test_an_alarm_is_shown_acknowledged_once_seen_and_has_its_timeline(running: Running) -> None:
    running.play("box-1", "lel", 40)
    alarm = running.wait(running.alarm)
    assert alarm
    assert (alarm["letter"], alarm["level"], alarm["class"]) == ("B", 2, "gas")
    path = f"{API}/alarms/box-1/lel-high"
    stale = {"occurrence": alarm["occurrence"], "seen": 0, "actor": "wang"}
    status, refused = running.ask("POST", path + "/ack", encode(stale))
    assert (status, refused["reason"]) == (409, "stale")
    good = {"occurrence": alarm["occurrence"], "seen": 1, "actor": "wang", "comment": "已派电工"}
    assert running.ask("POST", path + "/ack", encode(good))[0] == 200
    shown = running.ask("GET", path)[1]
    assert (shown["letter"], shown["acked_by"].split("@")[0]) == ("C", "wang")  # claimed@account
    assert [event["event"] for event in shown["timeline"]] == ["ack", "raise"]
    assert shown["timeline"][0]["reason"] == "已派电工"
    running.play("box-1", "lel", 5)
    running.wait(lambda: running.alarm() is None)


# -- the stream ----------------------------------------------------------------------------------


class Stream:
    """One reader of the stream."""

    def __init__(self, running: Running) -> None:
        self.sock: socket.socket = connected(running.socket)
        self.sock.sendall(b"GET /api/v1/stream HTTP/1.1\r\nHost: x\r\n\r\n")
        self.file = self.sock.makefile("rb")
        self.status = int(self.file.readline().split()[1])

    def until(self, kind: str) -> dict[str, Any]:
        """Read on to the next event of this kind."""
        found = ""
        for raw in self.file:
            if raw.startswith(b"event:"):
                found = raw[6:].strip().decode()
            elif raw.startswith(b"data:") and found == kind:
                data: dict[str, Any] = json.loads(raw[5:])
                return data
        raise AssertionError(f"no {kind}")

    def close(self) -> None:
        self.file.close()
        self.sock.close()


@contextlib.contextmanager
def streams(running: Running, count: int = 1) -> Iterator[list[Stream]]:
    found = [Stream(running) for _ in range(count)]
    try:
        yield found
    finally:
        for stream in found:
            stream.close()


def test_the_stream_shows_everything_once_then_what_changes(running: Running) -> None:
    with streams(running) as (stream,):
        assert stream.until("snapshot").keys() == {"status", "devices", "alarms"}
        running.play("box-2", "lel", 31)
        assert stream.until("delta")["name"] == "box-2"
        assert stream.until("alarm")["rule"] == "lel-high"
        running.play("box-2", "lel", 5)
        running.wait(lambda: (running.alarm("box-2") or {}).get("letter") == "D")
        alarm = running.alarm("box-2")
        assert alarm
        body = encode({"occurrence": alarm["occurrence"], "seen": 1, "actor": "w"})
        assert running.ask("POST", f"{API}/alarms/box-2/lel-high/ack", body)[0] == 200
        closed = next(a for a in iter(lambda: stream.until("alarm"), None) if a.get("closed"))
        assert closed["device"] == "box-2"


def test_a_reader_that_sleeps_finds_the_latest_and_not_all_it_slept_through(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits for it is what its connection holds, some 300 kB, however much happens."""
    monkeypatch.setattr("gateway.console.stream.PACE", 0.0005)
    changes = 1500

    async def note(n: int) -> None:
        board = running.gateway.api.board
        at = max(reading.at for reading in board.devices["box-2"].points.values())
        board.note(Sample("box-2", at, SystemClock().mono(), {"battery": n}))

    async def live() -> None:
        for n in range(changes):
            await note(n)
            await asyncio.sleep(0.001)

    with streams(running) as (stream,):
        stream.until("snapshot")
        running.do(live())
        deltas, size = 0, 0
        while True:
            told = stream.until("delta")
            deltas, size = deltas + 1, size + len(json.dumps(told))
            running.do(note(changes - 1))  # a poll of the device may have come behind the last change
            if told["name"] == "box-2" and told["points"].get("battery", {}).get("value") == changes - 1:
                break
    assert size < 700_000
    assert deltas < changes - 100


def test_one_stream_too_many_is_refused_and_a_closed_one_makes_room(running: Running) -> None:
    with streams(running, MOST_STREAMS) as many:
        for stream in many:
            stream.until("snapshot")
        assert running.ask("GET", f"{API}/stream")[0] == 503
    running.wait(lambda: running.ask("GET", f"{API}/status")[0] == 200)

    def room() -> bool:
        stream = Stream(running)
        stream.close()
        return stream.status == 200

    assert running.wait(room)


def test_the_socket_is_for_owner_and_group_only(running: Running) -> None:
    assert stat.S_IMODE(running.socket.stat().st_mode) == 0o660


def test_open_streams_do_not_keep_the_gateway_from_ending(tmp_path_factory: pytest.TempPathFactory) -> None:
    gateway = Running(tmp_path_factory.mktemp("end"))
    with contextlib.ExitStack() as after, gateway:
        for stream in after.enter_context(streams(gateway, 5)):
            stream.until("snapshot")
    assert gateway.ended_in < 3
    assert not gateway.socket.exists()
