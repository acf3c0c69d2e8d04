"""How long after the scan that could first see it a change of a register reaches a subscriber of `live` and of `event`.

    python -m tests.bench --only latency [--quick]

200 devices are polled once a second. Sixty of them are played by this process: at every twentieth poll the value in the
answer is another one, now above the limit of a rule, now below. The clock starts when the answer with the new value
is handed to the kernel, which is the end of that scan, and stops when a subscriber at the broker (`ear.py`) has the last
byte of the message with that value. So all that is added over the scan is inside: the loop of the daemon that may be
busy with others, decoding, judging, the commit of the alarm to the disk, Mosquitto, and the subscriber's waking.
`tocsin ingest` runs too: only so many alarms are under way without a receipt. Mosquitto has `set_tcp_nodelay true`:
as it comes it holds a message back that follows another one until the subscriber's kernel has acknowledged that,
which takes Linux 40 ms.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import struct
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pace
import rig
from steady import servers

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PLAYED, OTHERS = 60, 140
EACH = 20  # polls between two changes: an alarm that comes and goes more often is taken for a chattering one
P50, P99 = 0.003, 0.010  # seconds: what was promised
ROOT = "tocsin/v1/bench/gw-01"


class Played(asyncio.Protocol):
    """One device of ten registers; remembers when it gave out which value for the first time."""

    def __init__(self, number: int) -> None:
        self.device = f"p{number}-1"
        self.polls = number  # not all change in the same second
        self.given: dict[int, float] = {}
        self._transport: asyncio.Transport | None = None
        self._value = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        transaction, unit, function, count = struct.unpack(">H4xBB2xH", data[:12])
        self.polls += 1
        changed = self.polls % EACH == 0
        if changed:
            step = self.polls // EACH
            self._value = 100 + step % 100 + (300 if step % 2 else 0)
        registers = [self._value, *range(1, count)]
        answer = struct.pack(
            f">HHHBBB{count}H", transaction, 0, 3 + 2 * count, unit, function, 2 * count, *registers
        )
        assert self._transport
        self._transport.write(answer)
        if changed:
            self.given[self._value] = asyncio.get_running_loop().time()


def keep(one: Played) -> Played:
    return one


class Ear:
    """The subscriber, in a process of its own."""

    def __init__(self, port: int, topics: Sequence[str]) -> None:
        program = Path(__file__).with_name("ear.py")
        command = [sys.executable, str(program), str(port), *topics]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        if self._process.stdout.readline().strip() != "ready":
            raise RuntimeError("the subscriber did not begin")

    def heard(self) -> list[tuple[float, str, str]]:
        """End it; return all that it has heard: monotonic seconds, topic, payload."""
        said, _ = self._process.communicate(timeout=60)
        return [(at, topic, payload) for at, topic, payload in json.loads(said)]


def delays(
    heard: Iterable[tuple[float, str, str]], played: Iterable[Played], since: float
) -> dict[str, list[float]]:
    """Return for both topics how old each value was when it came for the first time."""
    took: dict[str, list[float]] = {"live": [], "event": []}
    by_name, known = {one.device: one for one in played}, set[tuple[str, str, float]]()
    for at, topic, payload in heard:
        kind = topic.removeprefix(f"{ROOT}/").partition("/")[0]
        said: dict[str, Any] = json.loads(payload)
        one = by_name.get(said["device"])
        if one is None:
            continue
        value = said["value"] if kind == "event" else said["points"]["level"]["value"]
        began = one.given.get(value)
        if began is not None and since < began <= at and (kind, one.device, began) not in known:
            known.add((kind, one.device, began))
            took[kind].append(at - began)
    return took


async def listen(folder: Path, broker: int, others: list[int], seconds: float) -> dict[str, list[float]]:
    loop = asyncio.get_running_loop()
    played = [Played(number) for number in range(PLAYED)]
    listening = [await loop.create_server(partial(keep, one), "127.0.0.1", 0) for one in played]
    endpoints = [
        rig.Endpoint(f"p{n}", server.sockets[0].getsockname()[1]) for n, server in enumerate(listening)
    ]
    endpoints += [rig.Endpoint(f"e{n}", port) for n, port in enumerate(others)]
    topics = [f"{ROOT}/event", *(f"{ROOT}/live/{one.device}" for one in played)]
    ear = await asyncio.to_thread(Ear, broker, topics)
    site = await asyncio.to_thread(rig.write_site, folder, endpoints, broker=broker)
    with rig.Daemon(site) as daemon:
        await asyncio.to_thread(
            daemon.until, lambda status: status["counts"]["polls"] > 5 * (PLAYED + OTHERS)
        )
        await asyncio.sleep(20)
        since = loop.time()
        await asyncio.sleep(seconds)
        heard = await asyncio.to_thread(ear.heard)
        await asyncio.to_thread(daemon.__exit__)
    for server in listening:
        server.close()
    return delays(heard, played, since)


def run(*, quick: bool = False, long: bool = False) -> list[rig.Figure]:
    """Return the figures of both topics."""
    seconds = 20.0 if quick else 600.0 if long else 120.0
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as place:
        folder = Path(place)
        with servers(folder) as (broker, _), pace.responder("tcp", OTHERS) as others:
            found = asyncio.run(listen(folder, broker, others, seconds))
    figures = []
    for kind, took in found.items():
        if not took:
            figures.append(rig.Figure(f"{kind}: nothing heard", "none", met=False))
            continue
        p50, p99 = statistics.median(took), rig.quantile(took, 0.99)
        figures += [
            rig.Figure(
                f"change → `{kind}` subscriber, p50 of {len(took)}",
                f"{p50 * 1e3:.2f} ms", f"≤ {P50 * 1e3:.0f} ms", met=p50 <= P50,
            ),
            rig.Figure(
                f"change → `{kind}` subscriber, p99", f"{p99 * 1e3:.2f} ms", f"≤ {P99 * 1e3:.0f} ms", met=p99 <= P99
            ),
            rig.Figure(f"change → `{kind}` subscriber, longest", f"{max(took) * 1e3:.2f} ms"),
        ]  # fmt: skip
    return figures
