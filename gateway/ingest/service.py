"""`tocsin ingest` put together: workers, each with one connection for alarms and one for telemetry."""

from __future__ import annotations

import asyncio
import json
import logging
import multiprocessing
import os
import signal
import socket
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from gateway.clock import Clock, SystemClock
from gateway.config import IngestSettings, reveal
from gateway.ingest.quarantine import Quarantine
from gateway.ingest.targets import Archive, InfluxV1, InfluxV2, Target
from gateway.ingest.worker import LINGER, LaneWorker
from gateway.links.encode import EVENT_FILTER, TELEMETRY_FILTER
from gateway.links.mqtt_broker import Broker

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

    from gateway.config import Secret

log = logging.getLogger(__name__)

# Records wait in the gateways until their receipt, so the session is only there to save repetitions; and a
# session of a worker that never returns would keep taking its share of the messages.
SESSION_EXPIRY = 3600.0


def _reveal(secret: Secret | None, key: str) -> str:
    return reveal(secret, key) if secret else ""


def make_target(settings: IngestSettings) -> Target:
    """Return where the settings say to write. Raises SecretError."""
    influx = settings.influx
    if influx is None:
        assert settings.archive is not None  # the settings demand one of them
        return Archive(settings.archive.path)
    if influx.api == "v1":
        return InfluxV1(
            influx.url, influx.database, influx.username or "", _reveal(influx.password, "influx.password")
        )
    return InfluxV2(influx.url, influx.org, influx.bucket, _reveal(influx.token, "influx.token"))


def make_broker(settings: IngestSettings, worker: int, lane: str) -> Broker:
    """Return the connection of one lane of one worker; its client id stays the same for ever."""
    mqtt = settings.mqtt
    name = mqtt.client_id or f"tocsin-{mqtt.share}-{socket.gethostname()}"
    return Broker(
        mqtt.url,
        f"{name}-{worker}-{lane}",
        username=mqtt.username or "",
        password=_reveal(mqtt.password, "mqtt.password"),
        ca=str(mqtt.ca or ""),
        cert=str(mqtt.cert or ""),
        key=str(mqtt.key or ""),
        keepalive=mqtt.keepalive,
        session_expiry=SESSION_EXPIRY,
        manual_ack=True,
    )


class Worker:
    """One worker: both lanes, each with its own connection, so that an alarm never waits for telemetry."""

    def __init__(self, settings: IngestSettings, number: int, clock: Clock) -> None:
        self.number = number
        self._settings, self._clock = settings, clock
        self._closing: list[Target | Quarantine] = []
        self.lanes = {
            "alarm": self._lane("alarm", EVENT_FILTER, 0.0),
            "telemetry": self._lane("telemetry", TELEMETRY_FILTER, LINGER),
        }

    def _lane(self, lane: str, topic: str, linger: float) -> LaneWorker:
        settings = self._settings
        target, quarantine = make_target(settings), Quarantine(settings.quarantine)
        self._closing += [target, quarantine]
        return LaneWorker(
            make_broker(settings, self.number, lane),
            # A share of its own for each lane: rumqttd tells shares apart by their name alone, and would deal
            # alarms to the connection that asked for telemetry.
            f"$share/{settings.mqtt.share}-{lane}/{topic}",
            target,
            quarantine,
            self._clock,
            linger=linger,
            receipt_after=settings.influx.receipt_after if settings.influx else 0.0,
        )

    def report(self) -> dict[str, Any]:
        """Return the statistics as JSON-able data."""
        lanes = {name: {**asdict(lane.counts), "trouble": lane.trouble} for name, lane in self.lanes.items()}
        return {"worker": self.number, **lanes}

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for lane in self.lanes.values():
                    tasks.create_task(lane.run())
        finally:
            for thing in self._closing:
                thing.close()


async def work(settings: IngestSettings, number: int) -> None:
    """Run one worker until SIGTERM or SIGINT; statistics on stdout at the end and on SIGUSR1."""
    worker = Worker(settings, number, SystemClock())
    loop = asyncio.get_running_loop()
    task = asyncio.create_task(worker.run())
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, task.cancel)
    loop.add_signal_handler(signal.SIGUSR1, _print, worker)
    try:
        await task
    except asyncio.CancelledError:
        log.info("ingest: worker %d ends", number)
    finally:
        _print(worker)


def _print(worker: Worker) -> None:
    sys.stdout.write(json.dumps(worker.report(), ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _work_alone(settings: IngestSettings, number: int, level: int) -> None:
    logging.basicConfig(level=level, format="%(levelname)s %(message)s")
    asyncio.run(work(settings, number))


async def run(settings: IngestSettings) -> int:
    """Run all workers until told to stop; return the exit status. More than one: a process each."""
    if settings.workers == 1:
        await work(settings, 0)
        return 0
    spawn = multiprocessing.get_context("spawn")
    level = logging.getLogger().level
    processes = [
        spawn.Process(target=_work_alone, args=(settings, number, level), name=f"ingest-{number}")
        for number in range(settings.workers)
    ]
    for process in processes:
        process.start()
    return await _watch(processes)


async def _watch(processes: list[SpawnProcess]) -> int:
    """Pass signals on; when one process ends by itself, end all: the service manager starts anew."""
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    ended = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, stopping.set)
    loop.add_signal_handler(signal.SIGUSR1, _pass_on, processes, signal.SIGUSR1)
    for process in processes:
        loop.add_reader(process.sentinel, ended.set)
    waits = [asyncio.create_task(stopping.wait()), asyncio.create_task(ended.wait())]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
    for process in processes:
        loop.remove_reader(process.sentinel)
    _pass_on(processes, signal.SIGTERM)
    await asyncio.gather(*(asyncio.to_thread(process.join, 20.0) for process in processes))
    return 0 if stopping.is_set() and all(p.exitcode == 0 for p in processes) else 1


def _pass_on(processes: list[SpawnProcess], sign: signal.Signals) -> None:
    for process in processes:
        if process.pid and process.is_alive():
            os.kill(process.pid, sign)
