"""What the local API answers (DESIGN 2.7). Handlers only look, or hand an order on; they decide nothing."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from drivers.errors import DriverError, Held
from gateway.console.answers import done
from gateway.console.asked import asked, refusal, told, unknown
from gateway.console.lines import LineDesk
from gateway.console.stream import stream
from rules.permissions import Ask, Task

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence

    from starlette.requests import Request

    from drivers.entry import Device
    from drivers.line import AnyLine
    from gateway.board import Board
    from gateway.clock import Clock
    from gateway.commands import Commands
    from gateway.console.alarms import Alarms
    from gateway.console.deeds import Deeds
    from gateway.console.outputs import OutputDesk
    from gateway.console.peers import People
    from gateway.model import Quality, Value
    from gateway.owner import Owner
    from gateway.pipeline import Pipeline
    from gateway.report import Report
    from gateway.store import Store

MOST_EVENTS = 1000
MOST_LINES = 100_000
MOST_STREAMS = 16
LAST = (1 << 63) - 1  # nanoseconds: the largest time the journal can hold
IN_SERVICE: dict[str, float | None] = {"out_of_service": None}
PATIENCE = 5.0  # seconds that a device's own interval may keep a person waiting


@dataclass(frozen=True, slots=True)
class Parts:
    """What the API looks at."""

    report: Report
    alarms: Alarms
    pipeline: Pipeline
    store: Store
    board: Board
    pollers: Mapping[str, tuple[Owner, AnyLine]]
    commands: Commands
    clock: Clock
    stopping: asyncio.Event
    people: People
    deeds: Deeds
    outputs: OutputDesk
    work: Sequence[Route]  # what people do to alarms and devices
    watch: Callable[[], Coroutine[Any, Any, None]]  # to be run beside the API


class Api:
    """The handlers."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.streams = 0  # open now

    def app(self) -> Starlette:
        """Return the application."""
        routes = [
            Route("/api/v1/status", self._status),
            Route("/api/v1/devices", self._devices),
            Route("/api/v1/devices/{name}", self._device),
            Route("/api/v1/devices/{name}/poll", self._poll, methods=["POST"]),
            Route("/api/v1/devices/{name}/history", self._history),
            Route("/api/v1/alarms", self._alarms),
            Route("/api/v1/alarms/{device}/{rule}", self._alarm),
            Route("/api/v1/notices", self._notices),
            Route("/api/v1/events", self._events),
            Route("/api/v1/kpi", self._kpi),
            Route("/api/v1/stream", self._stream),
            *LineDesk(self._parts).routes(),
            *self._parts.work,
        ]
        return Starlette(routes=routes, exception_handlers={HTTPException: told})

    async def _status(self, _: Request) -> Response:
        return JSONResponse(self._parts.report.status())

    async def _kpi(self, _: Request) -> Response:
        return JSONResponse(self._parts.report.kpi())

    async def _devices(self, _: Request) -> Response:
        out = self._parts.alarms.out_of_service(self._parts.clock.mono())
        return JSONResponse([row | out.get(row["name"], IN_SERVICE) for row in self._parts.report.devices()])

    async def _device(self, request: Request) -> Response:
        name = self._name(request)
        out = self._parts.alarms.out_of_service(self._parts.clock.mono())
        return JSONResponse(self._parts.report.device(name) | out.get(name, IN_SERVICE))

    async def _poll(self, request: Request) -> Response:
        name = self._name(request)
        await self._permit(request, Task.POLL, device=name)
        try:
            values, bad = await self._read(name)
        except DriverError as error:
            why = f"{name}: {str(error) or type(error).__name__}"
            raise refusal(502, why, why, kind=type(error).__name__) from error
        return JSONResponse({"device": name, "values": values, "bad": bad})

    async def _read(self, name: str) -> tuple[Mapping[str, Value], Mapping[str, Quality]]:
        """Read a device ahead of its turn, waiting where a poll would give way."""
        parts = self._parts
        poller = next(p for p, _ in parts.pollers.values() if p.serves(name))
        points = poller.points(name)

        async def read(device: Device) -> tuple[Mapping[str, Value], Mapping[str, Quality]]:
            return await device.read(points)

        deadline = parts.clock.mono() + PATIENCE
        while True:
            try:
                return await poller.command(name, read, deadline)
            except Held as held:
                if held.until > deadline:
                    raise
                await asyncio.sleep(max(held.until - parts.clock.mono(), 0.01))

    async def _history(self, request: Request) -> Response:
        name = self._name(request)
        until = asked(request, "until", 0, LAST, self._parts.clock.now().wall)
        since = asked(request, "since", 0, LAST, max(until - 3600 * 10**9, 0))
        limit = asked(request, "limit", 1, MOST_LINES, 5000)
        found = await self._parts.store.history(name, since, until, limit)
        lines = [line.decode("utf-8", "replace") for line in found.lines]
        return JSONResponse({"lines": lines, "complete": found.complete})

    async def _alarms(self, _: Request) -> Response:
        return JSONResponse(self._parts.alarms.rows(self._parts.clock.now()))

    async def _alarm(self, request: Request) -> Response:
        key = _key(request)
        view = self._parts.alarms.find(*key)
        if view is None:
            name = "/".join(key)
            raise refusal(404, f"{name} 没有告警", f"no alarm stands at {name}")
        records = await self._parts.store.events(limit=MOST_EVENTS)
        events = (json.loads(record.payload) for record in records)
        timeline = [event for event in events if (event["device"], event["rule"]) == key]
        alarms, now = self._parts.alarms, self._parts.clock.now()
        return JSONResponse(alarms.row(view, now) | alarms.told(view, now) | {"timeline": timeline})

    async def _notices(self, request: Request) -> Response:
        limit, alarm = asked(request, "limit", 1, MOST_EVENTS, 200), request.query_params.get("alarm")
        device, _, rule = (alarm or "").partition("/")
        return JSONResponse(self._parts.alarms.notices(limit, (device, rule) if alarm else None))

    async def _events(self, request: Request) -> Response:
        since, limit = asked(request, "since", 0, LAST, 0), asked(request, "limit", 1, MOST_EVENTS, 200)
        records = await self._parts.store.events(since=since, limit=limit)
        return JSONResponse([json.loads(r.payload) | {"epoch": r.epoch, "seq": r.seq} for r in records])

    async def _stream(self, _: Request) -> Response:
        if self.streams >= MOST_STREAMS:
            raise refusal(503, f"已有 {MOST_STREAMS} 个实时连接", f"{MOST_STREAMS} streams are open already")
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(self._events_of(), media_type="text/event-stream", headers=headers)

    async def _events_of(self) -> AsyncIterator[str]:
        parts = self._parts
        self.streams += 1
        try:
            async for event in stream(parts.report, parts.board, parts.alarms, parts.clock, parts.stopping):
                yield event
        finally:
            self.streams -= 1

    async def _permit(self, request: Request, task: Task, **facts: str) -> None:
        """Refuse what the caller may not do. Raises HTTPException."""
        refused = await self._parts.deeds.permit(self._parts.people.asking(request), Ask(task), facts)
        if refused is not None:
            done(refused)

    def _name(self, request: Request) -> str:
        """Return the device of the path. Raises HTTPException."""
        name: str = request.path_params["name"]
        if name not in self._parts.board.devices:
            raise unknown("设备", "device", name)
        return name


def _key(request: Request) -> tuple[str, str]:
    return request.path_params["device"], request.path_params["rule"]
