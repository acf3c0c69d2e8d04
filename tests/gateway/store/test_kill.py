"""Nothing that was acknowledged is lost to `kill -9`, wherever it strikes; nor to a power cut."""

from __future__ import annotations

import fcntl
import os
import random
import select
import shutil
import signal
import struct
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest
from journals import everything, opened

from gateway.store import Lane, audit

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
WRITER = [sys.executable, str(ROOT / "tests/journal_writer.py")]
SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN; argument 2: do not flush the journal


@dataclass
class Ledger:
    """What a writer was told is safe."""

    alarms: dict[tuple[int, int], bytes] = field(default_factory=dict)
    telemetry: dict[tuple[int, int], bytes] = field(default_factory=dict)
    epochs: list[int] = field(default_factory=list)

    def note(self, lines: bytes) -> None:
        for line in lines.decode().splitlines():
            kind, epoch, *rest = line.split()
            if kind == "E":
                self.epochs.append(int(epoch))
            elif kind == "A":
                self.alarms[int(epoch), int(rest[0])] = rest[1].encode()
            else:
                self.telemetry[int(epoch), int(rest[0])] = f"t,device=d v={rest[1]} {rest[1]}\n".encode()


def writer(data: Path, synchronous: str = "FULL", before: tuple[str, ...] = ()) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*before, *WRITER, str(data), synchronous],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def listen(pipe: IO[bytes] | None, seconds: float, least: int = 0) -> bytes:
    """Return what comes out of a pipe from its first byte on for some time, `least` lines at any rate."""
    assert pipe is not None
    heard = os.read(pipe.fileno(), 65536)
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0 or heard.count(b"\n") < least:
        left = max(left, 0.01)
        if select.select([pipe], [], [], left)[0]:
            more = os.read(pipe.fileno(), 65536)
            if not more:
                break
            heard += more
    return heard


def drained(pipe: IO[bytes] | None) -> bytes:
    """Return what a stopped writer had already said."""
    assert pipe is not None
    heard = b""
    while select.select([pipe], [], [], 0.05)[0]:
        heard += os.read(pipe.fileno(), 65536)
    return heard


def kill(process: subprocess.Popen[bytes]) -> bytes:
    """Kill a writer; return what it had still said."""
    process.kill()
    rest, _ = process.communicate()
    return rest


async def missing(data: Path, ledger: Ledger) -> tuple[set[tuple[int, int]], set[tuple[int, int]]]:
    """Return what the ledger has and the journal has not: of the alarm lane, of the telemetry lane."""
    async with opened(data) as store:
        if store.health.damaged:
            return set(ledger.alarms), set(ledger.telemetry)
        assert store.epoch > max(ledger.epochs)
        alarms = {r.place: r.payload for r in await everything(await store.cursor("audit", Lane.ALARM), 1000)}
        groups = {
            r.place: r.payload for r in await everything(await store.cursor("audit", Lane.TELEMETRY), 999)
        }
        states = await store.load_states()
        if alarms:  # state and event in one transaction: the state is that of the newest event
            assert states["d", "r"].encode() == alarms[max(alarms)]
    lost_alarms = {place for place, payload in ledger.alarms.items() if alarms.get(place) != payload}
    lost_groups = {place for place, lines in ledger.telemetry.items() if groups.get(place) != lines}
    return lost_alarms, lost_groups


async def kill_often(data: Path, rounds: int, seed: int) -> Ledger:
    chance, ledger = random.Random(seed), Ledger()
    for _ in range(rounds):
        process = writer(data)
        heard = listen(process.stdout, chance.uniform(0, 0.25), least=20)
        ledger.note(heard + kill(process))
        assert await missing(data, ledger) == (set(), set()), f"seed {seed}"
        with audit.opened(data) as db:
            assert audit.prove(db).whole, f"seed {seed}"
    assert len(set(ledger.epochs)) == rounds
    return ledger


async def test_nothing_acknowledged_is_lost_to_a_kill(tmp_path: Path) -> None:
    ledger = await kill_often(tmp_path / "data", 6, 1)
    assert len(ledger.alarms) > 50


@pytest.mark.slow
async def test_nothing_acknowledged_is_lost_to_two_hundred_kills(tmp_path: Path) -> None:
    await kill_often(tmp_path / "data", 200, 2)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
@pytest.mark.parametrize("call", ["pwrite64", "fdatasync", "ftruncate", "unlink", "rename"])
async def test_a_kill_at_any_write_call_loses_nothing_and_the_next_start_works(
    tmp_path: Path, call: str
) -> None:
    for at in [*range(1, 25), *range(30, 400, 23)]:
        data, ledger = tmp_path / f"{at}", Ledger()
        strace = ("strace", "-f", "-qq", "-o", "/dev/null", f"-einject={call}:signal=KILL:when={at}")
        process = writer(data, before=strace)
        heard = listen(process.stdout, 1.5)
        if process.poll() is None and heard:  # it never made that many of these calls
            with suppress(ProcessLookupError):  # or it has just made it
                os.kill(int(heard.split()[2]), signal.SIGKILL)
        ledger.note(heard + process.communicate()[0])
        ledger.epochs.append(0)
        assert await missing(data, ledger) == (set(), set()), f"{call} {at}"


def mounted(folder: Path) -> bool:
    """Make a small ext4 in a file and mount it, if this machine lets us."""
    folder.mkdir()
    image = folder.with_suffix(".img")
    with image.open("wb") as file:
        file.truncate(64 << 20)
    try:
        subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True, capture_output=True)
        subprocess.run(["mount", "-o", "loop", image, folder], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk whose power can be cut: everything that was not flushed is gone."""
    folder = tmp_path / "disk"
    if os.geteuid() != 0 or not mounted(folder):
        pytest.skip("needs root and loop devices")
    yield folder
    subprocess.run(["umount", folder], check=True)


def cut_power(disk: Path) -> None:
    fd = os.open(disk, os.O_RDONLY)
    fcntl.ioctl(fd, SHUTDOWN, struct.pack("I", 2))
    os.close(fd)


def power_on(disk: Path) -> None:
    subprocess.run(["umount", disk], check=True)
    subprocess.run(["mount", "-o", "loop", disk.with_suffix(".img"), disk], check=True)


async def cuts_with_loss(disk: Path, cuts: int, synchronous: str) -> int:
    """Cut the power again and again; return how many cuts took something that was acknowledged."""
    chance, lossy, acknowledged = random.Random(cuts), 0, 0
    for number in range(cuts):
        data, ledger = disk / f"data{number % 3}", Ledger()
        process = writer(data, synchronous)
        heard = listen(process.stdout, chance.uniform(0.05, 0.6))
        process.send_signal(signal.SIGSTOP)
        heard += drained(process.stdout)
        cut_power(disk)
        kill(process)
        power_on(disk)
        ledger.note(heard)
        acknowledged += len(ledger.alarms) + len(ledger.telemetry)
        lossy += await missing(data, ledger) != (set(), set())
    print(f"{synchronous}: {cuts} cuts, {acknowledged} acknowledged, {lossy} cuts with loss")
    return lossy


@pytest.mark.slow
async def test_nothing_acknowledged_is_lost_to_a_power_cut(disk: Path) -> None:
    assert await cuts_with_loss(disk, 40, "FULL") == 0


@pytest.mark.slow
async def test_the_power_cut_is_real_a_journal_that_does_not_sync_loses(disk: Path) -> None:
    assert await cuts_with_loss(disk, 8, "NORMAL") > 0
