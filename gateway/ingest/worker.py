"""One lane of one worker: a shared subscription, written in batches, acknowledged after the write."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.ingest.answers import Unavailable
from gateway.ingest.batch import BatchWriter
from gateway.ingest.opening import Opened, open_message
from gateway.ingest.receipts import Receipts
from gateway.links.mqtt_broker import Broker, CannotConnect, Message
from gateway.links.mqtt_client import Connection
from gateway.links.mqtt_live import wait
from gateway.links.patience import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from paho.mqtt.client import MQTTMessage
    from paho.mqtt.reasoncodes import ReasonCode

    from gateway.clock import Clock
    from gateway.ingest.quarantine import Quarantine
    from gateway.ingest.targets import Target

log = logging.getLogger(__name__)

BATCH_LINES = 5000  # in one write: beyond it throughput grows no more (lab.md 1.3)
BATCH_BYTES = 8 << 20
LINGER = 0.02  # s a telemetry batch waits for company; while a write is under way it fills by itself
# Mosquitto 2.0.11 does not keep to Receive Maximum, so the bound is ours: the connection is dropped,
# and what was not acknowledged comes again.
MOST_BYTES = 64 << 20
SETTLED = 30.0


class Lost(Exception):
    """The connection is gone."""


@dataclass(slots=True)
class Counts:
    """What one lane of one worker has lived through."""

    received: int = 0  # messages
    redelivered: int = 0  # of these, marked as repeated by the broker
    lines: int = 0  # lines or events in them
    written: int = 0  # lines the database has
    refused: int = 0  # lines set aside
    miscounted: int = 0  # messages whose `count` is not the number of their lines
    writes: int = 0  # batches
    retries: int = 0  # batches that had to be written again
    receipts: int = 0  # receipt messages
    receipted: int = 0  # records they cover
    losses: int = 0  # connections lost


@dataclass(frozen=True, slots=True)
class Job:
    """One message in hand."""

    message: MQTTMessage
    opened: Opened
    size: int


class LaneWorker:
    """Takes one topic of all gateways. Writing runs in a thread of its own; all else in the loop."""

    def __init__(
        self,
        broker: Broker,
        topic: str,
        target: Target,
        quarantine: Quarantine,
        clock: Clock,
        *,
        linger: float = 0.0,
        receipt_after: float = 0.0,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._broker, self._topic, self._clock = broker, topic, clock
        self._writer, self._quarantine = BatchWriter(target), quarantine
        self._linger = linger
        self._receipts = Receipts(receipt_after)
        self._reconnect, self._retry = Backoff(1.0, 60.0, jitter), Backoff(0.5, 30.0, jitter)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ingest-write")
        self._jobs: deque[Job] = deque()
        self._bytes = 0
        self._wake, self._written = asyncio.Event(), asyncio.Event()
        self._connection: Connection | None = None
        self.counts = Counts()
        self.trouble = "not connected yet"  # "" while all is well

    def arrived(self, message: MQTTMessage) -> None:
        """Take a message into hand (mqtt_client.Owner)."""
        self.counts.received += 1
        self.counts.redelivered += message.dup
        payload = bytes(message.payload)
        properties = getattr(message.properties, "UserProperty", ())
        job = Job(message, open_message(_topic(message), payload, properties), len(payload))
        self.counts.lines += job.opened.lines
        self.counts.miscounted += job.opened.miscounted
        self._jobs.append(job)
        self._bytes += job.size
        self._wake.set()
        if self._bytes > MOST_BYTES and self._connection:
            self._connection.drop(f"more than {MOST_BYTES >> 20} MiB in hand: the database is too slow")

    def acknowledged(self, mid: int, reason: ReasonCode) -> None:  # noqa: ARG002  Owner's signature
        """Take the PUBACK of a receipt (mqtt_client.Owner)."""
        if reason.is_failure:
            self._complain(f"receipt refused by the broker: {reason}; check its access rules")

    async def run(self) -> None:
        """Connect, take and write until cancelled."""
        try:
            while True:
                began = self._clock.mono()
                try:
                    await self._serve(await Connection.open(self._broker, self, self._clock))
                except (CannotConnect, Lost) as error:
                    self.counts.losses += 1
                    self._complain(f"not connected: {error}")
                if self._clock.mono() - began > SETTLED:
                    self._reconnect.succeeded()
                await asyncio.sleep(self._reconnect.pause())
        finally:
            self._thread.shutdown(wait=True)

    async def _serve(self, connection: Connection) -> None:
        self._connection = connection
        log.info("ingest: connected as %s", self._broker.client_id)
        self.trouble = ""
        connection.subscribe(self._topic)
        why = ""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._until_lost(connection))
                tasks.create_task(self._write(connection))
                tasks.create_task(self._tell(connection))
        except* Lost as lost:
            why = str(lost.exceptions[0])
        finally:
            self._connection = None
            connection.close()
            self._jobs.clear()  # not acknowledged: they come again
            self._bytes = 0
        raise Lost(why)

    async def _until_lost(self, connection: Connection) -> None:
        raise Lost(await connection.lost())

    async def _write(self, connection: Connection) -> None:
        while True:
            self._wake.clear()
            if not self._jobs:
                await self._wake.wait()
                if self._linger:
                    await asyncio.sleep(self._linger)
                continue
            batch = self._batch()
            refused = await self._keep(batch)
            for job in batch:
                connection.ack(job.message)
                self._bytes -= job.size
            self._count(batch, refused)
            self._receipts.written(
                (job.opened.origin for job in batch if job.opened.origin), self._clock.mono()
            )
            self._written.set()

    def _batch(self) -> list[Job]:
        batch: list[Job] = []
        count = size = 0
        while self._jobs and (not batch or (count < BATCH_LINES and size < BATCH_BYTES)):
            job = self._jobs.popleft()
            batch.append(job)
            count += job.opened.lines
            size += job.size
        return batch

    async def _keep(self, batch: Sequence[Job]) -> int:
        """Write until database and quarantine have every line; return how many the database refused."""
        loop = asyncio.get_running_loop()
        at = self._clock.now().wall
        while True:
            try:
                refused = await loop.run_in_executor(self._thread, self._keep_blocking, batch, at)
            except Unavailable as error:
                self.counts.retries += 1
                self._complain(f"cannot write: {error}")
                await asyncio.sleep(max(self._retry.pause(), error.retry_after or 0.0))
            else:
                self._retry.succeeded()
                self.trouble = ""
                return refused

    def _keep_blocking(self, batch: Sequence[Job], at: int) -> int:
        """Write the batch once; return how many lines were set aside. Runs in the thread."""
        parcels = [job.opened.parcel for job in batch if job.opened.parcel]
        refusals = self._writer.write(parcels) if parcels else []
        known = [refusal for job in batch for refusal in job.opened.refusals]
        self._quarantine.keep([*known, *refusals], at)
        return len(refusals)

    def _count(self, batch: Sequence[Job], refused: int) -> None:
        counts = self.counts
        counts.writes += 1
        counts.written += sum(job.opened.parcel.count for job in batch if job.opened.parcel) - refused
        counts.refused += sum(len(job.opened.refusals) for job in batch) + refused
        counts.receipted += sum(job.opened.origin is not None for job in batch)

    async def _tell(self, connection: Connection) -> None:
        """Publish the receipts that are due."""
        while True:
            self._written.clear()
            now = self._clock.mono()
            for topic, payload in self._receipts.due(now):
                connection.publish(Message(topic, payload))
                self.counts.receipts += 1
            deadline = self._receipts.next_deadline()
            await wait(self._written, None if deadline is None else deadline - now)

    def _complain(self, why: str) -> None:
        if why != self.trouble:
            log.warning("ingest: %s: %s", self._broker.client_id, why)
        self.trouble = why


def _topic(message: MQTTMessage) -> str:
    try:
        return message.topic
    except UnicodeDecodeError:  # the broker should not have let it through
        return "not UTF-8"
