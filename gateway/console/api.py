"""What the local API answers (DESIGN 2.7). Handlers only look, or hand an order on; they decide nothing."""

from __future__ import annotations

import json
import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from drivers.errors import DriverError
from gateway.console.alarms import acknowledge
from gateway.console.stream import stream
from gateway.console.wire import exchange, scan
from gateway.model import Command, Outcome

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping

    from starlette.requests import Request

    from drivers.line import AnyLine
    from gateway.board import Board
    from gateway.clock import Clock
    from gateway.commands import Commands
    from gateway.console.alarms import Alarms
    from gateway.health import Health
    from gateway.pipeline import Pipeline
    from gateway.poller import Poller
    from gateway.store import Store

STATUS = {
    Outcome.DONE: 200,
    Outcome.CONFLICT: 409,
    Outcome.UNKNOWN: 404,
    Outcome.REFUSED: 403,
    Outcome.EXPIRED: 409,
}
MAX_EVENTS = 1000


@dataclass(frozen=True, slots=True)
class Parts:
    """What the API looks at."""

    health: Health
    alarms: Alarms
    pipeline: Pipeline
    store: Store
    board: Board
    pollers: Mapping[str, tuple[Poller, AnyLine]]
    commands: Commands
    clock: Clock
    stopping: asyncio.Event


class Api:
    """The handlers."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def app(self) -> Starlette:
        """Return the application."""
        routes = [
            Route("/api/v1/status", self._status),
            Route("/api/v1/devices", self._devices),
            Route("/api/v1/devices/{name}", self._device),
            Route("/api/v1/devices/{name}/poll", self._poll, methods=["POST"]),
            Route("/api/v1/devices/{name}/write", self._write, methods=["POST"]),
            Route("/api/v1/devices/{name}/history", self._history),
            Route("/api/v1/alarms", self._alarms),
            Route("/api/v1/alarms/{device}/{rule}", self._alarm),
            Route("/api/v1/alarms/{device}/{rule}/ack", self._ack, methods=["POST"]),
            Route("/api/v1/events", self._events),
            Route("/api/v1/lines/{name}/exchange", self._exchange, methods=["POST"]),
            Route("/api/v1/lines/{name}/scan", self._scan, methods=["POST"]),
            Route("/api/v1/stream", self._stream),
        ]
        return Starlette(routes=routes, exception_handlers={HTTPException: _refusal})

    async def _status(self, _: Request) -> Response:
        return JSONResponse(self._parts.health.report())

    async def _devices(self, _: Request) -> Response:
        return JSONResponse(self._parts.health.devices())

    async def _device(self, request: Request) -> Response:
        try:
            return JSONResponse(self._parts.health.device(request.path_params["name"]))
        except KeyError:
            raise HTTPException(404, f"no device {request.path_params['name']!r}") from None

    async def _poll(self, request: Request) -> Response:
        name = request.path_params["name"]
        for poller, _ in self._parts.pollers.values():
            if name in poller.schedule.units:
                read = operator.methodcaller("read", poller.schedule.units[name].points)
                try:
                    values, bad = await poller.command(name, read)
                except DriverError as error:
                    raise HTTPException(502, f"{name}: {type(error).__name__}: {error}") from error
                return JSONResponse({"device": name, "values": values, "bad": bad})
        raise HTTPException(404, f"no device {name!r}")

    async def _write(self, request: Request) -> Response:
        body, now = await _body(request), self._parts.clock.mono()
        try:
            order = Command(
                str(body["id"]), request.path_params["name"], str(body["point"]), body["value"],
                now + float(body.get("expires_in", 10.0)), str(body["actor"]),
            )  # fmt: skip
        except (KeyError, TypeError, ValueError) as error:
            raise HTTPException(400, f"id, point, value and actor are wanted: {error}") from error
        answer = await self._parts.commands.execute(order)
        if answer.outcome is not Outcome.DONE:
            raise HTTPException(STATUS.get(answer.outcome, 502), f"{answer.outcome}: {answer.reason}")
        return JSONResponse({"outcome": answer.outcome.value, **answer.data})

    async def _history(self, request: Request) -> Response:
        until = int(request.query_params.get("until", self._parts.clock.now().wall))
        since = int(request.query_params.get("since", until - 3600 * 10**9))
        limit = min(int(request.query_params.get("limit", "5000")), 100_000)
        found = await self._parts.store.history(request.path_params["name"], since, until, limit)
        lines = [line.decode("utf-8", "replace") for line in found.lines]
        return JSONResponse({"lines": lines, "complete": found.complete})

    async def _alarms(self, _: Request) -> Response:
        return JSONResponse(self._parts.alarms.rows(self._parts.clock.now()))

    async def _alarm(self, request: Request) -> Response:
        key = _key(request)
        view = self._parts.alarms.find(*key)
        if view is None:
            raise HTTPException(404, f"no alarm stands at {'/'.join(key)}")
        records = await self._parts.store.events(limit=MAX_EVENTS)
        told = (json.loads(record.payload) for record in records)
        timeline = [event for event in told if (event["device"], event["rule"]) == key]
        return JSONResponse(self._parts.alarms.row(view, self._parts.clock.now()) | {"timeline": timeline})

    async def _ack(self, request: Request) -> Response:
        answer = await acknowledge(self._parts.pipeline, _key(request), await _body(request))
        if answer.outcome is not Outcome.DONE:
            raise HTTPException(STATUS[answer.outcome], f"{answer.outcome}: {answer.reason}")
        return JSONResponse({"outcome": answer.outcome.value})

    async def _events(self, request: Request) -> Response:
        since, limit = (
            int(request.query_params.get("since", "0")),
            int(request.query_params.get("limit", "200")),
        )
        records = await self._parts.store.events(since=since, limit=min(limit, MAX_EVENTS))
        return JSONResponse([json.loads(r.payload) | {"epoch": r.epoch, "seq": r.seq} for r in records])

    async def _exchange(self, request: Request) -> Response:
        _, line = self._line(request)
        return JSONResponse(await exchange(line, await _body(request)))

    async def _scan(self, request: Request) -> Response:
        _, line = self._line(request)
        lines = scan(line, await _body(request))
        return StreamingResponse(lines, media_type="application/x-ndjson")

    async def _stream(self, _: Request) -> Response:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        parts = self._parts
        events = stream(parts.health, parts.board, parts.alarms, parts.clock, parts.stopping)
        return StreamingResponse(events, media_type="text/event-stream", headers=headers)

    def _line(self, request: Request) -> tuple[Poller, AnyLine]:
        try:
            return self._parts.pollers[request.path_params["name"]]
        except KeyError:
            names = ", ".join(self._parts.pollers)
            raise HTTPException(404, f"no line {request.path_params['name']!r}; there are: {names}") from None


def _key(request: Request) -> tuple[str, str]:
    return request.path_params["device"], request.path_params["rule"]


async def _body(request: Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError as error:
        raise HTTPException(400, f"not JSON: {error}") from error
    if not isinstance(body, dict):
        raise HTTPException(400, "a JSON object is wanted")
    return body


async def _refusal(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, error.status_code)
