"""Alarms as the API shows them, and what people do to them."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from gateway.links.encode import DRILL
from rules.rule import gravity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.model import Instant
    from rules.desk import Desk
    from rules.view import View


class Alarms:
    """The alarms with the places of their devices."""

    def __init__(self, engine: Desk, places: Mapping[str, Mapping[str, Any]]) -> None:
        self._engine = engine
        self._places = places

    def rows(self, now: Instant) -> list[dict[str, Any]]:
        """Return every alarm people should see, gravest and newest first."""
        rows = [self.row(view, now) for view in self._engine.view()]
        return sorted(rows, key=lambda row: (row["letter"] in "DF", gravity(row["level"]), -row["at"]))

    def find(self, device: str, rule: str) -> View | None:
        """Return one alarm that stands, or None."""
        return next((v for v in self._engine.view() if (v.device, v.rule) == (device, rule)), None)

    def notices(self, limit: int) -> dict[str, Any]:
        """Return what people are told, newest first, and whether this is a flood."""
        stage = self._engine.notices
        newest = sorted(stage.outbox.notices.values(), key=lambda notice: -notice.id)[:limit]
        unseen = {"began", "retry"}  # on this machine's monotonic clock
        rows = [{name: getattr(n, name) for name in n.__slots__ if name not in unseen} for n in newest]
        counts = {
            "waiting": sum(not n.done for n in stage.outbox.notices.values()),
            "fleeting": stage.together.fleeting,
        }
        return {"flood": stage.flood, **counts, "dropped": stage.outbox.dropped, "notices": rows}

    def row(self, view: View, now: Instant) -> dict[str, Any]:
        """Return one alarm as JSON-able data; `age` in seconds since it opened."""
        row = asdict(view)
        row["class"] = row.pop("alarm_class").value
        row["place"] = self._places.get(view.device, {})
        row["age"] = round(max(0.0, (now.wall - view.opened) / 1e9), 1) if view.opened else None
        row["affects"] = self._engine.roots.affects((view.device, view.rule))
        row["interlocks"] = self._engine.interlocks.of((view.device, view.rule), now.mono)
        row["message"] = {zh_en: DRILL[zh_en] * view.test + said for zh_en, said in view.message.items()}
        return row
