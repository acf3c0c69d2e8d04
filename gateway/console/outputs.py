"""Orders of people, whatever way they come: may they, what became of it, the answer, the audit."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse
from starlette.routing import Route

from gateway.console.answers import done
from gateway.console.asked import body_of, refusal, text
from gateway.model import Command
from rules.permissions import Ask, Task

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from gateway.clock import Clock
    from gateway.commands import Commands
    from gateway.console.deeds import Deeds
    from gateway.console.peers import People
    from gateway.model import Answer, Value
    from rules.interlocks import Interlocks
    from rules.permissions import Person

LONGEST_TEXT = 255  # characters of a value in the audit
LASTS = 10.0  # seconds an order is valid when nobody says how long


class OutputDesk:
    """Takes orders, and shows what the interlocks do."""

    def __init__(
        self, deeds: Deeds, people: People, commands: Commands, interlocks: Interlocks, clock: Clock
    ) -> None:
        self._deeds, self._people, self._commands = deeds, people, commands
        self._interlocks, self._clock = interlocks, clock

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/api/v1/devices/{name}/write", self._write, methods=["POST"]),
            Route("/api/v1/interlocks", self._shown),
        ]

    def is_safe(self, device: str, point: str, value: Value) -> bool:
        """Return whether an interlock of the site orders the same."""
        return self._interlocks.is_safe(device, point, value)

    async def give(self, who: Person, order: Command, **more: Any) -> Answer:  # noqa: ANN401 - facts, as JSON
        """Carry out an order if he may; there always is an answer, and it is in the audit. `more`: facts."""
        safe = self.is_safe(order.device, order.point, order.value)
        ask = Ask(Task.SECURE if safe else Task.WRITE)
        facts = {
            "device": order.device,
            "point": order.point,
            "value": written(order.value),
            "order": order.id,
            **more,
        }
        if (refused := await self._deeds.permit(who, ask, facts)) is not None:
            return replace(refused, id=order.id)
        # A task of its own: whoever asked may hang up, what he did is written down all the same.
        task = asyncio.create_task(self._carry_out(who, ask, order, facts), name=f"order {order.id}")
        return await asyncio.shield(task)

    async def _carry_out(self, who: Person, ask: Ask, order: Command, facts: dict[str, Any]) -> Answer:
        answer = await self._commands.execute(order)
        await self._deeds.note(
            who, ask, answer, facts | ({"answer": dict(answer.data)} if answer.data else {})
        )
        return answer

    async def refuse(self, who: Person, answer: Answer, **facts: Any) -> Answer:  # noqa: ANN401 - as JSON
        """Write down what was refused before it was looked at as an order; return the answer."""
        await self._deeds.note(who, Ask(Task.WRITE), answer, {"order": answer.id, **facts})
        return answer

    async def _write(self, request: Request) -> Response:
        body, now = await body_of(request), self._clock.mono()
        lasts = body.get("expires_in", LASTS)
        if "value" not in body or isinstance(lasts, bool) or not isinstance(lasts, int | float):
            raise refusal(400, "需要 value；expires_in 为秒数", "value is wanted, and expires_in in seconds")
        lasts = min(max(lasts, -1e9), 1e9)  # a whole number may be too large for a float
        who = self._people.asking(request, text(body, "actor"))
        name, point = request.path_params["name"], text(body, "point")
        order = Command(text(body, "id"), name, point, body["value"], now + lasts, who.name)
        answer = done(await self.give(who, order))
        return JSONResponse({"outcome": answer.outcome.value, **answer.data})

    async def _shown(self, _: Request) -> Response:
        return JSONResponse(self._interlocks.shown(self._clock.mono()))


def written(value: object) -> object:
    """Return a value as the audit holds it, whatever somebody has sent."""
    plain = isinstance(value, bool | int | str) or (isinstance(value, float) and math.isfinite(value))
    return value if plain and len(str(value)) <= LONGEST_TEXT else str(value)[:LONGEST_TEXT]
