"""Alarms as the API shows them, and what people do to them."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from gateway.links.encode import DRILL
from rules.rule import gravity
from rules.told import rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.model import Instant
    from rules.desk import Desk
    from rules.view import View

MOST_TOLD = 100  # notices shown with one alarm


class Alarms:
    """The alarms with the places of their devices."""

    def __init__(self, engine: Desk, places: Mapping[str, Mapping[str, Any]]) -> None:
        self._engine = engine
        self._places = places

    def rows(self, now: Instant) -> list[dict[str, Any]]:
        """Return every alarm people should see, gravest and newest first."""
        found = [self.row(view, now) for view in self._engine.view()]
        return sorted(found, key=lambda row: (row["letter"] in "DF", gravity(row["level"]), -row["at"]))

    def out_of_service(self, mono: float) -> dict[str, dict[str, float | None]]:
        """Return the devices of which every alarm is out of service, with the seconds until one is back."""
        left: dict[str, float] = {}
        for alarm in self._engine.alarms():
            hold = alarm.state.out_of_service
            ends = 0.0 if hold is None else max(hold.until - mono, 0.0)
            left[alarm.key[0]] = min(left.get(alarm.key[0], ends), ends)
        return {device: {"out_of_service": round(ends, 1)} for device, ends in left.items() if ends}

    def find(self, device: str, rule: str) -> View | None:
        """Return one alarm that stands, or None."""
        return next((v for v in self._engine.view() if (v.device, v.rule) == (device, rule)), None)

    def notices(self, limit: int, key: tuple[str, str] | None = None) -> dict[str, Any]:
        """Return what people are told, newest first, and whether this is a flood; of one alarm, or of all."""
        stage = self._engine.notices
        view = None if key is None else self.find(*key)
        waiting = sum(not notice.done for notice in stage.outbox.notices.values())
        counts = {"waiting": waiting, "fleeting": stage.together.fleeting, "dropped": stage.outbox.dropped}
        found = rows(stage.outbox.notices.values(), limit, "" if view is None else view.occurrence)
        return {"flood": stage.flood, **counts, "notices": [] if key and view is None else found}

    def told(self, view: View, now: Instant) -> dict[str, Any]:
        """Return who was told of one alarm, what became of it, and what the ladder does next."""
        way = self._engine.notices.way_up(view.occurrence, now) if view.occurrence else None
        return {"way_up": way, "notices": self.notices(MOST_TOLD, (view.device, view.rule))["notices"]}

    def collapsed(self, view: View) -> bool:
        """Whether a flood hides it on the screens: all but root causes and what is level 1 or 2 (5.6)."""
        if not self._engine.notices.flood or view.level in {1, 2}:
            return False
        return not self._engine.roots.affects((view.device, view.rule))

    def row(self, view: View, now: Instant) -> dict[str, Any]:
        """Return one alarm as JSON-able data; `age` in seconds since it opened."""
        row = asdict(view)
        row["class"] = row.pop("alarm_class").value
        row["place"] = self._places.get(view.device, {})
        row["age"] = round(max(0.0, (now.wall - view.opened) / 1e9), 1) if view.opened else None
        row["collapsed"] = self.collapsed(view)
        climb = self._engine.notices.climbs.get(view.occurrence)
        row["step"] = 0 if climb is None else climb.taken
        row["affects"] = self._engine.roots.affects((view.device, view.rule))
        row["interlocks"] = self._engine.interlocks.of((view.device, view.rule), now.mono)
        row["message"] = {zh_en: DRILL[zh_en] * view.test + said for zh_en, said in view.message.items()}
        return row
