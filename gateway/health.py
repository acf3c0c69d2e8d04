"""How everything is: lines, devices, links, journal, host. What people see and rules judge."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

from gateway import __version__
from gateway.faults import EVERY, GATEWAY, line_device
from gateway.model import Sample

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from drivers.line import AnyLine
    from gateway.board import Board
    from gateway.clock import Clock
    from gateway.config import Site
    from gateway.host import Host, HostHealth
    from gateway.links.link import Link, LinkState
    from gateway.liveness import DeviceHealth
    from gateway.model import Instant, Value
    from gateway.pipeline import Pipeline
    from gateway.poller import Poller
    from gateway.store.journal import Store
    from rules.engine import Engine


class Health:
    """Looks at everything; owns nothing."""

    def __init__(
        self,
        site: Site,
        pollers: Mapping[str, tuple[Poller, AnyLine]],
        links: Sequence[Link],
        pipeline: Pipeline,
        parts: tuple[Engine, Store, Board, Host],
        clock: Clock,
    ) -> None:
        self._site = site
        self._pollers = pollers
        self._links = links
        self._pipeline = pipeline
        self._engine, self._store, self.board, self.host = parts
        self._clock = clock
        self._started = clock.mono()
        self._down_since: dict[str, float] = {}
        self._dropped = 0
        self.calibration_due: dict[str, int] = {}  # device -> days overdue; housekeeping fills it
        self._looked: HostHealth = self.host.look()

    async def run(self) -> None:
        """Judge and keep our own figures every few seconds, and show them on the links."""
        while True:
            await asyncio.sleep(EVERY)
            now = self._clock.now()
            self._looked = self.host.look()
            await self._pipeline.accept_health([self._gateway(now), *self._lines(now)])
            report = self.report()
            for link in self._links:
                link.health(report)

    # What rules judge and the database keeps.

    def _gateway(self, now: Instant) -> Sample:
        store = self._store.health
        dropped, self._dropped = store.dropped_rows - self._dropped, store.dropped_rows
        away = [state.since for state in self._states() if not state.connected]
        values: dict[str, Value] = {
            "broker_away": round(max(away, default=0.0), 1),
            "alarm_unsent": round(self._unsent(now), 1),
            "telemetry_dropped": dropped,
            "alarms_in_memory": store.ring,
            "telemetry_waiting": store.waiting,
            "space_low": int(store.space_low),
            "files_damaged": len(store.damaged),
            "loop_lag": round(self._looked.loop_lag, 3),
            "rss": self._looked.rss,
            "cpu": round(self._looked.cpu, 3),
            "disk_free": store.free,
            "samples": self._pipeline.counts.samples,
            "readings": self._pipeline.counts.readings,
            "events": self._pipeline.counts.events,
            "clock_synced": self._looked.clock_synced,
        }
        if self._looked.temperature is not None:
            values["temperature"] = self._looked.temperature
        return Sample(GATEWAY, now.wall, now.mono, values)

    def _unsent(self, now: Instant) -> float:
        ages = [
            (now.wall - lane.oldest) / 1e9
            for state in self._states()
            for name, lane in state.lanes.items()
            if name == "alarm" and lane.oldest is not None
        ]
        return max([0.0, *ages])

    def _lines(self, now: Instant) -> Iterable[Sample]:
        for name, (poller, line) in self._pollers.items():
            health = poller.health()
            values: dict[str, Value] = {
                "down": self._for_how_long(name, "down", now, troubled=not health.is_open),
                "silent": self._for_how_long(name, "silent", now, troubled=health.silent),
                "utilisation": round(health.utilisation, 4),
                "missed": health.missed,
                "reopened": health.reopened,
                "lost": sum(1 for _ in health.lost()),
                **{
                    key: value
                    for key, value in line.stats.to_dict().items()
                    if key not in {"reopened", "busy"}
                },
            }
            yield Sample(line_device(name), now.wall, now.mono, values)

    def _for_how_long(self, line: str, what: str, now: Instant, *, troubled: bool) -> float:
        key = f"{line}/{what}"
        if not troubled:
            self._down_since.pop(key, None)
            return 0.0
        return round(now.mono - self._down_since.setdefault(key, now.mono), 1)

    def _states(self) -> list[LinkState]:
        return [link.state() for link in self._links]

    # What people see.

    def report(self) -> dict[str, Any]:
        """Return everything but the single readings, as JSON-able data."""
        counts, site = self._pipeline.counts, self._site
        lines = [self._line_report(name) for name in self._pollers]
        return {
            "site": site.site,
            "gateway": site.gateway,
            "name": dict(site.name),
            "version": __version__,
            "epoch": self._store.epoch,
            "uptime": round(self._clock.mono() - self._started, 1),
            "clock_synced": self._looked.clock_synced,
            "alarms": self._alarm_counts(),
            "data": self._data(),
            "counts": {
                "polls": sum(line["polls"] for line in lines),
                "samples": counts.samples,
                "readings": counts.readings,
                "events": counts.events,
                "announced": counts.announced,
                "health": counts.health,
            },
            "calibration_due": self.calibration_due,
            "lines": lines,
            "links": [_link_report(state, self._clock.now()) for state in self._states()],
            "store": self._store_report(),
            "host": {
                "rss": self._looked.rss,
                "cpu_seconds": round(self._looked.cpu, 2),
                "temperature": self._looked.temperature,
                "loop_lag": round(self._looked.loop_lag, 4),
                "disk_free": self._looked.disk_free,
            },
        }

    def _alarm_counts(self) -> dict[str, int]:
        found: Counter[str] = Counter({"1": 0, "2": 0, "3": 0, "4": 0, "0": 0, "unacked": 0})
        for alarm in self._engine.view():
            found[str(alarm.level)] += alarm.active or alarm.latched
            found["unacked"] += not alarm.acked
        return dict(found)

    def _data(self) -> dict[str, Any]:
        now, points, good, oldest = self._clock.mono(), 0, 0, 0.0
        for device in self.board.devices.values():
            points += len(device.points)
            fresh = [now - last.mono for last in device.points.values() if last.value is not None]
            good += len(fresh)
            oldest = max([oldest, *fresh])
        return {"points": points, "good": good, "oldest_good": round(oldest, 1)}

    def _line_report(self, name: str) -> dict[str, Any]:
        poller, line = self._pollers[name]
        health, stats = poller.health(), line.stats
        return {
            "name": name,
            "where": line.settings.address,
            "protocol": line.settings.protocol,
            "open": health.is_open,
            "silent": health.silent,
            "utilisation": round(health.utilisation, 4),
            "polls": sum(device.polls for device in health.devices),
            "missed": health.missed,
            "lost": list(health.lost()),
            **stats.to_dict(),
        }

    def _store_report(self) -> dict[str, Any]:
        store = self._store.health
        return {
            "alarms_durable": store.alarms_durable,
            "telemetry_stored": store.telemetry_stored,
            "space_low": store.space_low,
            "why": store.why,
            "dropped_rows": store.dropped_rows,
            "gaps": store.gaps,
            "damaged": list(store.damaged),
            "segments": store.segments,
            "size": store.size,
            "free": store.free,
        }

    def devices(self) -> list[dict[str, Any]]:
        """Return every device with its last values, ages and health."""
        return [self.device(name) for name in self._site.devices]

    def device(self, name: str) -> dict[str, Any]:
        """Return one device; KeyError for a name that is not in the ledger."""
        settings, board, now = self._site.devices[name], self.board.devices[name], self._clock.mono()
        poller, line = self._pollers[settings.line]
        health = next(device for device in poller.health().devices if device.device == name)
        unit = line.stats.units.get(settings.address) if isinstance(settings.address, int) else None
        return {
            "name": name,
            "kind": settings.profile.kind,
            "profile": settings.profile_name,
            "line": settings.line,
            "address": settings.address,
            "every": settings.every,
            "alarm_every": settings.alarm_every,
            "place": {
                "text": settings.place.text,
                "building": settings.place.building,
                "floor": settings.place.floor,
            },
            "zone": settings.zone,
            "owner": settings.owner,
            "state": _state(health),
            "last_good": None if board.last_good is None else round(now - board.last_good, 2),
            "polls": health.polls,
            "missed": health.missed,
            "cycle": round(health.cycle, 3),
            "errors": dict(health.errors),
            "unit": None if unit is None else unit.to_dict(),
            "points": {
                point: {
                    "value": last.value,
                    "unit": settings.profile.unit(point),
                    "quality": last.quality.value,
                    "at": last.at,
                    "age": round(now - last.mono, 2),
                }
                for point, last in board.points.items()
            },
        }


def _state(health: DeviceHealth) -> str:
    """Return one word for people: `never` has not answered since the start."""
    return "never" if health.last_good is None else health.state.value


def _link_report(state: LinkState, now: Instant) -> dict[str, Any]:
    ages = [lane.last_receipt_age for lane in state.lanes.values() if lane.last_receipt_age is not None]
    return {
        "name": state.name,
        "connected": state.connected,
        "since": round(state.since, 1),
        "why": state.why,
        "losses": state.losses,
        "receipt_age": round(min(ages), 1) if ages else None,
        "backlog": {
            name: {
                "records": lane.backlog,
                "rows": lane.backlog_rows,
                "age": None if lane.oldest is None else round((now.wall - lane.oldest) / 1e9, 1),
            }
            for name, lane in state.lanes.items()
        },
        "sent": {name: lane.sent for name, lane in state.lanes.items()},
        "confirmed": {name: lane.confirmed for name, lane in state.lanes.items()},
        "resent": {name: lane.resent for name, lane in state.lanes.items()},
    }
