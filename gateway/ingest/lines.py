r"""Telemetry as it arrives: checked line by line, `site` and `gateway` added from the topic. Pure.

What a gateway sends is joined with what others send before it is written, so one line must never be able to
become two, or to swallow the next: each must be whole by itself, with its quotes closed and its own time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# Possessive (++): no backtracking, whatever comes in.
_TAG = rb'(?:,(?!site=|gateway=)[A-Za-z0-9_.-]++=(?:[^\s,="\\]++|\\[^\r\n])++)*+'  # none: gateway_health
_FIELDS = rb'(?:[^\s"\\]++|\\[^\r\n]|"(?:[^"\\\r\n]++|\\[^\r\n])*+")++'
_NAME = rb"[A-Za-z_][A-Za-z0-9_]*+"
_LINE = re.compile(_NAME + _TAG + rb" " + _FIELDS + rb" [0-9]{1,19}")
# All lines in one match, and replace() instead of sub(): 0.8 microseconds a line instead of 3.2.
_LINES = re.compile(rb"(?:" + _LINE.pattern + rb"(?:\n|\Z))++")
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
    added = b",site=%s,gateway=%s" % (site.encode(), gateway.encode())
    if _LINES.fullmatch(payload):
        return Tagged(_add(payload, added), payload.count(b"\n") + 1)
    kept: list[bytes] = []
    bad: list[tuple[bytes, str]] = []
    for line in payload.split(b"\n"):
        if _LINE.fullmatch(line):
            kept.append(line)
        elif line:
            bad.append((line, _reason(line)))
    return Tagged(_add(b"\n".join(kept), added), len(kept), tuple(bad))


def _add(lines: bytes, added: bytes) -> bytes:
    """Put the tags behind the measurement of each line; a measurement has no escapes."""
    heads = {line.partition(b" ")[0] for line in lines.split(b"\n")}
    lines = b"\n" + lines
    for name in {head.partition(b",")[0] for head in heads}:
        for end in (b",", b" "):  # with tags of its own, or without
            lines = lines.replace(b"\n%s%s" % (name, end), b"\n%s%s%s" % (name, added, end))
    return lines[1:]


def _reason(line: bytes) -> str:
    if _FORGED.match(line):
        return "carries site or gateway itself: these come from the topic"
    if not _UNTIMED.search(line):
        return "no time at the end: a repeated write would become a second point"
    return "not line protocol of the contract"
