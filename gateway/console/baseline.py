"""Routes of baselines: a person says that a cover is closed, the journal says where it rests.

Or he says that the sensor is another one now, and nothing that was learned of the old one counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse
from starlette.routing import Route

from gateway import telemetry
from gateway.baselines import KEY as BASELINES
from gateway.console.answers import denial, done
from gateway.console.asked import body_of, text, unknown
from gateway.console.deeds import Order
from gateway.model import Answer, Outcome
from rules.kinds.deviation import Deviation
from rules.permissions import Task
from rules.replace import Replace
from rules.rezero import LEAST, SPREAD, Rest, Rezero, rest
from rules.state import NANO

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from gateway.baselines import Baselines
    from gateway.clock import Clock
    from gateway.config import DeviceSettings
    from gateway.console.deeds import Deeds
    from gateway.console.peers import People
    from gateway.model import Instant
    from gateway.store.journal import Store
    from rules.actions import Action
    from rules.permissions import Person

FRESH = 3.0  # cycles: the newest still sample must be younger
SPAN = 2.0  # times the least number of samples may have taken so long


class BaselineDesk:
    """The handlers of baselines."""

    def __init__(
        self,
        deeds: Deeds,
        people: People,
        devices: Mapping[str, DeviceSettings],
        baselines: Baselines,
        store: Store,
        clock: Clock,
    ) -> None:
        self._deeds = deeds
        self._people = people
        self._devices = devices
        self._baselines = baselines
        self._store = store
        self._clock = clock

    def routes(self) -> list[Route]:
        """Return the routes."""
        path = "/api/v1/devices/{name}/baseline"
        return [
            Route(path, self._show, methods=["GET"]),
            Route(path, self._take, methods=["POST"]),
            Route("/api/v1/devices/{name}/replaced", self._replaced, methods=["POST"]),
        ]

    async def _show(self, request: Request) -> Response:
        name = self._name(request)
        return JSONResponse(
            {"device": name, "baseline": self._baselines.of(name), "versions": self._baselines.versions(name)}
        )

    async def _take(self, request: Request) -> Response:
        body, name = await body_of(request), self._name(request)
        comment, reference = text(body, "comment", "", most=1000), text(body, "reference", "", most=1000)
        who = self._people.asking(request, text(body, "actor", ""))
        ask = self._deeds.ask(Task.BASELINE, [], comment=comment)
        facts: dict[str, Any] = {"device": name, "reference": reference}
        if (refused := await self._deeds.permit(who, ask, facts)) is not None:
            done(refused)
        keys = self._tilted(name)
        points = tuple(dict.fromkeys(p for key in keys for p in self._points(key)))
        found = await self._rest(name, points)
        if isinstance(found, Answer):
            await self._deeds.note(who, ask, found, facts)
            raise denial(found.reason, found.outcome, found.data)
        values = dict(zip(points, (round(v, 6) for v in found.values), strict=True))
        before = self._baselines.of(name)
        facts |= {"baseline": {**before, **values}, "was": before, "spread": round(found.spread, 3)}

        def action(who: Person, _: Person | None) -> Action:
            return Rezero({**before, **values}, actor=who.name, reason=comment)

        def then(who: Person, _: Person | None, now: Instant) -> Mapping[str, str]:
            said = {"at": now.wall, "by": who.name, "reason": comment, "reference": reference}
            said |= {"spread": round(found.spread, 3)}
            return {BASELINES: self._baselines.take(name, values, said)}

        done(await self._deeds.do(who, Order(ask, keys, action, facts, {}, then)))
        return await self._show(request)

    async def _replaced(self, request: Request) -> Response:
        """Begin anew with another sensor; what needs a baseline sleeps until it is taken."""
        body, name = await body_of(request), self._name(request)
        comment, reference = text(body, "comment", "", most=1000), text(body, "reference", "", most=1000)
        who = self._people.asking(request, text(body, "actor", ""))
        keys = self._deeds.keys([name])
        asleep = [key[1] for key in keys if self._points(key)]
        facts = {"device": name, "reference": reference, "alarms": len(keys), "asleep": asleep}

        def action(who: Person, _: Person | None) -> Action:
            return Replace(actor=who.name, reason=comment)

        def then(who: Person, _: Person | None, now: Instant) -> Mapping[str, str]:
            said = {"at": now.wall, "by": who.name, "reason": comment, "reference": reference}
            return {BASELINES: self._baselines.void(name, said)} if asleep else {}

        order = Order(self._deeds.ask(Task.REPLACE, keys, comment=comment), keys, action, facts, {}, then)
        answer = done(await self._deeds.do(who, order))
        return JSONResponse({"outcome": answer.outcome.value, "alarms": len(keys), "asleep": asleep})

    def _name(self, request: Request) -> str:
        name: str = request.path_params["name"]
        if name not in self._devices:
            raise unknown("设备", "device", name)
        return name

    def _tilted(self, name: str) -> list[tuple[str, str]]:
        """Return the alarms of a device that count from its baseline."""
        keys = [key for key in self._deeds.keys([name]) if self._points(key)]
        if not keys:
            raise denial("no_tilt", Outcome.UNKNOWN)
        return keys

    def _points(self, key: tuple[str, str]) -> tuple[str, ...]:
        alarm = self._deeds.alarm(key)
        rule = None if alarm is None else alarm.spec.rule
        return rule.points if isinstance(rule, Deviation) else ()

    async def _rest(self, name: str, points: tuple[str, ...]) -> Rest | Answer:
        """Return where the device has been resting, from its newest readings in the journal; else why not."""
        every, now = self._devices[name].every, self._clock.now()
        await self._store.flush()
        since = now.wall - round(max(SPAN * LEAST * every, 60.0) * NANO)
        found = await self._store.history(name, since, now.wall)
        records = [telemetry.parse(line.decode()) for line in found.lines]
        whole = [record for record in records if all(point in record.fields for point in points)][-LEAST:]
        samples = [tuple(float(record.fields[point]) for point in points) for record in whole]
        if not whole or now.wall - whole[-1].at > FRESH * every * NANO + 5 * NANO:
            return Answer("", Outcome.REFUSED, "not_reading")
        if len(samples) < LEAST:
            return Answer("", Outcome.REFUSED, "few_samples", {"samples": f"{len(samples)}/{LEAST}"})
        resting = rest(samples)
        if resting.spread >= SPREAD:
            return Answer("", Outcome.REFUSED, "moving", {"spread": f"{resting.spread:.2f}° >= {SPREAD}°"})
        return resting
