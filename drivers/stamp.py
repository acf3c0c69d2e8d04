"""A date and time as devices send it: six small numbers, no zone, not always one that exists. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from drivers.bcd import from_bcd, to_bcd


class Stamp(NamedTuple):
    """What the device sent. Clocks that were never set send zeros: that must not cost the message."""

    year: int  # two digits, since 2000
    month: int
    day: int
    hour: int
    minute: int
    second: int

    def iso(self) -> str | None:
        """Return "2026-11-22T08:15:30"; None when there is no such time."""
        try:
            when = datetime(2000 + self.year, *self[1:], tzinfo=UTC)
        except ValueError:
            return None
        return when.replace(tzinfo=None).isoformat()


NO_STAMP = Stamp(0, 0, 0, 0, 0, 0)


def stamp_of(when: datetime) -> Stamp:
    """Return the stamp of a local time. Raises ValueError outside the years 2000 to 2099."""
    if not 2000 <= when.year <= 2099:
        raise ValueError(f"the year {when.year} does not fit into two digits after 2000")
    return Stamp(when.year - 2000, when.month, when.day, when.hour, when.minute, when.second)


def stamp_from_bcd(data: bytes) -> Stamp | None:
    """Return what six BCD bytes YY MM DD hh mm ss say; None when they are not decimal."""
    numbers = [from_bcd(data[i : i + 1]) for i in range(6)]
    year, month, day, hour, minute, second = numbers
    if year is None or month is None or day is None or hour is None or minute is None or second is None:
        return None
    return Stamp(year, month, day, hour, minute, second)


def stamp_to_bcd(stamp: Stamp) -> bytes:
    """Return six BCD bytes YY MM DD hh mm ss."""
    return b"".join(to_bcd(number, 1) for number in stamp)
