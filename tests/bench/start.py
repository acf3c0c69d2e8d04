"""From the start of the process to the first reading that a subscriber at the broker has.

    python -m tests.bench --only start [--quick]

The clock starts before `exec` and stops when the message is here: on `live`, and on `telemetry`, which waits for its
group (2 s) by design. Every start finds the journal of the last one. Given are median and least of several starts.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pace
import rig
from servers import Mosquitto

from gateway.clock import SystemClock
from gateway.links.mqtt_broker import Broker
from gateway.links.mqtt_client import Connection

if TYPE_CHECKING:
    from paho.mqtt.client import MQTTMessage
    from paho.mqtt.reasoncodes import ReasonCode

WANTED = 1.5  # seconds: what was promised


class First:
    """Notes when the first message came."""

    def __init__(self) -> None:
        self.at = asyncio.get_running_loop().create_future()

    def arrived(self, message: MQTTMessage) -> None:
        if not message.retain and not self.at.done():
            self.at.set_result(asyncio.get_running_loop().time())

    def acknowledged(self, mid: int, reason: ReasonCode) -> None:
        pass


async def once(site: Path, broker: Mosquitto, topic: str) -> float:
    """Return the seconds from the start to the first message."""
    first = First()
    connection = await Connection.open(Broker(broker.url, "start", session_expiry=0), first, SystemClock())
    connection.subscribe(f"tocsin/v1/bench/gw-01/{topic}")
    await asyncio.sleep(0.5)
    daemon = rig.Daemon(site)
    daemon.__enter__()
    try:
        async with asyncio.timeout(30):
            took: float = await first.at - daemon.began
    finally:
        connection.close()
        await asyncio.to_thread(daemon.__exit__)
    return took


def play(name: str, devices: int, times: int) -> list[rig.Figure]:
    figures = []
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as place:
        folder = Path(place)
        with Mosquitto(folder / "broker") as broker, pace.responder("tcp", devices) as ports:
            endpoints = [rig.Endpoint(f"e{n}", port) for n, port in enumerate(ports)]
            site = rig.write_site(folder, endpoints, broker=broker.port)
            asyncio.run(once(site, broker, "live/+"))  # bytecode is compiled and in the page cache now
            for topic in ("live/+", "telemetry"):
                took = [asyncio.run(once(site, broker, topic)) for _ in range(times)]
                middle = statistics.median(took)
                wanted = topic == "live/+" and devices == 200
                figures.append(
                    rig.Figure(
                        f"{name}: start → first on `{topic}`, median of {times} (least)",
                        f"{middle:.2f} s ({min(took):.2f})",
                        f"≤ {WANTED} s" if wanted else "", met=middle <= WANTED if wanted else None,
                    )
                )  # fmt: skip
    return figures


def run(*, quick: bool = False, long: bool = False) -> list[rig.Figure]:
    """Return the figures of a large and of a usual site."""
    times = 3 if quick else 15 if long else 7
    return [*play("200 devices", 200, times), *play("30 devices", 30, times)]
