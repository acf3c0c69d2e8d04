"""Modbus answers that nobody asked for, from covers on a battery and 4G units that read themselves. Pure.

`unit 03|04 count data CRC`, every few hours and when something happens. The answer does not say which
registers it holds: it is known by its table and its length, so a profile for it has one block of registers
per length (`unfit`). What is told is the raw block: `{"holding": "00 2A ..."}`; `drivers.heard` makes
points of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drivers.conversation import NOTHING, Heard, Silent, Told
from drivers.cutter import Cutter, FrameError, Framing, Step
from drivers.modbus.pdu import crc
from drivers.modbus.plan import Cost, plan
from drivers.registers import Table

if TYPE_CHECKING:
    from drivers.conversation import Listeners
    from drivers.modbus.plan import Block
    from drivers.profile import Profile
    from gateway.model import Instant

TABLES: Final = {3: Table.HOLDING, 4: Table.INPUT}
PAUSE: Final = 1.0  # seconds of silence after which a frame that has only begun never will be whole
_COST: Final = Cost(byte=0.001, silence=0.004, turnaround=0.03)
_UNITS: Final = range(1, 248)


class ReportError(FrameError):
    """These bytes are no report."""


def _measure(head: bytes) -> int:
    if head[0] not in _UNITS or head[1] not in TABLES or head[2] % 2 or not 2 <= head[2] <= 250:
        raise ReportError(Step.SANITY, f"{head.hex(' ')} begins no report")
    return 5 + head[2]


def _parse(frame: bytes) -> tuple[int, Table, bytes]:
    if crc(frame) != b"\0\0":  # a frame with its CRC leaves zero
        raise ReportError(Step.CHECKSUM, "the CRC is wrong")
    return frame[0], TABLES[frame[1]], frame[3:-2]


FRAMING: Final = Framing(b"", 3, _measure, _parse)


def blocks(profile: Profile) -> list[Block]:
    """Return the blocks of registers that reports of this profile hold."""
    return plan(profile.points, _COST, profile.limits)


def unfit(profile: Profile) -> str:
    """Say why reports of this profile could not be told apart; "" when they can."""
    seen: dict[tuple[Table, int], Block] = {}
    for block in blocks(profile):
        if block.table.is_bits:
            return f"reports carry registers, not {block.table} bits"
        other = seen.setdefault((block.table, block.count), block)
        if other is not block:
            twice = f"{block.count} {block.table} registers"
            return f"has two blocks of {twice}: a report does not say which it holds"
    return ""


class Reports(Silent):
    """One port or connection on which reports arrive."""

    def __init__(self, listeners: Listeners) -> None:
        del listeners
        self._cutter = Cutter(FRAMING)
        self._flush_at: float | None = None
        self.frames = 0

    @property
    def noise(self) -> int:
        """Bytes that belonged to no report."""
        return self._cutter.noise

    def receive(self, data: bytes, now: Instant) -> Heard:
        """Take in bytes, tell the blocks of the whole reports among them."""
        found = self._cutter.feed(data)
        self._flush_at = now.mono + PAUSE if self._cutter.pending else None
        return self._tell(found)

    def tick(self, now: Instant) -> Heard:
        """Look again, after a silence, at bytes that only seemed to begin a long report."""
        if self._flush_at is None or now.mono < self._flush_at:
            return NOTHING
        self._flush_at = None
        return self._tell(self._cutter.flush())

    def next_deadline(self) -> float | None:
        """Return when the silence is long enough."""
        return self._flush_at

    def _tell(self, found: list[tuple[int, Table, bytes]]) -> Heard:
        self._cutter.refusals.clear()
        self.frames += len(found)
        return Heard(tuple(Told(unit, {table.value: data.hex(" ")}) for unit, table, data in found))
