"""What an answer of the database means for the lines that were sent. Pure.

The difference that matters: lines that will never be taken must not hold up the rest, and lines that could
not be taken now, or not with these settings, must not be lost (lab.md 1.1; InfluxDB write API).
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_DROPPED = re.compile(r"\bdropped=(\d+)")
REFUSING = frozenset({400, 422})


class Refused(Exception):
    """Some of the lines, or all, will never be taken; the rest of them may be stored already."""

    def __init__(self, reason: str, dropped: int | None = None) -> None:
        super().__init__(reason)
        self.dropped = dropped  # how many, where the server says so


class Unavailable(Exception):
    """Nothing is certain; try the same again after a pause."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after  # s, from the server


class Misconfigured(Unavailable):
    """The database will not take anything like this: wrong token, unknown database. A person is needed."""


def judge(status: int, body: str, headers: Mapping[str, str]) -> None:
    """Return when the lines are stored; raise Refused, Misconfigured or Unavailable when not."""
    if status in {200, 204}:
        return
    reason = f"HTTP {status}: {body.strip()[:500] or 'no text'}"
    if status == 413 or (status in REFUSING and _is_influx(body)):
        found = _DROPPED.search(body)
        raise Refused(reason, int(found[1]) if found else None)
    if status in {408, 425, 429} or status >= 500:
        raise Unavailable(reason, _seconds(headers))
    raise Misconfigured(reason)


def _seconds(headers: Mapping[str, str]) -> float | None:
    said = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    return min(float(said), 3600.0) if said.isdigit() else None


def _is_influx(body: str) -> bool:
    """Whether the database itself says no, and not a proxy on the way that knows nothing of lines."""
    try:
        said = json.loads(body)
    except ValueError:
        return False
    return isinstance(said, dict) and ("error" in said or "message" in said)
