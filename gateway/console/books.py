"""Routes of the books: the audit and its proof, and the occurrences of the past."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse
from starlette.routing import Route

from gateway.console.asked import asked, refusal
from gateway.occurrences import occurrences
from gateway.store import StoreError
from gateway.store.chain import Head

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from gateway.clock import Clock
    from gateway.store.journal import Store

MOST = 1000  # entries of one answer
LAST = (1 << 63) - 1
WEEK = 7 * 86400 * 10**9
MOST_EVENTS = 20_000  # looked through for one question about the past


class Books:
    """The handlers; they only look."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/api/v1/audit", self._audit),
            Route("/api/v1/audit/proof", self._prove),
            Route("/api/v1/occurrences", self._occurrences),
        ]

    async def _audit(self, request: Request) -> Response:
        limit, after = asked(request, "limit", 1, MOST, 50), asked(request, "after", -1, LAST, -1)
        try:
            entries = await self._store.audit(None if after < 0 else after, limit)
        except StoreError as error:
            raise refusal(502, str(error), str(error)) from error
        return JSONResponse([entry.to_json() for entry in entries])

    async def _prove(self, request: Request) -> Response:
        try:
            heads = [Head.of(text) for text in request.query_params.getlist("head")]
        except ValueError as error:
            zh, en = (
                "head 应为 序号:哈希（64 位十六进制）",
                "head: wanted NUMBER:HASH, with all 64 hex digits",
            )
            raise refusal(400, zh, en) from error
        try:
            proof = await self._store.prove(heads)
        except StoreError as error:
            raise refusal(502, str(error), str(error)) from error
        return JSONResponse(proof.to_json())

    async def _occurrences(self, request: Request) -> Response:
        since = asked(request, "since", 0, LAST, max(self._clock.now().wall - WEEK, 0))
        limit = asked(request, "limit", 1, MOST_EVENTS, 1000)
        device, rule = request.query_params.get("device"), request.query_params.get("rule")
        events: list[dict[str, Any]] = []
        before = None
        while len(events) < MOST_EVENTS:
            records = await self._store.events(since=since, before=before, limit=MOST)
            events += [json.loads(record.payload) for record in records]
            if len(records) < MOST:
                break
            before = records[-1].place
        found = occurrences(reversed(events))
        if device is not None:
            found = [o for o in found if o["device"] == device and rule in {None, o["rule"]}]
        return JSONResponse(found[:limit])
