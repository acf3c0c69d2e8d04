"""A WitMotion sensor that streams over a bad wire, and the truth of it: what was sent, what was damaged.

Times are seconds since the beginning of the stream. The truth is kept in spans of a tenth of a second: the least
and the greatest of what was sent for each axis of each kind, before any damage.
"""

from __future__ import annotations

import math
import random
import struct
from dataclasses import dataclass, field

SPAN = 0.1
ACCELERATION, GYRO, ANGLE, MAGNETIC = 0x51, 0x52, 0x53, 0x54
KINDS = (ACCELERATION, GYRO, ANGLE, MAGNETIC)
VALID = range(0x50, 0x5B)
Axes = tuple[int, int, int, int]


@dataclass(slots=True)
class Counts:
    sent: int = 0
    damaged: int = 0  # frames with a flipped, lost or added bit or byte
    passed: int = 0  # of these, whole frames whose checksum is right all the same
    flips: int = 0


@dataclass(slots=True)
class Truth:
    low: dict[int, list[int]] = field(default_factory=dict)
    high: dict[int, list[int]] = field(default_factory=dict)

    def note(self, kind: int, words: Axes) -> None:
        if kind not in self.low:
            self.low[kind], self.high[kind] = list(words), list(words)
            return
        self.low[kind] = list(map(min, self.low[kind], words))
        self.high[kind] = list(map(max, self.high[kind], words))


class NoisyStream:
    """`rate` sets of four frames a second; each bit is flipped with probability `errors`, each byte lost or doubled
    with probability `slips`. A cover that lies still, is shaken by a lorry now and then, and is lifted."""

    def __init__(self, errors: float, *, slips: float = 0.0, rate: float = 200.0, seed: int = 1) -> None:
        self.counts = Counts()
        self.rate = rate
        self.truth: dict[int, Truth] = {}
        self._errors, self._slips = errors, slips
        self._chance = random.Random(seed)
        self._until_flip = self._gap()
        self._set = 0

    def next_set(self) -> bytes:
        """The next set of frames as it arrives."""
        t = self._set / self.rate
        self._set += 1
        truth = self.truth.setdefault(int(t / SPAN), Truth())
        return b"".join(self._frame(kind, words, truth) for kind, words in self._words(t))

    def envelope(self, kind: int, axis: int, since: float, until: float) -> tuple[int, int]:
        """The least and the greatest that was sent within a time."""
        spans = [
            self.truth[n] for n in range(max(0, int(since / SPAN)), int(until / SPAN) + 1) if n in self.truth
        ]
        return min(s.low[kind][axis] for s in spans), max(s.high[kind][axis] for s in spans)

    def _gap(self) -> int:
        """Sound bits until the next flip."""
        if not self._errors:
            return 1 << 62
        return int(math.log(1.0 - self._chance.random()) / math.log(1.0 - self._errors))

    def _words(self, t: float) -> list[tuple[int, Axes]]:
        gauss = self._chance.gauss
        roll, pitch, yaw = motion(t)
        roll, pitch, yaw = roll + gauss(0, 0.05), pitch + gauss(0, 0.05), yaw + gauss(0, 0.3)
        r, p = math.radians(roll), math.radians(pitch)
        pull = (-math.sin(p), math.sin(r) * math.cos(p), math.cos(r) * math.cos(p))
        acceleration = tuple(round((a + gauss(0, 0.003)) * 2048) for a in pull)
        angle = tuple(round(a / 180 * 32768) for a in (roll, pitch, yaw))
        spin = tuple(round(gauss(0, 0.2) / 2000 * 32768) for _ in range(3))
        field_ = tuple(round(200 + gauss(0, 3)) for _ in range(3))
        degrees = 1450 + round(300 * math.sin(t / 600))
        rows = (*acceleration, degrees), (*spin, degrees), (*angle, 0x0F37), (*field_, degrees)
        return list(zip(KINDS, rows, strict=True))  # type: ignore[arg-type]  # four words each

    def _frame(self, kind: int, words: Axes, truth: Truth) -> bytes:
        truth.note(kind, words)
        body = bytes((0x55, kind)) + struct.pack("<4h", *words)
        frame = body + bytes((sum(body) & 0xFF,))
        self.counts.sent += 1
        arrived = self._wire(frame)
        if arrived != frame:
            self.counts.damaged += 1
            self.counts.passed += is_frame(arrived)
        return arrived

    def _wire(self, frame: bytes) -> bytes:
        bits = 8 * len(frame)
        if self._until_flip >= bits and not self._slips:
            self._until_flip -= bits
            return frame
        noisy = bytearray(frame)
        at = self._until_flip
        while at < bits:
            noisy[at // 8] ^= 1 << at % 8
            self.counts.flips += 1
            at += 1 + self._gap()
        self._until_flip = at - bits
        if self._slips and self._chance.random() < self._slips * len(frame):
            place = self._chance.randrange(len(noisy))
            noisy[place : place + 1] = b"" if self._chance.random() < 0.5 else noisy[place : place + 1] * 2
        return bytes(noisy)


def is_frame(data: bytes) -> bool:
    """Whether a reader that trusts the checksum would take it."""
    return len(data) == 11 and data[0] == 0x55 and data[1] in VALID and sum(data[:10]) & 0xFF == data[10]


def motion(t: float) -> tuple[float, float, float]:
    """Roll, pitch and yaw of the cover: at rest; every 97 s a lorry shakes it for 0.2 s; every 300 s it is lifted."""
    roll, pitch, yaw = 0.4, -0.3, 91.0
    since = t % 97
    if since < 0.2:
        roll += 15 * math.sin(since * 2 * math.pi * 25)
    since = t % 300
    if 120 <= since < 126:
        roll += (since - 120) / 6 * 74
    elif 126 <= since < 150:
        roll += 74
    elif 150 <= since < 156:
        roll += (156 - since) / 6 * 74
    return roll, pitch, yaw
