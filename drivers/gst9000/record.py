"""Records of a GST9000 fire panel on its printer port: escape codes, ASCII, GB2312 words. Pure.

    1B 36  08/12/02  17:24  0A  two spaces 004-004  0A 1B 39  首次火警  0A

There is neither a length nor a checksum, so a record ends with its line and is believed only where every
part of it is what it must be. The order of the date's parts is not documented: it stays text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from drivers.cutter import FrameError, Step

START: Final = b"\x1b6"
MOST: Final = 128  # bytes of a record; words have 8 or so
CHARSET: Final = "gb18030"  # what GB2312 has is the same bytes in it; panels print more by now
_RECORD: Final = re.compile(
    rb"\x1b6([0-9]{2}/[0-9]{2}/[0-9]{2} {1,2}[0-9]{2}:[0-9]{2}) *\r?\n"
    rb" *([0-9]{3})-([0-9]{3}) *\r?\n\x1b9 *([^\x00-\x1f]{2,64}?) *\r?\n"
)
KINDS: Final = {"首次火警": "first_fire", "火警": "fire", "复位": "reset"}


class Gst9000Error(FrameError):
    """These bytes are not a record."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record: what happened, in the panel's own words, and where."""

    loop: int
    point: int
    words: str
    printed: str  # date and time as printed, "08/12/02  17:24"

    @property
    def kind(self) -> str | None:
        """first_fire, fire or reset; None for words we do not know, which must not be lost either."""
        return KINDS.get(self.words.strip())


def encode_record(record: Record) -> bytes:
    """Return what the panel prints. Raises Gst9000Error when it would be no record."""
    place = f"\n  {record.loop:03d}-{record.point:03d}\n\x1b9"
    text = START.decode() + record.printed + place + record.words + "\n"
    data = text.encode(CHARSET, "replace")
    if decode_record(data) != record:
        raise Gst9000Error(Step.SANITY, f"{record} cannot be printed")
    return data


def decode_record(data: bytes) -> Record:
    """Return the one record these bytes are. Raises Gst9000Error."""
    if not data.startswith(START):
        raise Gst9000Error(Step.MARK, f"it begins with {data[:2].hex(' ')}, not with {START.hex(' ')}")
    if len(data) > MOST:
        raise Gst9000Error(Step.LENGTH, f"a record has at most {MOST} bytes, these are {len(data)}")
    found = _RECORD.fullmatch(data)
    if found is None:
        raise Gst9000Error(Step.SANITY, f"not date, place and words: {data.hex(' ')}")
    printed, loop, point, words = found.groups()
    try:
        said = words.decode(CHARSET)
    except UnicodeDecodeError as error:
        raise Gst9000Error(Step.SANITY, f"no {CHARSET} words: {words.hex(' ')}") from error
    return Record(int(loop), int(point), said, printed.decode())


class Cutter:
    """Cuts records out of bytes that arrive in pieces of any size."""

    def __init__(self) -> None:
        self.noise = 0  # bytes that belonged to no record
        self.refused = 0  # records that began and were not believed
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Record]:
        """Take in `data`, return the records it completes."""
        records: list[Record] = []
        for line in data.splitlines(keepends=True):
            records += self._line(line)
        return records

    def _line(self, line: bytes) -> list[Record]:
        """Take in bytes that hold at most one line's end."""
        self._buffer += line
        self._drop(self._last_start())
        if not self._buffer.endswith(b"\n"):
            return []
        if self._buffer.count(b"\n") < 3:
            return []
        try:
            record = decode_record(bytes(self._buffer))
        except Gst9000Error:
            self.refused += 1
            self._drop(len(self._buffer))
            return []
        self._buffer.clear()
        return [record]

    def _last_start(self) -> int:
        """Return how much to forget: all before the latest beginning, all where nothing has begun."""
        start = self._buffer.rfind(START)
        if start >= 0 and len(self._buffer) - start <= MOST:
            return start
        return len(self._buffer) - self._buffer.endswith(START[:1])  # the next one may just have begun

    def _drop(self, count: int) -> None:
        self.noise += count
        del self._buffer[:count]


def explain(data: bytes) -> dict[str, Any]:
    """Return the fields of one record, for people. Raises Gst9000Error."""
    record = decode_record(data)
    return {
        "kind": record.kind,
        "words": record.words,
        "loop": record.loop,
        "point": record.point,
        "printed": record.printed,
    }
