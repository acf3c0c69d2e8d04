"""Serial lines of real speed and very fast peers, for tests and benches: compiled C in processes of their own.

`paced_pair` gives a line between two ptys; with `units` it answers by itself after exactly 3.5 characters.
`gaps` and `use` read its log and say whether silences were kept, and how much of the wire was used.
"""

from __future__ import annotations

import contextlib
import functools
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

PEERS = Path(__file__).parent / "peers"


class Paced(NamedTuple):
    """A paced line."""

    app: str  # path of the pty for the application
    device: str  # path of the pty for the device; "" when the line answers by itself
    log: Path


class Byte(NamedTuple):
    """One byte that went over the line."""

    up: bool  # from the application
    due: int  # ns, monotonic: when its last bit was over, by the wire
    out: int  # ns: when it was released
    value: int


class Use(NamedTuple):
    """How a line was used."""

    exchanges: int
    rate: float  # exchanges a second
    share: float  # of the most that the wire allows


def compiler() -> str | None:
    """Return the C compiler of this machine, if it has one."""
    return shutil.which("cc") or shutil.which("gcc")


@functools.cache
def compiled(name: str) -> Path:
    """Compile tests/peers/NAME.c once per run and return the program."""
    cc = compiler()
    if cc is None:
        raise FileNotFoundError("no C compiler: install gcc")
    program = Path(tempfile.mkdtemp(prefix="tocsin-peers-")) / name
    subprocess.run([cc, "-O2", "-Wall", "-o", program, PEERS / f"{name}.c"], check=True)
    return program


@contextlib.contextmanager
def _running(command: list[str], lines: int) -> Iterator[list[str]]:
    """Run a peer and give the first lines it prints; it ends when its stdin does."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield [process.stdout.readline().strip() for _ in range(lines)]
        finally:
            process.stdin.close()
            process.wait(10)


@contextlib.contextmanager
def paced_pair(baud: int, bits: int, log: Path, units: int = 0) -> Iterator[Paced]:
    """Give a line of `baud` with `bits` per character (10 for 8N1, 11 with parity). The log is whole afterwards."""
    command = [str(compiled("pace")), str(baud), str(bits), str(log)]
    command += [str(units)] if units else []
    with _running(command, 1 if units else 2) as paths:
        yield Paced(paths[0], "" if units else paths[1], log)


@contextlib.contextmanager
def responder(framing: str, endpoints: int, silent: int = 0) -> Iterator[list[int]]:
    """Give the ports of `endpoints` very fast Modbus responders; `framing` is tcp or rtu (over TCP).

    The unit `silent` never answers.
    """
    command = [str(compiled("responder")), framing, str(endpoints), *([str(silent)] if silent else [])]
    with _running(command, endpoints) as ports:
        yield [int(port) for port in ports]


def read_log(log: Path) -> list[Byte]:
    """Return every byte in the order in which they were released."""
    rows = (line.split() for line in log.read_text().splitlines())
    return sorted((Byte(r[0] == ">", int(r[1]), int(r[2]), int(r[3], 16)) for r in rows), key=lambda b: b.out)


def character(baud: int, bits: int) -> float:
    """Return the seconds of one character."""
    return bits / baud


def silence(baud: int, bits: int) -> float:
    """Return the seconds of silence between frames: 3.5 characters, above 19200 baud 1.75 ms."""
    return 0.00175 if baud > 19200 else 3.5 * bits / baud


def wire_limit(baud: int, bits: int, registers: int) -> float:
    """Return the most exchanges a second that read `registers`, with devices that need no time."""
    return 1 / ((8 + 5 + 2 * registers) * character(baud, bits) + 2 * silence(baud, bits))


def gaps(log: Path, baud: int, bits: int) -> list[float]:
    """Return the seconds between each answer's last bit, as the application got it, and the next request's first.

    Negative where the application spoke into an answer.
    """
    begins = int(character(baud, bits) * 1e9)
    found = []
    last: Byte | None = None
    for byte in read_log(log):
        if byte.up and last is not None and not last.up:
            found.append((byte.due - begins - max(last.due, last.out)) / 1e9)
        last = byte
    return found


def use(log: Path, baud: int, bits: int, registers: int) -> Use:
    """Return how many whole exchanges of `registers` went over the line, and what share of the wire that is."""
    answers = 0
    length = 0
    first = end = 0
    for byte in read_log(log):
        if byte.up:
            first = first or byte.due
            length = 0
        else:
            length += 1
            if length == 5 + 2 * registers:
                answers += 1
                end = byte.due
    if not answers:
        return Use(0, 0.0, 0.0)
    begin = first / 1e9 - character(baud, bits)
    rate = answers / (end / 1e9 + silence(baud, bits) - begin)
    return Use(answers, rate, rate / wire_limit(baud, bits, registers))
