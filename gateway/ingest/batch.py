"""Writes many messages at once; when some lines are refused, finds exactly those and lets the rest flow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.ingest.answers import Refused
from gateway.ingest.quarantine import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.ingest.targets import Target

MOST_SUSPECTS = 10_000


@dataclass(frozen=True, slots=True)
class Parcel:
    """Lines of one record."""

    lines: bytes  # joined by newlines
    count: int
    source: str
    epoch: int
    seq: int


@dataclass(frozen=True, slots=True)
class Line:
    """One line and the record it came with."""

    text: bytes
    parcel: Parcel

    @property
    def series(self) -> bytes:
        """Measurement and tags: what a refusal usually hangs on."""
        return self.text.partition(b" ")[0]


class BatchWriter:
    """Writes parcels; remembers which series were refused, so that they spoil no further batch."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._suspects: set[bytes] = set()
        self.requests = 0

    def write(self, parcels: Sequence[Parcel]) -> list[Refusal]:
        """Return the lines that were refused; all others are stored. Raises Unavailable; then write again.

        Repeating is safe: a point with the same series and time replaces itself.
        """
        if not self._suspects:
            text = b"\n".join(parcel.lines for parcel in parcels)
            try:
                self._send(text)
            except Refused as refused:
                return self._divide(_lines(parcels), refused)
            return []
        lines = _lines(parcels)
        refusals = self._try([line for line in lines if line.series not in self._suspects])
        doubtful = [line for line in lines if line.series in self._suspects]
        again = self._try(doubtful)
        self._suspects -= {line.series for line in doubtful} - {_series(r) for r in again}
        return refusals + again

    def _send(self, text: bytes) -> None:
        self.requests += 1
        self._target.write(text)

    def _try(self, lines: Sequence[Line]) -> list[Refusal]:
        if not lines:
            return []
        try:
            self._send(b"\n".join(line.text for line in lines))
        except Refused as refused:
            return self._divide(lines, refused)
        return []

    def _divide(self, lines: Sequence[Line], refused: Refused) -> list[Refusal]:
        """Halve what was refused together until it is known which lines it is."""
        if len(lines) == 1 or refused.dropped == len(lines):
            return [self._refuse(line, str(refused)) for line in lines]
        middle = len(lines) // 2
        return self._try(lines[:middle]) + self._try(lines[middle:])

    def _refuse(self, line: Line, reason: str) -> Refusal:
        if len(self._suspects) < MOST_SUSPECTS:
            self._suspects.add(line.series)
        parcel = line.parcel
        return Refusal(line.text, reason, parcel.source, parcel.epoch, parcel.seq)


def _lines(parcels: Sequence[Parcel]) -> list[Line]:
    return [Line(text, parcel) for parcel in parcels for text in parcel.lines.split(b"\n") if text]


def _series(refusal: Refusal) -> bytes:
    return refusal.line.partition(b" ")[0]
