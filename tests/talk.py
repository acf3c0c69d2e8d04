"""What tests of conversations share: moments, and everything a conversation says within a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drivers.conversation import Heard
from gateway.model import Instant

if TYPE_CHECKING:
    from collections.abc import Iterable

    from drivers.conversation import Conversation, Told

WALL = 1_790_000_000_000_000_000


def moment(mono: float, *, synced: bool = True) -> Instant:
    return Instant(mono, WALL + round(mono * 1e9), synced)


def fed(talk: Conversation, data: bytes, mono: float = 0.0, size: int = 0) -> Heard:
    """Feed bytes in pieces of a size (0: whole) and return everything that came of them."""
    told: list[Any] = []
    done: list[Any] = []
    step = size or max(len(data), 1)
    for start in range(0, len(data), step):
        heard = talk.receive(data[start : start + step], moment(mono))
        told += heard.told
        done += heard.done
    return Heard(tuple(told), tuple(done))


def said(talk: Conversation, mono: float, seconds: float = 1.0) -> list[bytes]:
    """Return the frames it sends until so many seconds later, pauses kept."""
    found = []
    end = mono + seconds
    while mono <= end:
        if data := talk.to_send(mono):
            found.append(data)
        else:
            mono += 0.005
    return found


def merged(told: Iterable[Told]) -> dict[Any, dict[str, Any]]:
    """Return the last of each item of each device."""
    found: dict[Any, dict[str, Any]] = {}
    for word in told:
        found.setdefault(word.who, {}).update(word.items)
    return found
