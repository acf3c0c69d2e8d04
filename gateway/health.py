"""The gateway looks at itself: what its own rules judge and the database keeps of host, lines and devices."""

from __future__ import annotations

import asyncio
from itertools import islice
from math import inf
from typing import TYPE_CHECKING, Any, TypeVar

from gateway import telemetry
from gateway.clockwatch import ClockWatch
from gateway.faults import EVERY, GATEWAY, line_device
from gateway.model import Quality, Sample
from gateway.pipeline import Deed
from gateway.report import state_of
from gateway.stamps import Stamps
from gateway.store.chain import compact

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from drivers.line import AnyLine
    from drivers.line.stats import UnitStats
    from gateway.board import Board
    from gateway.clock import Clock
    from gateway.clockwatch import Step
    from gateway.config import DeviceSettings, Site
    from gateway.host import Host, HostHealth
    from gateway.links.link import Link, LinkState
    from gateway.liveness import DeviceHealth, LineHealth
    from gateway.model import Instant, Value
    from gateway.owner import Owner
    from gateway.pipeline import Pipeline
    from gateway.report import Report
    from gateway.store.journal import Store
    from rules.roots import Roots

T = TypeVar("T")

DEVICES_EVERY = 60.0  # seconds between two lines of health of each device
CHANGED = 0.2  # part by which a cycle must differ before the engine is told again
SHOWN_EVERY = 10.0  # and between two pictures of the whole for people; two hundred lines are 60 kB
IN_A_ROW = 5  # lines or devices looked at without a pause
CARRIED = ("battery", "signal")  # points that say how a device is; repeated in its health


class Health:
    """Looks at everything every few seconds; owns nothing."""

    def __init__(
        self,
        site: Site,
        pollers: Mapping[str, tuple[Owner, AnyLine]],
        links: Sequence[Link],
        parts: tuple[Pipeline, Store, Board, Host, Report],
        roots: Roots,
        clock: Clock,
    ) -> None:
        self._site = site
        self._pollers = pollers
        self._links = links
        self._pipeline, self._store, self._board, self._host, self._report = parts
        self._roots = roots
        self._clock = clock
        self._troubled_since: dict[str, float] = {}
        self._dropped = 0
        self._asked: dict[str, tuple[int, int]] = {}  # device -> requests and failures at the last line
        self._devices_at = self._shown_at = -inf
        self._stamps = Stamps()
        self._head_told = ""  # day of which the database has the head of the audit
        self._cycles: dict[str, float] = {}  # of each device, as the engine was told last
        self._look()
        self._watch = ClockWatch(clock.now())

    async def run(self) -> None:
        """Look, judge and keep, and show it on the links; until cancelled."""
        while True:
            await asyncio.sleep(EVERY)
            await self.step()

    async def step(self) -> None:
        """Do once what `run` does every few seconds."""
        looked = self._look()
        step = self._watch.look(self._clock.now())
        if step is not None:
            await self._clock_went(step)
        now = self._stamp(self._clock.now())
        if now.mono - self._devices_at >= DEVICES_EVERY:
            self._devices_at = now.mono
            for some in batched(self._device_lines(now), IN_A_ROW):
                for text in some:
                    self._pipeline.keep_health(text, now.wall)
                await asyncio.sleep(0)
        await self._pipeline.accept_health([self._gateway(looked, now, step)])
        shown = now.mono - self._shown_at >= SHOWN_EVERY
        rows = await self._look_at_lines(now, shown=shown)
        if shown:
            self._shown_at = now.mono
            status = self._report.status(rows)
            for link in self._links:
                link.health(status)

    async def _clock_went(self, step: Step) -> None:
        """Write down that the wall clock was set, and put right what was labelled before it was right."""
        said = {"type": "clock_step", **step._asdict(), "mono": round(self._clock.mono(), 3)}
        await self._pipeline.note(Deed(compact(said), {}))
        if step.corrects:
            await self._pipeline.relabel(step.delta)

    async def _look_at_lines(self, now: Instant, *, shown: bool) -> list[dict[str, Any]]:
        """Judge and keep how the lines are; return them for people, if they are to be shown."""
        rows: list[dict[str, Any]] = []
        for some in batched(self._pollers, IN_A_ROW):
            samples = []
            for name in some:
                poller, line = self._pollers[name]
                life = poller.health()
                samples.append(self._line(name, line, life, now))
                if shown:
                    rows.append(self._report.line(name, life))
                await self._tell_cycles(poller)
            await self._pipeline.accept_health(samples)
            await asyncio.sleep(0)  # the readings pass: all lines at a stretch would hold them up for long
        return rows

    async def _tell_cycles(self, poller: Owner) -> None:
        """Tell the engine of devices whose real cycle has changed: slow must not be taken for stale."""
        for device, cycle in poller.cycles():
            told = self._cycles.get(device, 0.0)
            if abs(cycle - told) > CHANGED * max(told, cycle):
                self._cycles[device] = cycle
                await self._pipeline.stretch(device, cycle)

    def _look(self) -> HostHealth:
        looked = self._host.look()
        self._clock.synced = looked.clock_synced
        return looked

    def _stamp(self, now: Instant) -> Instant:
        """Return `now` with a time that no series of health has yet, though a clock was set back."""
        return now._replace(wall=self._stamps.next(now.wall))

    # The gateway and its lines: judged by gateway.faults.

    def _gateway(self, looked: HostHealth, now: Instant, step: Step | None = None) -> Sample:
        store, counts = self._store.health, self._pipeline.counts
        dropped, self._dropped = store.dropped_rows - self._dropped, store.dropped_rows
        states = [link.state() for link in self._links]
        away = [state.since for state in states if not state.connected]
        values: dict[str, Value] = {
            "broker_away": round(max(away, default=0.0), 1),
            "alarm_unsent": round(_unsent(states, now), 1),
            "telemetry_dropped": dropped,
            "alarms_in_memory": store.ring,
            "telemetry_waiting": store.waiting,
            "space_low": int(store.space_low),
            "files_damaged": len(store.damaged),
            "loop_lag": round(looked.loop_lag, 3),
            "lines_down": round(self._roots.lines_down(now.mono), 1),
            "rss": looked.rss,
            "cpu": round(looked.cpu, 3),
            "disk_free": store.free,
            "samples": counts.samples,
            "readings": counts.readings,
            "events": counts.events,
            "clock_synced": looked.clock_synced,
            "clock_step": abs(step.delta) if step is not None and step.before else 0.0,
        }
        if looked.temperature is not None:
            values["temperature"] = looked.temperature
        values |= self._served()
        return Sample(GATEWAY, now.wall, now.mono, values)

    def _served(self) -> dict[str, Value]:
        """Return how well the alarms serve their people, and once a day the head of the audit."""
        found = self._report.kpi()
        values: dict[str, Value] = {
            f"kpi_{name}": value for name, value in found.items() if isinstance(value, bool | int | float)
        }
        audit = self._report.audit()
        day = audit["day"]
        if day["date"] != self._head_told and day["n"]:
            self._head_told = day["date"]
            values |= {"audit_n": day["n"], "audit_head": day["hash"], "audit_key": audit["key"]}
        return values

    def _line(self, name: str, line: AnyLine, life: LineHealth, now: Instant) -> Sample:
        own = line.stats.to_dict()
        del own["reopened"], own["busy"]
        values: dict[str, Value] = {
            "down": max(
                self._for_how_long(f"{name}/down", now, troubled=not life.is_open),
                round(self._roots.down_for(line_device(name), now.mono), 1),
            ),
            "silent": self._for_how_long(f"{name}/silent", now, troubled=life.silent),
            "utilisation": round(life.utilisation, 4),
            "missed": life.missed,
            "reopened": life.reopened,
            "lost": len(life.lost),
            **own,
        }
        return Sample(line_device(name), now.wall, now.mono, values)

    def _for_how_long(self, what: str, now: Instant, *, troubled: bool) -> float:
        if not troubled:
            self._troubled_since.pop(what, None)
            return 0.0
        return round(now.mono - self._troubled_since.setdefault(what, now.mono), 1)

    # The devices: kept, not judged; rules about a device judge its readings and their absence.

    def _device_lines(self, now: Instant) -> Iterator[str]:
        for poller, line in self._pollers.values():
            for life in poller.devices():
                settings = self._site.devices[life.device]
                unit = line.stats.units.get(settings.address)
                fields = self._device_fields(settings, life, unit, now)
                yield telemetry.line(telemetry.DEVICE_HEALTH, {"device": life.device}, fields, now.wall)

    def _device_fields(
        self, settings: DeviceSettings, life: DeviceHealth, unit: UnitStats | None, now: Instant
    ) -> dict[str, Value | None]:
        """Return the fields of a device: seconds, counts since the start, a rate since the last line."""
        board = self._board.devices[settings.name]
        fields: dict[str, Value | None] = {
            "state": state_of(life),
            "age": None if board.last_good is None else round(now.mono - board.last_good, 2),
            "polls": life.polls,
            "missed": life.missed,
            "cycle": round(life.cycle, 3),
        }
        if unit is not None:
            told = unit.to_dict()
            fields |= {key: told[key] for key in ("requests", "timeouts", "broken", "exceptions", "late")}
            fields |= {"p50": unit.turnaround.quantile(0.5), "p95": unit.turnaround.quantile(0.95)}
            failed = unit.timeouts + unit.broken + unit.exceptions
            before = self._asked.get(settings.name, (0, 0))
            self._asked[settings.name] = (unit.requests, failed)
            asked = unit.requests - before[0]
            fields["error_rate"] = round((failed - before[1]) / asked, 4) if asked else None
        for name in CARRIED:
            last = board.points.get(name)
            if last is not None and last.quality is Quality.GOOD:
                fields[name] = last.value
        return fields


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield the items, so many at a time (itertools has it from Python 3.12 on)."""
    rest = iter(items)
    while some := list(islice(rest, size)):
        yield some


def _unsent(states: Sequence[LinkState], now: Instant) -> float:
    """Return for how many seconds the oldest alarm has waited for its receipt."""
    ages = [
        (now.wall - lane.oldest) / 1e9
        for state in states
        for name, lane in state.lanes.items()
        if name == "alarm" and lane.oldest is not None
    ]
    return max([0.0, *ages])
