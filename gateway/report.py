"""How everything is, for people: what status, console and the `health` topic show. Looks, owns nothing."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Any

from gateway import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from drivers.line import AnyLine
    from gateway.board import Board, Last
    from gateway.clock import Clock
    from gateway.config import DeviceSettings, Site
    from gateway.host import Host
    from gateway.kept import Kept
    from gateway.links.link import Link, LinkState
    from gateway.liveness import DeviceHealth, LineHealth
    from gateway.model import Instant
    from gateway.owner import Owner
    from gateway.pipeline import Counts
    from gateway.store.journal import Store
    from rules.desk import Desk
    from rules.view import View


class Report:
    """Puts together what people see, as JSON-able data."""

    def __init__(
        self,
        site: Site,
        pollers: Mapping[str, tuple[Owner, AnyLine]],
        links: Sequence[Link],
        parts: tuple[Desk, Store, Board, Host, Counts],
        kept: Kept,
        clock: Clock,
    ) -> None:
        self._site = site
        self._pollers = pollers
        self._links = links
        self._engine, self._store, self._board, self._host, self._counts = parts
        self._kept = kept
        self._clock = clock
        self._day = ("", 0, "")  # of the audit: its head when the day began
        self._started = clock.mono()
        self.calibration_due: dict[str, int] = {}  # device -> days overdue; housekeeping fills it

    def status(self, lines: list[dict[str, Any]] | None = None) -> dict[str, Any]:
        """Return everything but the single readings; `lines`: as `line` gave them, when that is done."""
        counts, site, now, host = self._counts, self._site, self._clock.now(), self._host.last
        if lines is None:
            lines = [self.line(name, poller.health()) for name, (poller, _) in self._pollers.items()]
        views = self._engine.view()
        return {
            "site": site.site,
            "gateway": site.gateway,
            "name": dict(site.name),
            "timezone": site.timezone.key,
            "version": __version__,
            "epoch": self._store.epoch,
            "uptime": round(now.mono - self._started, 1),
            "clock_synced": host.clock_synced,
            "alarms": _alarms(views, self._engine),
            "flood": self._engine.notices.flood,
            "data": self._data(now.mono),
            "counts": {
                "polls": sum(line["polls"] for line in lines),
                "samples": counts.samples,
                "rows": counts.rows,
                "readings": counts.readings,
                "events": counts.events,
                "announced": counts.announced,
                "health": counts.health,
            },
            "kpi": {name: value for name, value in self.kpi(views).items() if name != "top"},
            "audit": self.audit(),
            "drill": self._drill(now),
            "calibration_due": self.calibration_due,
            "interlocks": self._engine.interlocks.shown(now.mono),
            "lines": lines,
            "links": [_link(link.state(), now) for link in self._links],
            "store": self._journal(),
            "host": {
                "rss": host.rss,
                "cpu_seconds": round(host.cpu, 2),
                "temperature": host.temperature,
                "loop_lag": round(host.loop_lag, 4),
                "disk_free": host.disk_free,
            },
        }

    def devices(self, names: Iterable[str] | None = None) -> list[dict[str, Any]]:
        """Return devices, by default all, with their last values, ages and health."""
        names = list(self._site.devices if names is None else names)
        lines = {self._site.devices[name].line for name in names}
        lives = {life.device: life for line in lines for life in self._pollers[line][0].devices()}
        return [self._device(self._site.devices[name], lives[name]) for name in names]

    def device(self, name: str) -> dict[str, Any]:
        """Return one device; KeyError for a name that is not in the ledger."""
        return self.devices([name])[0]

    def polled(self, line: str) -> dict[str, str]:
        """Return the devices of a line with their addresses, as people write them."""
        return {name: str(d.address) for name, d in self._site.devices.items() if d.line == line}

    def kpi(self, views: Sequence[View] | None = None) -> dict[str, Any]:
        """Return how well the alarms serve their people (alarms.md 9.1); `views`: the alarms as they are."""
        return self._kept.kpis.report(self._clock.now().wall, self._engine.view() if views is None else views)

    def audit(self) -> dict[str, Any]:
        """Return the head of the audit, now and as it was when the day began: who keeps it can prove it."""
        n, digest = self._store.health.audit
        today = datetime.fromtimestamp(self._clock.now().wall / 1e9, self._site.timezone).date().isoformat()
        if self._day[0] != today:
            self._day = (today, n, digest)
        date, first, head = self._day
        day = {"date": date, "n": first, "hash": head}
        return {"n": n, "hash": digest, "day": day, "key": self._kept.seal.key}

    def _drill(self, now: Instant) -> dict[str, Any] | None:
        """Return the drill that goes on, without its list."""
        if self._kept.drills.running(now) is None:
            return None
        found = self._kept.drills.report(now) or {}
        return {key: value for key, value in found.items() if key != "detectors"}

    def _data(self, now: float) -> dict[str, Any]:
        points, good, oldest = 0, 0, 0.0
        for device in self._board.devices.values():
            lasts = device.points.values()
            points += len(lasts)
            fresh = [now - last.mono for last in lasts if last.value is not None]
            good += len(fresh)
            oldest = max([oldest, *fresh])
        return {"points": points, "good": good, "oldest_good": round(oldest, 1)}

    def line(self, name: str, life: LineHealth) -> dict[str, Any]:
        """Return one line with what its poller knows of it."""
        line = self._pollers[name][1]
        return {
            "name": name,
            "where": line.settings.address,
            "protocol": line.settings.protocol,
            "open": life.is_open,
            "silent": life.silent,
            "utilisation": round(life.utilisation, 4),
            "polls": life.polls,
            "missed": life.missed,
            "lost": list(life.lost),
            **line.stats.to_dict(),
            **_heard(life),
        }

    def _journal(self) -> dict[str, Any]:
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

    def _device(self, settings: DeviceSettings, life: DeviceHealth) -> dict[str, Any]:
        board, now = self._board.devices[settings.name], self._clock.mono()
        line = self._pollers[settings.line][1]
        unit = line.stats.units.get(settings.address)
        place = settings.place
        return {
            "name": settings.name,
            "kind": settings.profile.kind,
            "profile": settings.profile_name,
            "line": settings.line,
            "address": settings.address,
            "every": settings.every,
            "alarm_every": settings.alarm_every,
            "place": {"text": place.text, "building": place.building, "floor": place.floor},
            "zone": settings.zone,
            "owner": settings.owner,
            "foreign": settings.foreign,
            "state": state_of(life),
            "last_good": None if board.last_good is None else round(now - board.last_good, 2),
            "polls": life.polls,
            "missed": life.missed,
            "cycle": round(life.cycle, 3),
            "errors": dict(life.errors),
            "unit": None if unit is None else unit.to_dict(),
            "points": {
                name: _point(last, settings.profile.unit(name), now) for name, last in board.points.items()
            },
        }


def _heard(life: LineHealth) -> dict[str, Any]:
    """Return what there is only on a line that is listened to: who is connected, and who is not known."""
    if life.connections is None:
        return {}
    strangers = [
        {"who": who, "from": peer, "count": count, "age": round(age, 1)}
        for who, peer, count, age in life.strangers
    ]
    return {"connections": life.connections, "strangers": strangers}


def _alarms(views: Iterable[View], engine: Desk) -> dict[str, int]:
    found: Counter[str] = Counter({"1": 0, "2": 0, "3": 0, "4": 0, "0": 0, "unacked": 0})
    for alarm in views:
        found[str(alarm.level)] += alarm.active or alarm.latched
        found["unacked"] += not alarm.acked
    found["asking"] = sum(bool(alarm.state.asks) for alarm in engine.alarms())
    return dict(found)


def state_of(life: DeviceHealth) -> str:
    """Return one word for people: `never` has not answered since the start, `quiet` need not."""
    if life.quiet:
        return "quiet"
    return "never" if life.last_good is None else life.state.value


def _point(last: Last, unit: str, now: float) -> dict[str, Any]:
    return {
        "value": last.value,
        "unit": unit,
        "quality": last.quality.value,
        "at": last.at,
        "age": round(now - last.mono, 2),
    }


def _link(state: LinkState, now: Instant) -> dict[str, Any]:
    lanes = state.lanes
    ages = [lane.last_receipt_age for lane in lanes.values() if lane.last_receipt_age is not None]
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
            for name, lane in lanes.items()
        },
        "sent": {name: lane.sent for name, lane in lanes.items()},
        "confirmed": {name: lane.confirmed for name, lane in lanes.items()},
        "resent": {name: lane.resent for name, lane in lanes.items()},
    }
