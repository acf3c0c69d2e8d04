"""Gateway to database through a real Mosquitto and a real InfluxDB 1.x: nothing lost, nothing twice.

Each trial of loss has a control: the same trial with the mistake made on purpose, which must fail.
"""

from __future__ import annotations

import asyncio
import json
import random
import signal
import sqlite3
import subprocess
import sys
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
from fake_influx import FakeInflux, fake_influx
from link_suite import lanes, running, until
from mqtt_ear import Ear
from servers import Influx, Mosquitto

from gateway.clock import SystemClock
from gateway.config import ArchiveSettings, InfluxSettings, IngestMqttSettings, IngestSettings, Secret
from gateway.ingest.service import Worker
from gateway.links import custody, encode
from gateway.links.mqtt import MqttLink, client_id
from gateway.links.mqtt_broker import Broker
from gateway.links.outbox import LIMITS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from memory_lane import MemoryLane
    from paho.mqtt.client import MQTTMessage
    from paho.mqtt.reasoncodes import ReasonCode

pytestmark = pytest.mark.system

TOPICS = encode.Topics("lvjing", "gw-01")
CLOCK = SystemClock()
AT = 1_790_000_000_000_000_000


@dataclass
class Bench:
    """A broker, a database, a gateway's two lanes."""

    folder: Path
    broker: Mosquitto
    influx: Influx
    lanes: dict[str, MemoryLane]

    def settings(self, **more: object) -> IngestSettings:
        influx = InfluxSettings(url=self.influx.url, api="v1", database=self.influx.database)
        mqtt = IngestMqttSettings(url=self.broker.url, client_id="ingest")
        base: dict[str, object] = {"mqtt": mqtt, "influx": influx, "quarantine": self.folder / "refused"}
        return IngestSettings(**(base | more))  # type: ignore[arg-type]  # test

    def worker(self, number: int = 0, **more: object) -> Worker:
        return Worker(self.settings(**more), number, CLOCK)

    def link(self, kind: type[MqttLink] = MqttLink, patience: float = 20.0) -> MqttLink:
        broker = Broker(self.broker.url, client_id(TOPICS))
        limits = {name: replace(limit, patience=patience) for name, limit in LIMITS.items()}
        return kind(
            broker, TOPICS, self.lanes, CLOCK, epoch=1, version="1", limits=limits, jitter=lambda: 0.0
        )

    def read(self, groups: int, each: int = 10, first: int = 0) -> None:
        """Store groups of readings, each with its own times."""
        for group in range(first, first + groups):
            lines = (b"gas,device=d%d lel=1.5,q=0i %d" % (n, AT + group * 10**9) for n in range(each))
            self.lanes["telemetry"].append(b"\n".join(lines), each)

    def alarm(self, number: int) -> None:
        event = {"at": AT + number, "device": "d", "rule": "r", "class": "gas", "event": "raise", "level": 1}
        self.lanes["alarm"].append(json.dumps(event).encode())

    def waiting(self) -> int:
        return sum(len(lane.records) for lane in self.lanes.values())

    def stored(self) -> tuple[int, int]:
        return self.influx.count("gas", "lel"), self.influx.count("alarm", "event")

    def refused(self) -> list[tuple[str, int, bytes]]:
        with sqlite3.connect(self.folder / "refused") as db:
            return db.execute("SELECT reason, seq, line FROM refused ORDER BY seq, line").fetchall()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Mosquitto(tmp_path / "broker") as broker, Influx(tmp_path / "influx") as influx:
        yield Bench(tmp_path, broker, influx, lanes("alarm", "telemetry"))


@asynccontextmanager
async def working(worker: Worker) -> AsyncIterator[None]:
    task = asyncio.create_task(worker.run())
    try:
        yield
        assert not task.done(), task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_readings_and_alarms_reach_the_database_and_receipts_come_back(bench: Bench) -> None:
    bench.read(40)
    bench.alarm(1)
    worker = bench.worker()
    async with working(worker), running(bench.link()):
        await until(lambda: bench.waiting() == 0)
        bench.alarm(2)
        await until(lambda: bench.waiting() == 0)
    assert bench.stored() == (400, 2)
    rows = bench.influx.rows('SELECT * FROM "gas" LIMIT 1')
    assert (rows[0]["site"], rows[0]["gateway"], rows[0]["device"]) == ("lvjing", "gw-01", "d0")
    report = worker.report()
    assert (report["telemetry"]["lines"], report["telemetry"]["written"]) == (400, 400)
    assert report["telemetry"]["receipted"] == 40


class TrustsPuback(MqttLink):
    """The mistake: what the broker has acknowledged is forgotten."""

    def acknowledged(self, mid: int, reason: ReasonCode) -> None:
        place = self._lanes._in_hand.get(mid)
        super().acknowledged(mid, reason)
        if place:
            lane, key = place
            self._lanes.receipt(lane, custody.Receipt(key.epoch, [(key.seq, key.seq)]))


@pytest.mark.parametrize(("kind", "all_there"), [(MqttLink, True), (TrustsPuback, False)])
async def test_a_killed_broker_loses_nothing_but_for_those_who_trust_its_puback(
    bench: Bench, kind: type[MqttLink], *, all_there: bool
) -> None:
    """Ingest is away with its session open; the broker acknowledges, is killed, starts again empty."""
    worker = bench.worker()
    async with working(worker):
        await until(lambda: not worker.report()["telemetry"]["trouble"])
        await until(lambda: not worker.report()["alarm"]["trouble"])
        await asyncio.sleep(0.2)
    bench.read(10)
    bench.alarm(1)
    link = bench.link(kind)
    async with running(link):
        await until(lambda: link.state().lanes["telemetry"].sent == 10)
        await asyncio.sleep(0.5)
        bench.broker.kill()
        bench.broker.start()
        async with working(bench.worker()):
            bench.read(5, first=10)
            await until(lambda: bench.waiting() == 0, seconds=30)
            await asyncio.sleep(0.3)
    assert (bench.stored() == (150, 1)) is all_there


@contextmanager
def ingest_process(bench: Bench, workers: int = 1) -> Iterator[subprocess.Popen[bytes]]:
    config = bench.folder / "ingest.yaml"
    config.write_text(
        f"mqtt: {{url: '{bench.broker.url}', client_id: ingest}}\n"
        f"influx: {{url: '{bench.influx.url}', api: v1, database: {bench.influx.database}}}\n"
        f"quarantine: {bench.folder}/refused\nworkers: {workers}\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "gateway.cli", "ingest", "-c", str(config)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


async def test_ingest_killed_in_the_middle_loses_nothing(bench: Bench) -> None:
    groups = 600
    bench.read(groups)
    for n in range(50):
        bench.alarm(n)
    async with running(bench.link()):
        for _ in range(3):
            before = bench.waiting()
            with ingest_process(bench):  # killed when it is left
                await until(lambda: bench.waiting() < before - 40, seconds=30)  # noqa: B023  used within the round
            assert bench.waiting() > 0, "too fast to be killed in the middle"
        with ingest_process(bench) as process:
            await until(lambda: bench.waiting() == 0, seconds=60)
            process.send_signal(signal.SIGUSR1)
            process.terminate()
            out, _ = await asyncio.to_thread(process.communicate, timeout=20)
    assert process.returncode == 0
    assert bench.stored() == (groups * 10, 50)
    reports = [json.loads(line) for line in out.splitlines()]
    assert reports[-1]["telemetry"]["written"] > 0


class Deafened(MqttLink):
    """Half of the receipts are lost on the way."""

    luck = random.Random(1)
    deaf = True

    def arrived(self, message: MQTTMessage) -> None:
        if not self.deaf or "/receipt/" not in message.topic or self.luck.random() < 0.5:
            super().arrived(message)


async def test_lost_receipts_cost_repetitions_and_no_double_rows(bench: Bench) -> None:
    bench.read(30)
    for n in range(30):
        bench.alarm(n)
    link = bench.link(Deafened, patience=0.3)
    async with working(bench.worker()), running(link):
        await until(lambda: bench.waiting() == 0, seconds=60)
    assert link.state().lanes["alarm"].resent + link.state().lanes["telemetry"].resent > 0
    assert bench.stored() == (300, 30)


async def test_repeated_and_reordered_messages_give_no_double_rows(bench: Bench) -> None:
    async with Ear(bench.broker.url, f"{TOPICS.root}/receipt/+") as ear, working(bench.worker()):
        await asyncio.sleep(0.3)
        order = [n for n in range(20) for _ in range(3)]
        random.Random(3).shuffle(order)
        bench.read(20)
        records = list(bench.lanes["telemetry"].records.values())
        link = bench.link()
        assert ear.connection
        for n in order:
            ear.connection.publish(link._lanes._message(records[n]))
        await until(lambda: bench.stored()[0] == 200)
        await until(lambda: covered(ear) == set(range(1, 21)))


def covered(ear: Ear) -> set[int]:
    receipts = [custody.parse_receipt(h.payload) for h in ear.heard]
    return {n for r in receipts for first, last in r.ranges for n in range(first, last + 1)}


async def test_exactly_the_bad_lines_are_set_aside_and_the_receipt_covers_them(bench: Bench) -> None:
    bench.read(2)
    telemetry = bench.lanes["telemetry"]
    forged = b"gas,site=other,device=d lel=1.0 1"
    conflict = b'gas,device=d1 lel="high",q=0i %d' % (AT + 7)
    unparsable = b"gas,device=d2 lel=1.5.5,q=0i %d" % (AT + 8)
    good = [b"gas,device=g%d lel=2.0,q=0i %d" % (n, AT + 100 + n) for n in range(50)]
    lines = [*good[:20], conflict, *good[20:40], forged, unparsable, *good[40:]]
    telemetry.append(b"\n".join(lines), len(lines))
    bench.lanes["alarm"].append(b"not JSON")
    bench.alarm(1)
    async with working(bench.worker()) as _, running(bench.link()):
        await until(lambda: bench.waiting() == 0)
    assert bench.stored() == (70, 1)
    refused = bench.refused()
    tags = b",site=lvjing,gateway=gw-01"
    expected = [conflict.replace(b"gas", b"gas" + tags), unparsable.replace(b"gas", b"gas" + tags), forged]
    assert {line for _, _, line in refused} == {*expected, b"not JSON"}
    reasons = {line: reason for reason, _, line in refused}
    assert "field type conflict" in reasons[expected[0]]
    assert "unable to parse" in reasons[expected[1]]


async def test_a_database_that_is_away_or_unknown_holds_everything_back(bench: Bench) -> None:
    bench.influx.stop()
    bench.read(5)
    worker = bench.worker()
    link = bench.link()
    async with working(worker), running(link):
        await until(lambda: "cannot write" in worker.report()["telemetry"]["trouble"])
        assert bench.waiting() == 5
        bench.influx.start()
        await until(lambda: bench.waiting() == 0)
    assert bench.stored()[0] == 50


async def test_an_alarm_overtakes_a_long_backlog(bench: Bench) -> None:
    """The rooms shown here: link, broker, ingest, database. 100,000 readings wait; the bench takes 1,000,000."""
    bench.read(1000, each=100)
    async with working(bench.worker()), running(bench.link()):
        await until(lambda: len(bench.lanes["telemetry"].records) < 950)
        began = CLOCK.mono()
        bench.alarm(1)
        await until(lambda: bench.stored()[1] == 1, seconds=2)
        await until(lambda: not bench.lanes["alarm"].records, seconds=2)
        assert CLOCK.mono() - began < 2
        assert bench.lanes["telemetry"].records, "the backlog was gone before the alarm came"
        last = bench.lanes["telemetry"].append(b"gas,device=new lel=9.0,q=0i %d" % (AT + 10**15), 1)
        await until(lambda: last.place not in bench.lanes["telemetry"].records, seconds=2)
        assert bench.lanes["telemetry"].records, "the newest group came after the backlog, not beside it"


async def test_two_workers_share_the_work(bench: Bench) -> None:
    first, second = bench.worker(0), bench.worker(1)
    async with working(first), working(second):
        await asyncio.sleep(0.5)
        bench.read(100)
        async with running(bench.link()):
            await until(lambda: bench.waiting() == 0)
    counts = [w.report()["telemetry"]["received"] for w in (first, second)]
    assert sum(counts) == 100
    assert min(counts) > 20
    assert bench.stored()[0] == 1000


async def test_workers_as_processes_end_together_and_report(bench: Bench) -> None:
    with ingest_process(bench, workers=2) as process:
        bench.read(20)
        async with running(bench.link()):
            await until(lambda: bench.waiting() == 0, seconds=20)
        process.terminate()
        out, err = await asyncio.to_thread(process.communicate, timeout=20)
    assert process.returncode == 0, err
    assert sorted(json.loads(line)["worker"] for line in out.splitlines()) == [0, 1]


async def test_the_archive_takes_the_place_of_a_database(bench: Bench) -> None:
    bench.read(3)
    worker = bench.worker(influx=None, archive=ArchiveSettings(path=bench.folder / "lines"))
    async with working(worker), running(bench.link()):
        await until(lambda: bench.waiting() == 0)
    (path,) = (bench.folder / "lines").iterdir()
    assert len(path.read_bytes().splitlines()) == 30


@pytest.fixture
def fake() -> Iterator[FakeInflux]:
    with fake_influx() as found:
        yield found


def v2(bench: Bench, fake: FakeInflux, **more: object) -> Worker:
    token = Secret(inline="t0ken")
    influx = InfluxSettings(url=fake.url, api="v2", org="o", bucket="b", token=token, **more)  # type: ignore[arg-type]  # test
    return bench.worker(influx=influx)


async def test_v2_writes_with_token_bucket_and_nanoseconds(bench: Bench, fake: FakeInflux) -> None:
    bench.read(3)
    async with working(v2(bench, fake)), running(bench.link()):
        await until(lambda: bench.waiting() == 0)
    assert len(fake.lines) == len(set(fake.lines)) == 30
    status, query, authorization = fake.requests[0]
    assert (status, authorization) == (204, "Token t0ken")
    assert (query["bucket"], query["org"], query["precision"]) == (["b"], ["o"], ["ns"])


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
async def test_what_the_database_cannot_take_now_is_kept_and_reported(
    bench: Bench, fake: FakeInflux, status: int
) -> None:
    bench.read(3)
    fake.answer(status, times=2)
    worker = v2(bench, fake)
    async with working(worker), running(bench.link()):
        await until(lambda: f"HTTP {status}" in worker.report()["telemetry"]["trouble"])
        assert bench.waiting() == 3
        await until(lambda: bench.waiting() == 0)
        assert worker.report()["telemetry"]["trouble"] == ""
    assert len(fake.lines) == 30


async def test_retry_after_is_honoured(bench: Bench, fake: FakeInflux) -> None:
    bench.read(1)
    fake.answer(429, Retry_After="2")
    began = CLOCK.mono()
    async with working(v2(bench, fake)), running(bench.link()):
        await until(lambda: bench.waiting() == 0)
    assert CLOCK.mono() - began > 2


async def test_a_receipt_waits_where_the_answer_comes_before_the_fsync(
    bench: Bench, fake: FakeInflux
) -> None:
    bench.read(1)
    async with working(v2(bench, fake, receipt_after=1.5)), running(bench.link()):
        await until(lambda: fake.lines)
        written = CLOCK.mono()
        await asyncio.sleep(0.5)
        assert bench.waiting() == 1
        await until(lambda: bench.waiting() == 0)
        assert CLOCK.mono() - written > 1.4


async def test_v2_sets_bad_lines_aside(bench: Bench, fake: FakeInflux) -> None:
    lines = [b"gas,device=d%d %s=1 %d" % (n, b"bad" if n == 7 else b"p", AT) for n in range(30)]
    bench.lanes["telemetry"].append(b"\n".join(lines), 30)
    async with working(v2(bench, fake)), running(bench.link()):
        await until(lambda: bench.waiting() == 0)
    assert [line.partition(b" ")[2] for _, _, line in bench.refused()] == [b"bad=1 %d" % AT]
    assert len(set(fake.lines)) == 29
