"""Routes of the seal: an export that was written is signed, and that it was taken stands in the audit."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse
from starlette.routing import Route

from gateway.console.answers import denial, done
from gateway.console.asked import body_of, refusal, text, whole
from gateway.model import Answer, Outcome
from gateway.store import StoreError
from gateway.store.chain import Head
from rules.permissions import Ask, Task

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from gateway.clock import Clock
    from gateway.config import Site
    from gateway.console.deeds import Deeds
    from gateway.console.peers import People
    from gateway.seal import Seal
    from gateway.store.journal import Store

KINDS = ("audit", "alarms")
DIGEST = re.compile(r"[0-9a-f]{64}")
LARGEST = 1 << 53


class SealDesk:
    """The handlers of the seal."""

    def __init__(
        self, deeds: Deeds, people: People, seal: Seal, site: Site, books: tuple[Store, Clock]
    ) -> None:
        self._deeds = deeds
        self._people = people
        self._seal = seal
        self._site = site
        self._store, self._clock = books

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [Route("/api/v1/seal", self._show), Route("/api/v1/seal", self._set, methods=["POST"])]

    async def _show(self, _: Request) -> Response:
        return JSONResponse({"key": self._seal.key, "site": self._site.site, "gateway": self._site.gateway})

    async def _set(self, request: Request) -> Response:
        body = await body_of(request)
        kind, digest = text(body, "kind"), text(body, "sha256")
        if kind not in KINDS or not DIGEST.fullmatch(digest):
            listed = ", ".join(KINDS)
            raise refusal(400, f"需要 kind（{listed}）和 sha256", f"wanted kind ({listed}) and sha256")
        facts: dict[str, Any] = {
            "kind": kind,
            "sha256": digest,
            "size": whole(body, "size", 0, LARGEST),
            "entries": whole(body, "entries", 0, LARGEST),
        }
        if kind == "audit" and facts["entries"]:
            facts["last"] = await self._last(text(body, "last"))
        who = self._people.asking(request, text(body, "actor", ""))
        ask = Ask(Task.EXPORT, comment=text(body, "comment", "", most=1000))
        if (refused := await self._deeds.permit(who, ask, facts)) is not None:
            done(refused)
        await self._deeds.note(who, ask, Answer("", Outcome.DONE), facts)
        n, head = self._store.health.audit
        where = {"site": self._site.site, "gateway": self._site.gateway}
        statement = {**where, **facts, "head": f"{n}:{head}", "by": who.name, "at": self._clock.now().wall}
        return JSONResponse(self._seal.set(statement))

    async def _last(self, said: str) -> str:
        """Return the last entry of an export, if the audit has it just so. Raises HTTPException."""
        try:
            head = Head.of(said)
            found = await self._store.audit(head.n - 1, 1)
        except ValueError as error:
            raise refusal(400, f"last：{error}", f"last: {error}") from error
        except StoreError as error:
            raise refusal(502, str(error), str(error)) from error
        if not found or (found[0].n, found[0].hash) != head:
            raise denial("not_the_audit", Outcome.CONFLICT)
        return head.text
