"""How fast `tocsin ingest` empties a broker's queue into InfluxDB 1.x: points per second and worker.

python tests/bench/ingest_bench.py [WORKERS] [MESSAGES] [LINES]

The queue is filled first, so that the publisher takes no processor time from what is measured.
"""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]

from mqtt_ear import Ear  # noqa: E402  the path comes first
from servers import Influx, Mosquitto  # noqa: E402  the path comes first

from gateway.links import custody, encode  # noqa: E402  the path comes first
from gateway.links.mqtt_broker import Message  # noqa: E402  the path comes first

AT = 1_790_000_000_000_000_000
TOPICS = encode.Topics("lvjing", "gw-01")


def group(number: int, lines: int) -> bytes:
    at = AT + number * 10**9
    return b"\n".join(b"gas,device=gas-%d lel=%d.5,q=0i %d" % (n, number % 50, at) for n in range(lines))


async def fill(broker: Mosquitto, messages: int, lines: int) -> None:
    async with Ear(broker.url, "none") as ear:
        for number in range(messages):
            user = custody.record_properties("telemetry", 1, number + 1, lines)
            message = Message(TOPICS.telemetry, group(number, lines), properties=tuple(user))
            assert ear.connection
            while ear.connection.publish(message) == 0 or ear.connection.unsent > 1 << 20:  # noqa: ASYNC110  polls the kernel
                await asyncio.sleep(0.001)
            if number % 50 == 0:
                await asyncio.sleep(0.02)
        await asyncio.sleep(1)


def start(config: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "gateway.cli", "ingest", "-c", str(config)]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def stop(process: subprocess.Popen[bytes]) -> list[dict[str, dict[str, int]]]:
    process.terminate()
    out, _ = process.communicate(timeout=30)
    return [json.loads(line) for line in out.splitlines()]


def main(workers: int = 1, messages: int = 1000, lines: int = 500) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        extra = "max_queued_messages 0"
        with Mosquitto(folder / "broker", extra=extra) as broker, Influx(folder / "influx") as influx:
            config = folder / "ingest.yaml"
            config.write_text(
                f"mqtt: {{url: '{broker.url}', client_id: bench}}\n"
                f"influx: {{url: '{influx.url}', api: v1, database: tocsin}}\n"
                f"quarantine: {folder}/refused\nworkers: {workers}\n",
                encoding="utf-8",
            )
            first = start(config)
            time.sleep(3)  # its sessions exist now
            stop(first)
            asyncio.run(fill(broker, messages, lines))
            began, total, counted = time.monotonic(), messages * lines, 0
            process = start(config)
            first_write, already = 0.0, 0
            while counted < total:
                time.sleep(0.1)
                counted = influx.count("gas", "lel")
                if counted and not first_write:
                    first_write, already = time.monotonic(), counted
            seconds = time.monotonic() - first_write
            reports = stop(process)
            used = resource.getrusage(resource.RUSAGE_CHILDREN)
            shares = [r["telemetry"]["written"] for r in reports]
            print(f"{workers} worker(s): {(total - already) / seconds:,.0f} points/s after the first write;")
            print(
                f"  {total:,} points, all found; shares {shares}; began to write after {first_write - began:.1f} s"
            )
            print(
                f"  processor time of the workers {used.ru_utime + used.ru_stime:.1f} s (two starts included)"
            )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
