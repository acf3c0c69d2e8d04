"""The one stream: everything once, then what changed, and a heartbeat that says "I live"."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.board import Board
    from gateway.clock import Clock
    from gateway.console.alarms import Alarms
    from gateway.report import Report

PACE = 0.25  # seconds between two looks: 4 Hz at most, whatever happens outside
HEARTBEAT = 10.0


async def stream(
    report: Report, board: Board, alarms: Alarms, clock: Clock, stopping: asyncio.Event
) -> AsyncIterator[str]:
    """Yield server-sent events. A slow reader gets the latest state later, never a growing queue."""
    seen, told, before = board.change, clock.mono(), _by_key(alarms, clock)
    snapshot = {"status": report.status(), "devices": report.devices(), "alarms": list(before.values())}
    yield _event("snapshot", snapshot)
    while not stopping.is_set():
        try:
            async with asyncio.timeout(PACE):
                await stopping.wait()
        except TimeoutError:
            pass
        changed = list(board.since(seen))
        seen = board.change
        for device in report.devices(changed):
            yield _event("delta", device)
        now = _by_key(alarms, clock)
        for key in before.keys() | now.keys():
            if _told(before.get(key)) != _told(now.get(key)):
                yield _event("alarm", now.get(key) or {**before[key], "closed": True})
        before = now
        if clock.mono() - told >= HEARTBEAT:
            told = clock.mono()
            yield _event("hb", {"at": clock.now().wall, "change": seen})


def _by_key(alarms: Alarms, clock: Clock) -> dict[tuple[str, str], dict[str, Any]]:
    return {(row["device"], row["rule"]): row for row in alarms.rows(clock.now())}


def _told(row: dict[str, Any] | None) -> dict[str, Any]:
    """Return what of an alarm is worth telling again: not its age."""
    return (
        {}
        if row is None
        else {
            key: value
            for key, value in row.items()
            if key not in {"age", "value", "shelved", "out_of_service", "message"}
        }
    )


def _event(kind: str, data: object) -> str:
    return f"event: {kind}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
