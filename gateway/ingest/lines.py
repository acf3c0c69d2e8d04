r"""Telemetry as it arrives: checked line by line, `site` and `gateway` added from the topic. Pure.

What a gateway sends is joined with what others send before it is written, so one line must never be able to
become two, or to swallow the next: each must be whole by itself, with its quotes closed and its own time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# Possessive (++): no backtracking, whatever comes in.
_TAG = rb'(?:,(?!site=|gateway=)[A-Za-z0-9_.-]++=(?:[^\s,="\\]++|\\[^\r\n])++)*+'  # gateway_health has no tag of its own
_FIELDS = rb'(?:[^\s"\\]++|\\[^\r\n]|"(?:[^"\\\r\n]++|\\[^\r\n])*+")++'
_LINE = re.compile(
    rb"^([A-Za-z_][A-Za-z0-9_]*+)(?=" + _TAG + rb" " + _FIELDS + rb" [0-9]{1,19}$)", re.MULTILINE
)
_FORGED = re.compile(rb"^[^ ]*,(?:site|gateway)=")
_UNTIMED = re.compile(rb" [0-9]{1,19}$")


@dataclass(frozen=True, slots=True)
class Tagged:
    """The lines of one message, ready to be written, and those that are not."""

    good: bytes  # joined by newlines, none at the end
    count: int  # number of good lines
    bad: tuple[tuple[bytes, str], ...] = ()  # (line, reason)


def tag(payload: bytes, site: str, gateway: str) -> Tagged:
    """Return the lines of a telemetry message with the tags that the topic vouches for.

    `site` and `gateway` are names of the contract ([a-z0-9-]+), so they need no escape.
    """
    payload = payload.rstrip(b"\n")
    added = rb"\1,site=%s,gateway=%s" % (site.encode(), gateway.encode())
    good, count = _LINE.subn(added, payload)
    if count == payload.count(b"\n") + 1:
        return Tagged(good, count)
    kept: list[bytes] = []
    bad: list[tuple[bytes, str]] = []
    for line in payload.split(b"\n"):
        good, ok = _LINE.subn(added, line)
        if ok:
            kept.append(good)
        elif line:
            bad.append((line, _reason(line)))
    return Tagged(b"\n".join(kept), len(kept), tuple(bad))


def _reason(line: bytes) -> str:
    if _FORGED.match(line):
        return "carries site or gateway itself: these come from the topic"
    if not _UNTIMED.search(line):
        return "no time at the end: a repeated write would become a second point"
    return "not line protocol of the contract"
