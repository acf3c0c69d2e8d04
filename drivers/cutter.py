"""Cuts frames out of bytes that arrive in pieces of any size, for protocols that carry their length. Pure.

Frames are taken strictly in the order of the bytes: what comes out does not depend on how the stream was
cut. Where a mark turns out to begin no frame, only the mark is given up and the search goes on behind it,
so noise before a frame never costs the frame.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_REFUSALS: Final = 16


class Step(StrEnum):
    """At which step a frame was refused."""

    LENGTH = "length"
    MARK = "mark"
    CHECKSUM = "checksum"
    SANITY = "sanity"


class FrameError(ValueError):
    """These bytes are not a frame. Every protocol raises its own subclass."""

    def __init__(self, step: Step, what: str) -> None:
        super().__init__(f"{step}: {what}")
        self.step = step


class Refusal(NamedTuple):
    """A frame of the right size that was not believed, and why."""

    frame: bytes
    error: FrameError


F = TypeVar("F")


@dataclass(frozen=True, slots=True)
class Framing(Generic[F]):
    """How frames of one protocol are found."""

    mark: bytes  # what every frame begins with; empty where frames have none: every byte may be a beginning
    head: int  # so many bytes tell the size
    measure: Callable[[bytes], int]  # size of the whole frame from its head; raises FrameError
    parse: Callable[[bytes], F]  # raises FrameError
    filler: bytes = b""  # bytes that may stand before a frame and are no noise


class Cutter(Generic[F]):
    """Holds the bytes of a frame that has only begun: always less than one whole frame."""

    def __init__(self, framing: Framing[F]) -> None:
        self.noise = 0  # bytes that belonged to no frame
        self.refused = 0
        self.refusals: deque[Refusal] = deque(maxlen=MOST_REFUSALS)  # the latest; the reader empties it
        self._framing = framing
        self._buffer = bytearray()

    @property
    def pending(self) -> int:
        """How many bytes wait for the rest of their frame."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[F]:
        """Take in `data`, return the frames it completes."""
        self._buffer += data
        return self._cut(final=False)

    def flush(self) -> list[F]:
        """Return what else is there once the line fell silent: an unfinished frame never will be finished."""
        return self._cut(final=True)

    def _cut(self, *, final: bool) -> list[F]:
        buffer, mark = self._buffer, self._framing.mark
        frames: list[F] = []
        at = 0
        while 0 <= (start := buffer.find(mark, at)) < len(buffer):
            self._skip(at, start)
            try:
                size = self._size(start)
                if size == 0 and not final:
                    at = start
                    break
                if size:
                    frames.append(self._parse(start, size))
            except FrameError:
                size = 0
            at = start + (size or 1)
            self.noise += not size
        else:
            keep = 0 if final else _begun(buffer, mark, at)
            self._skip(at, len(buffer) - keep)
            at = len(buffer) - keep
        del buffer[:at]
        return frames

    def _size(self, start: int) -> int:
        """Return the size of the frame that begins here; 0 while it is not whole."""
        have = len(self._buffer) - start
        if have < self._framing.head:
            return 0
        size = self._framing.measure(bytes(self._buffer[start : start + self._framing.head]))
        return size if have >= size else 0

    def _parse(self, start: int, size: int) -> F:
        frame = bytes(self._buffer[start : start + size])
        try:
            return self._framing.parse(frame)
        except FrameError as error:
            self.refused += 1
            self.refusals.append(Refusal(frame, error))
            raise

    def _skip(self, start: int, end: int) -> None:
        skipped = self._buffer[start:end]
        self.noise += len(skipped) - sum(skipped.count(byte) for byte in self._framing.filler)


def _begun(buffer: bytearray, mark: bytes, at: int) -> int:
    """Return how many bytes at the end may be the beginning of a mark."""
    for size in range(min(len(mark) - 1, len(buffer) - at), 0, -1):
        if buffer.endswith(mark[:size]):
            return size
    return 0


def sum8(data: bytes) -> int:
    """Return the sum of all bytes modulo 256."""
    return sum(data) & 0xFF
