"""What people were told of one alarm, and how far its ladder has been climbed. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rules.ladders import choose

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gateway.model import Instant
    from rules.ladders import Climb, Ladder
    from rules.receipts import Notice

UNSEEN = frozenset({"began", "retry"})  # of a notice: on this machine's monotonic clock


def way_up(climb: Climb, ladders: Mapping[str, Ladder], now: Instant) -> dict[str, Any]:
    """Return where an alarm stands on its ladder, JSON-able; `next` in seconds, None: for nothing."""
    ladder = choose(ladders, climb.level, climb.alarm_class)
    climb.settle(now.mono)
    left = climb.left(ladder, now.wall)
    if climb.verifying and ladder.verify is not None:
        left = ladder.verify.left(climb)
    following = ladder.steps[climb.taken].to if climb.taken < len(ladder.steps) else ()
    return {
        "ladder": ladder.name,
        "verifying": climb.verifying,
        "step": climb.taken,
        "steps": len(ladder.steps),
        "next": None if left is None else round(left, 1),
        "then": list(following),
        "stopped": climb.stands,
        "people": dict(climb.told),
        "receipts": dict(climb.receipts),
    }


def rows(notices: Iterable[Notice], limit: int, occurrence: str = "") -> list[dict[str, Any]]:
    """Return notices, newest first, JSON-able; with `occurrence` only those that name it."""
    newest = sorted(notices, key=lambda notice: -notice.id)
    named = (n for n in newest if not occurrence or any(a.endswith(f"/{occurrence}") for a in n.alarms))
    found = [{name: getattr(n, name) for name in n.__slots__ if name not in UNSEEN} for n in named]
    return found[:limit]
