"""The MQTT link against a real Mosquitto: the suite of every link, and what only MQTT has."""

from __future__ import annotations

import asyncio
import json
import socket
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from link_suite import Arrived, LinkSuite, fill, lanes, running, until
from mqtt_ear import Ear
from servers import Mosquitto

from gateway.board import Board
from gateway.clock import SystemClock
from gateway.links import custody, encode
from gateway.links.mqtt import MqttLink, client_id
from gateway.links.mqtt_broker import Broker, CannotConnect, Message
from gateway.links.mqtt_client import Connection
from gateway.model import AlarmClass, AlarmEvent, EventKind, Quality, Sample

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from memory_lane import MemoryLane

    from gateway.links.link import Link

pytestmark = pytest.mark.system

TOPICS = encode.Topics("lvjing", "gw-01")
CLOCK = SystemClock()


def make_link(server: Mosquitto, boxes: dict[str, MemoryLane] | None = None, **more: object) -> MqttLink:
    offline = Message(TOPICS.status, encode.status("offline", epoch=1, at=0, version="1"), retain=True)
    identity = {k: more.pop(k) for k in ("username", "password", "ca", "cert", "key") if k in more}
    broker = Broker(server.url, client_id(TOPICS), will=offline, **identity)  # type: ignore[arg-type]  # test
    boxes = boxes or lanes("alarm", "telemetry")
    return MqttLink(broker, TOPICS, boxes, CLOCK, epoch=1, version="1", jitter=lambda: 0.0, **more)  # type: ignore[arg-type]  # test


class MqttRig:
    """A link, a Mosquitto, and an ear in the place of ingest."""

    def __init__(self, server: Mosquitto) -> None:
        self.server = server
        self.lanes = lanes("alarm", "telemetry")
        self.link: Link = make_link(server, self.lanes)
        self.ear = Ear(server.url, "tocsin/v1/#")
        self.seen: list[Arrived] = []

    async def begin(self) -> None:
        self.ear = await Ear(self.server.url, "tocsin/v1/#").__aenter__()

    def arrived(self) -> list[Arrived]:
        return self.seen + [h.record for h in self.ear.heard if h.record]

    async def receipt(self, lane: str, epoch: int, first: int, last: int) -> None:
        self.ear.say(TOPICS.receipt(lane), custody.receipt(epoch, [(first, last)]))

    async def cut(self) -> None:
        self.seen = self.arrived()
        self.ear.heard.clear()
        self.server.kill()

    async def mend(self) -> None:
        self.server.start()
        await self.begin()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as found:
        yield found


@pytest.fixture
async def rig(server: Mosquitto) -> AsyncIterator[MqttRig]:
    made = MqttRig(server)
    await made.begin()
    yield made
    await made.ear.__aexit__()


class TestMqttLink(LinkSuite):
    pass


async def test_status_is_online_then_offline_and_by_last_will_when_it_dies(server: Mosquitto) -> None:
    async with Ear(server.url, TOPICS.status) as ear:
        link = make_link(server)
        async with running(link):
            await until(lambda: len(ear.heard) == 1)
        await until(lambda: len(ear.heard) == 2)
        assert [json.loads(h.payload)["state"] for h in ear.heard] == ["online", "offline"]
        broker = Broker(server.url, "dies", will=Message(TOPICS.status, b"will", retain=True))
        dying = await Connection.open(broker, ear, CLOCK)
        dying.drop("killed")
        await until(lambda: ear.heard[-1].payload == b"will")


async def test_a_connection_that_a_second_gateway_of_the_name_takes_over_says_what_it_may_be(
    server: Mosquitto,
) -> None:
    async with Ear(server.url, "none") as ear:
        broker = Broker(server.url, "twice")
        first = await Connection.open(broker, ear, CLOCK)
        second = await Connection.open(broker, ear, CLOCK)
        assert "a second gateway has this name" in await first.lost()
        second.close()


async def test_a_frozen_broker_is_noticed_within_ten_seconds_and_nothing_is_lost(rig: MqttRig) -> None:
    async with running(rig.link):
        await until(lambda: rig.link.state().connected)
        await asyncio.sleep(0.2)
        rig.server.freeze()
        frozen = CLOCK.mono()
        fill(rig, "alarm", 5)
        await until(lambda: not rig.link.state().connected, seconds=10)
        assert CLOCK.mono() - frozen <= 10
        assert len(rig.lanes["alarm"].records) == 5
        await asyncio.sleep(1.5)  # now a connect is under way that the frozen broker's kernel has accepted
        rig.server.thaw()
        await rig.begin()  # the ear has noticed too
        await until(lambda: {("alarm", 1, n) for n in range(1, 6)} <= set(rig.arrived()), seconds=30)


@pytest.mark.slow
async def test_control_paho_alone_does_not_notice_a_frozen_broker_in_time(server: Mosquitto) -> None:
    """The same trial without our watchdog: with its keepalive of 15 s paho is still content after 11 s."""
    async with Ear(server.url, "none") as ear:
        assert ear.connection
        ear.connection._dog.dead_after = 1e9
        ear.connection._dog.probe_after = 1e9
        server.freeze()
        await asyncio.sleep(11)
        assert not ear.connection.is_lost
        server.thaw()


async def test_a_refusal_by_the_access_rules_is_no_success(tmp_path: Path) -> None:
    acl = "user gw-01\ntopic readwrite tocsin/v1/lvjing/gw-01/telemetry\n"
    acl += "topic readwrite tocsin/v1/lvjing/gw-01/receipt/#\ntopic write tocsin/v1/lvjing/gw-01/status\n"
    with Mosquitto(tmp_path, users={"gw-01": "secret"}, acl=acl) as server:
        boxes = lanes("alarm", "telemetry")
        link = make_link(server, boxes, username="gw-01", password="secret")
        async with running(link):
            await until(lambda: link.state().connected)
            boxes["alarm"].append(b"{}")
            boxes["telemetry"].append(b"x,device=a p=1 1")
            await until(lambda: link.state().lanes["alarm"].refused == 1)
            assert "alarm refused by the broker: Not authorized" in link.state().why
            assert link.state().lanes["telemetry"].refused == 0
            assert len(boxes["alarm"].records) == 1


async def test_no_subscriber_is_told_apart_from_delivery(server: Mosquitto) -> None:
    boxes = lanes("alarm", "telemetry")
    link = make_link(server, boxes)
    async with running(link):
        boxes["alarm"].append(b"{}")
        await until(lambda: link.state().lanes["alarm"].unheard == 1)
        assert len(boxes["alarm"].records) == 1


async def test_a_wrong_password_is_an_expected_failure_with_its_reason(tmp_path: Path) -> None:
    with Mosquitto(tmp_path, users={"gw-01": "secret"}) as server:
        link = make_link(server, username="gw-01", password="wrong")
        async with running(link):
            await until(lambda: "Not authorized" in link.state().why)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # paho leaves that socket open
async def test_tls_with_a_client_certificate(tmp_path: Path) -> None:
    with Mosquitto(tmp_path, tls=True, client_certificates=True) as server:
        assert server.certificates
        c = server.certificates
        files = {"ca": str(c.ca), "cert": str(c.client), "key": str(c.client_key)}
        boxes = lanes("alarm", "telemetry")
        link = make_link(server, boxes, **files)
        async with Ear(server.url, TOPICS.event, **files) as ear, running(link):
            boxes["alarm"].append(b"{}" * 40_000)  # more than one TLS record, more than one socket read
            await until(lambda: ear.heard and len(ear.heard[0].payload) == 80_000)
        with pytest.raises(CannotConnect, match="certificate"):
            await Connection.open(Broker(server.url, "x", cert=files["cert"], key=files["key"]), ear, CLOCK)


async def test_a_broker_that_never_answers_is_given_up_in_time(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # its kernel accepts, nobody answers
        ear = Ear(f"mqtt://127.0.0.1:{deaf.getsockname()[1]}", "none")
        with pytest.raises(CannotConnect, match="no CONNACK within 1 s"):
            await Connection.open(ear.broker, ear, CLOCK, patience=1.0)


EVENT = AlarmEvent(
    EventKind.RAISE, "d1", "hot", "o1", 1, 10**18, 1.0, AlarmClass.FIRE, 1, "B", True, False, False, 1,  # noqa: FBT003
    80.0, 70.0, "°C", Quality.GOOD, False, "", "", {"zh": "热", "en": "hot"},  # noqa: FBT003
)  # fmt: skip


async def test_open_alarms_stand_retained_and_closed_ones_are_gone(server: Mosquitto) -> None:
    link = make_link(server)
    link.alarms([EVENT, replace(EVENT, rule="wet")])
    async with running(link):
        async with Ear(server.url, TOPICS.alarms) as ear:
            await until(lambda: len(ear.heard) == 2)
            link.alarms([replace(EVENT, kind=EventKind.CLOSED)])
            await until(lambda: ear.heard[-1].payload == b"")
        async with Ear(server.url, TOPICS.alarms) as ear:
            await until(lambda: len(ear.heard) == 1)
            assert ear.heard[0].topic == TOPICS.alarm("d1", "wet")


async def test_alarms_that_an_earlier_life_left_behind_are_cleared(server: Mosquitto) -> None:
    async with Ear(server.url, TOPICS.alarms) as ear:
        ear.say(TOPICS.alarm("gone", "hot"), b"{}", retain=True)
        ear.say(TOPICS.alarm("d1", "hot"), b"{}", retain=True)
        await until(lambda: len(ear.heard) == 2)
        link = make_link(server)
        link.alarms([EVENT])
        async with running(link):
            await until(lambda: any(h.payload == b"" for h in ear.on(TOPICS.alarm("gone", "hot"))))
            await asyncio.sleep(0.2)
            assert not any(h.payload == b"" for h in ear.on(TOPICS.alarm("d1", "hot")))


async def test_last_values_go_out_at_once_and_then_once_a_second(server: Mosquitto) -> None:
    board = Board(["d1", "d2"])
    link = make_link(server, board=board, facts={"d1": encode.Facts("gas")})
    async with Ear(server.url, f"{TOPICS.root}/live/+") as ear, running(link):
        await until(lambda: link.state().connected)
        delays = []
        for n in range(3):
            began = CLOCK.mono()
            heard = len(ear.heard)
            for k in range(5):
                now = CLOCK.now()
                board.note(Sample("d1", now.wall, now.mono, {"lel": float(n * 10 + k)}))
                await asyncio.sleep(0)
            await until(lambda: len(ear.heard) > heard)  # noqa: B023  used within the round
            delays.append(ear.heard[heard].at - began)
            await until(lambda: json.loads(ear.heard[-1].payload)["points"]["lel"]["value"] == n * 10 + 4)  # noqa: B023
            assert len(ear.heard) - heard <= 2
            await asyncio.sleep(1.05)
        assert sorted(delays)[1] < 0.05, "the figure itself is measured by the bench"
        assert ear.heard[0].retain is False
    async with Ear(server.url, f"{TOPICS.root}/live/+") as late:
        await until(lambda: len(late.heard) == 1)
        assert json.loads(late.heard[0].payload)["kind"] == "gas"


async def test_what_is_no_receipt_is_ignored_and_counted(server: Mosquitto) -> None:
    link = make_link(server)
    async with Ear(server.url, "none") as ear, running(link):
        await until(lambda: link.state().connected)
        await asyncio.sleep(0.1)
        ear.say(TOPICS.receipt("alarm"), b"\xff{")
        ear.say(TOPICS.receipt("nonsense"), custody.receipt(1, [(1, 1)]))
        await until(lambda: link.bad_messages == 1)
        assert link.state().connected
