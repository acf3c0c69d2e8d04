"""WitMotion at 200 Hz on a 115,200-baud pty with bit noise, through `tocsin run`: no wrong value, and what it costs.

    python tests/bench/witmotion_hour.py [SECONDS] [BIT ERROR RATE] [BYTE SLIP RATE]     (3600 1e-3 1e-5)

A process plays the sensor in real time, four kinds of frames 200 times a second, flips bits, loses and doubles bytes
and keeps the truth. The daemon's journal is compared with it: every value of every sample must lie within what the sensor
truly said in the second that the sample stands for (and a third of a second more, for the way). CPU is the daemon's own,
from /proc. Exit 1 on a wrong value, on too few samples, or on 5 % of a core and more.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import tty
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parent), str(HERE)]

from noisy_stream import ACCELERATION, ANGLE, NoisyStream  # noqa: E402  the path comes first

from gateway.cli.client import Daemon  # noqa: E402
from gateway.cli.output import Failure  # noqa: E402
from gateway.recorded import of_folder  # noqa: E402
from gateway.telemetry import parse  # noqa: E402

FIELDS = {
    "tilt_x": (ANGLE, 0, 180 / 32768),
    "tilt_y": (ANGLE, 1, 180 / 32768),
    "heading": (ANGLE, 2, 180 / 32768),
    "acceleration_x": (ACCELERATION, 0, 16 / 32768),
    "acceleration_y": (ACCELERATION, 1, 16 / 32768),
    "acceleration_z": (ACCELERATION, 2, 16 / 32768),
    "temperature": (ACCELERATION, 3, 0.01),
}
WAY = 0.35  # seconds a frame may be on its way: the pty, a bite of 50 ms, the neighbours, a busy machine
SITE = """\
site: hour
gateway: gw-01
timezone: Asia/Shanghai
data: {folder}/data
demo: true
lines: {{tilt: {{serial: {folder}/tty, baud: 115200, protocol: witmotion}}}}
devices: {{cover: {{profile: manhole/witmotion-stream, line: tilt, address: 1}}}}
"""


class Player(threading.Thread):
    """Writes the stream at its real pace until stopped."""

    def __init__(self, master: int, stream: NoisyStream, seconds: float) -> None:
        super().__init__(name="player", daemon=True)
        self.began = 0.0  # Unix seconds at the first set
        self.lost = 0  # bytes that nobody took
        self._master, self._stream, self._seconds = master, stream, seconds

    def run(self) -> None:
        start = time.monotonic()
        self.began = time.time()
        step = 1 / self._stream.rate
        for number in range(int(self._seconds / step)):
            wait = start + number * step - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            data = self._stream.next_set()
            try:
                self.lost += len(data) - os.write(self._master, data)
            except BlockingIOError:
                self.lost += len(data)


def cpu(pid: int) -> float:
    parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


def ready(api: Daemon) -> None:
    """Wait until the line is open, and the start is paid for."""
    for _ in range(100):
        time.sleep(0.2)
        with contextlib.suppress(Failure):
            if api.get("/status")["lines"][0]["open"]:
                break
    time.sleep(3)


def compare(found: list[str], stream: NoisyStream, began: float) -> dict[str, Any]:
    wrong: list[str] = []
    checked, worst = 0, 0.0
    for text in found:
        record = parse(text)
        at = record.at / 1e9 - began
        for name, (kind, axis, scale) in FIELDS.items():
            value = record.fields.get(name)
            if value is None:
                continue
            low, high = stream.envelope(kind, axis, at - 1.0 - WAY, at)
            checked += 1
            beyond = max(low * scale - float(value), float(value) - high * scale)
            worst = max(worst, beyond)
            if beyond > 1e-9:
                wrong.append(f"{at:.1f} s: {name} {value}, sent {low * scale:.3f} to {high * scale:.3f}")
    return {"samples": len(found), "values": checked, "wrong": len(wrong), "which": wrong[:20]}


def main(seconds: float = 3600, errors: float = 1e-3, slips: float = 1e-5) -> int:
    folder = Path(tempfile.mkdtemp(prefix="witmotion-hour-"))
    master, slave = os.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)
    (folder / "tty").symlink_to(os.ttyname(slave))
    site = folder / "site.yaml"
    site.write_text(SITE.format(folder=folder), "utf-8")
    stream = NoisyStream(errors, slips=slips)
    command = [sys.executable, "-m", "gateway.cli", "run", "-c", str(site)]
    with subprocess.Popen(command, stderr=(folder / "log").open("w")) as daemon:
        api = Daemon(folder / "data" / "api.sock", timeout=10)
        ready(api)
        player = Player(master, stream, seconds)
        before, start = cpu(daemon.pid), time.monotonic()
        player.start()
        player.join()
        used, took = cpu(daemon.pid) - before, time.monotonic() - start
        time.sleep(3)
        line = api.get("/status")["lines"][0]
        rss = int(Path(f"/proc/{daemon.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
        daemon.terminate()
        daemon.wait(20)
    found, _ = of_folder(folder / "data")("cover", 0, (1 << 63) - 1)
    result = compare(found, stream, player.began)
    counts = stream.counts
    good = not result["wrong"] and result["samples"] >= 0.9 * (took - 2) and used / took < 0.05
    told = {
        "seconds": round(took), "bit error rate": errors, "byte slip rate": slips, "frames sent": counts.sent,
        "frames damaged": counts.damaged, "damaged that pass the checksum": counts.passed,
        "frames taken": line["replies"], "bytes that made no frame": line["crc_errors"], "bytes nobody took": player.lost,
        "daemon CPU, % of a core": round(100 * used / took, 2), "daemon memory, MB": round(rss, 1),
        **result, "good": good, "folder": str(folder),
    }  # fmt: skip
    print(json.dumps(told, ensure_ascii=False, indent=1))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(*map(float, sys.argv[1:])))
