"""Routes of alarm work: silence, shelve, reset, close; devices out of service; second persons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse
from starlette.routing import Route

from gateway.console.answers import done
from gateway.console.asked import body_of, refusal, text, unknown, whole
from gateway.console.deeds import Order
from rules import actions
from rules.permissions import Task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from starlette.requests import Request
    from starlette.responses import Response

    from gateway.console.deeds import Deeds
    from gateway.console.peers import People
    from rules.actions import Action
    from rules.permissions import Person

DISPOSITIONS = ("real", "false", "drill", "device fault", "other")
LONGEST = 365 * 86400.0


class Work:
    """The handlers; each turns what was asked into an order."""

    def __init__(self, deeds: Deeds, people: People, devices: Iterable[str]) -> None:
        self._deeds = deeds
        self._people = people
        self._devices = set(devices)

    def routes(self) -> list[Route]:
        """Return the routes."""
        alarm, device = "/api/v1/alarms/{device}/{rule}", "/api/v1/devices/{name}"
        return [
            *(
                Route(f"{alarm}/{task.value}", self._alarm(task), methods=["POST"])
                for task in (Task.ACK, Task.SILENCE, Task.SHELVE, Task.UNSHELVE, Task.RESET, Task.DISPOSE)
            ),
            Route(f"{device}/disable", self._disable, methods=["POST"]),
            Route(f"{device}/enable", self._enable, methods=["POST"]),
            Route("/api/v1/requests", self._requests),
            Route("/api/v1/requests/{id}/approve", self._approve, methods=["POST"]),
            Route("/api/v1/me", self._me),
        ]

    def _alarm(self, task: Task) -> Callable[[Request], Any]:
        async def handle(request: Request) -> Response:
            key = (request.path_params["device"], request.path_params["rule"])
            body = await body_of(request)
            comment, length = text(body, "comment", "", most=1000), 0.0
            if task is Task.SHELVE:
                length = seconds(body)
            ask = self._deeds.ask(task, [key], length, comment)
            facts = {"device": key[0], "rule": key[1], **_asked_of(task, body)}
            order = Order(ask, [key], _action(task, body, length, comment), facts)
            who = self._people.asking(request, text(body, "actor", ""))
            answer = done(await self._deeds.do(who, order))
            return JSONResponse({"outcome": answer.outcome.value})

        return handle

    async def _disable(self, request: Request) -> Response:
        body = await body_of(request)
        length, comment = seconds(body), text(body, "comment", "", most=1000)

        def action(who: Person, second: Person | None) -> Action:
            return actions.Disable(
                length, "" if second is None else second.name, actor=who.name, reason=comment
            )

        return await self._whole_device(request, Task.DISABLE, body, action, length)

    async def _enable(self, request: Request) -> Response:
        body = await body_of(request)
        comment = text(body, "comment", "", most=1000)

        def action(who: Person, _: Person | None) -> Action:
            return actions.Enable(actor=who.name, reason=comment)

        return await self._whole_device(request, Task.ENABLE, body, action)

    async def _whole_device(
        self,
        request: Request,
        task: Task,
        body: dict[str, Any],
        action: Callable[[Person, Person | None], Action],
        length: float = 0.0,
    ) -> Response:
        name: str = request.path_params["name"]
        if name not in self._devices:
            raise unknown("设备", "device", name)
        keys = self._deeds.keys([name])
        ask = self._deeds.ask(task, keys, length, text(body, "comment", "", most=1000))
        order = Order(ask, keys, action, {"device": name, "alarms": len(keys)})
        who = self._people.asking(request, text(body, "actor", ""))
        answer = done(await self._deeds.do(who, order))
        return JSONResponse({"outcome": answer.outcome.value, "alarms": len(keys)})

    async def _requests(self, _: Request) -> Response:
        return JSONResponse(self._deeds.waiting())

    async def _approve(self, request: Request) -> Response:
        body = await body_of(request)
        who = self._people.asking(request, text(body, "actor", ""))
        answer = done(await self._deeds.approve(who, request.path_params["id"]))
        return JSONResponse({"outcome": answer.outcome.value})

    async def _me(self, request: Request) -> Response:
        who = self._people.asking(request)
        return JSONResponse(
            {"name": who.name, "role": who.role.value, "level": who.role.level, "account": who.account}
        )


def seconds(body: dict[str, Any]) -> float:
    """Return the time asked for. Raises HTTPException."""
    value = body.get("seconds")
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= LONGEST:
        raise refusal(400, "seconds 应为正数", "seconds is wanted: a number above 0")
    return float(value)


def _asked_of(task: Task, body: dict[str, Any]) -> dict[str, Any]:
    """Return what else was said, checked, for the audit. Raises HTTPException."""
    if task is Task.ACK:
        return {"occurrence": text(body, "occurrence"), "seen": whole(body, "seen", 0, 1 << 53)}
    if task is Task.DISPOSE:
        word = text(body, "disposition")
        if word not in DISPOSITIONS:
            listed = ", ".join(DISPOSITIONS)
            raise refusal(400, f"disposition 应为：{listed}", f"disposition is one of {listed}")
        return {"disposition": word}
    return {}


def _action(
    task: Task, body: dict[str, Any], length: float, comment: str
) -> Callable[[Person, Person | None], Action]:
    asked = _asked_of(task, body)

    def action(who: Person, _: Person | None) -> Action:
        said = {"actor": who.name, "reason": comment}
        if task is Task.ACK:
            return actions.Ack(asked["occurrence"], asked["seen"], **said)
        if task is Task.SHELVE:
            return actions.Shelve(length, **said)
        if task is Task.DISPOSE:
            # The word stands first, so that figures can be made of it: see `gateway.kpi`.
            word = asked["disposition"]
            return actions.Dispose(word, actor=who.name, reason=f"{word}: {comment}" if comment else word)
        plain = {Task.SILENCE: actions.Silence, Task.UNSHELVE: actions.Unshelve, Task.RESET: actions.Reset}
        return plain[task](**said)

    return action
