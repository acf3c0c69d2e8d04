"""Routes of drills and baselines: what touches many alarms, or the rules themselves."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse
from starlette.routing import Route

from gateway.console.answers import denial, done
from gateway.console.asked import body_of, refusal, text, unknown
from gateway.console.deeds import Order
from gateway.console.work import seconds
from gateway.drills import DEFAULT, KEY, Drill, Kind, members
from gateway.kept import mark_exercise
from gateway.model import Answer, Outcome
from rules import actions
from rules.permissions import Task
from rules.rule import FAULTS
from rules.state import NANO

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from gateway.clock import Clock
    from gateway.config import DeviceSettings
    from gateway.console.deeds import Deeds
    from gateway.console.peers import People
    from gateway.drills import Drills
    from gateway.links.encode import Facts
    from gateway.model import Instant
    from rules.actions import Action
    from rules.permissions import Person


LOOK = 0.5  # seconds between two looks for suspects
ANNOUNCE = "announce"
SECOND = "a second detector in a walk test"


class DrillDesk:
    """The handlers of drills."""

    def __init__(
        self,
        deeds: Deeds,
        people: People,
        devices: Mapping[str, DeviceSettings],
        kept: tuple[Drills, dict[str, Facts]],
        clock: Clock,
    ) -> None:
        self._deeds = deeds
        self._people = people
        self._drills, self._facts = kept
        self._clock = clock
        self._where = {name: (device.zone, device.line) for name, device in devices.items()}

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/api/v1/drill", self._show),
            Route("/api/v1/drill/start", self._start, methods=["POST"]),
            Route("/api/v1/drill/announce", self._announce, methods=["POST"]),
            Route("/api/v1/drill/stop", self._stop, methods=["POST"]),
        ]

    async def _show(self, _: Request) -> Response:
        return JSONResponse(self._drills.report(self._clock.now()))

    async def _start(self, request: Request) -> Response:
        body = await body_of(request)
        kind = Kind.EXERCISE if text(body, "kind", Kind.WALK_TEST.value) == "exercise" else Kind.WALK_TEST
        length = seconds({"seconds": DEFAULT, **body})
        comment, scope = text(body, "comment", "", most=1000), text(body, "scope")
        try:
            devices = tuple(members(scope, self._where))
        except ValueError as error:
            raise refusal(400, f"{scope!r}：应为 all、device:、zone: 或 line:", str(error)) from error
        if not devices:
            raise denial("empty_scope", Outcome.UNKNOWN)
        if self._drills.running(self._clock.now()) is not None:
            raise denial("drill_running", Outcome.CONFLICT)
        keys = self._deeds.keys(devices)
        task = Task.EXERCISE if kind is Kind.EXERCISE else Task.DRILL

        def action(who: Person, _: Person | None) -> Action:
            return actions.StartDrill(length, actor=who.name, reason=comment)

        def then(who: Person, second: Person | None, now: Instant) -> Mapping[str, str]:
            self._drills.drill = Drill(
                f"{now.wall // NANO}",
                kind,
                scope,
                devices,
                self._detectors(devices),
                who.name,
                "" if second is None else second.name,
                comment,
                now.wall,
                now.wall + round(length * NANO),
                now.mono + length,
            )
            mark_exercise(self._facts, self._drills)
            return {KEY: self._drills.keep(now)}

        ask = self._deeds.ask(task, keys, length, comment)
        order = Order(
            ask, keys, action, {"scope": scope, "kind": kind.value, "devices": len(devices)}, {}, then
        )
        done(await self._deeds.do(self._people.asking(request, text(body, "actor", "")), order))
        return await self._show(request)

    async def watch(self) -> None:
        """Take the alarms of a suspected detector for real, soon; until cancelled."""
        while True:
            await asyncio.sleep(LOOK)
            while self._drills.suspects:
                device = self._drills.suspects.pop(0)
                order = Order(
                    self._deeds.ask(Task.END_DRILL, [], comment=SECOND),
                    self._deeds.keys([device]),
                    lambda *_: actions.StopDrill(reason=SECOND),
                    {"device": device},
                )
                await self._deeds.decide(order)

    def _detectors(self, devices: tuple[str, ...]) -> tuple[str, ...]:
        """Return the devices that can alarm, and not only fail."""
        alarms = self._deeds.alarms(self._deeds.keys(devices))
        able = {alarm.key[0] for alarm in alarms if alarm.spec.rule.alarm_class not in FAULTS}
        return tuple(device for device in devices if device in able)

    async def _announce(self, request: Request) -> Response:
        body, now = await body_of(request), self._clock.now()
        drill, name = self._drills.running(now), text(body, "device")
        if drill is None:
            raise denial("no_drill", Outcome.CONFLICT)
        if name not in drill.detectors:
            raise unknown("演练中的探测器", "detector in the drill", name)
        who = self._people.asking(request, text(body, "actor", ""))
        ask = self._deeds.ask(Task.END_DRILL, [])  # who may end a drill may announce in it
        facts = {"task": ANNOUNCE, "device": name}  # the books say what he did, not whose right it took
        if (refused := await self._deeds.permit(who, ask, facts)) is not None:
            done(refused)
        drill.announced[name] = now.wall
        await self._deeds.keep({KEY: self._drills.keep(now)})
        await self._deeds.note(who, ask, Answer("", Outcome.DONE), {**facts, "announced": now.wall})
        return await self._show(request)

    async def _stop(self, request: Request) -> Response:
        body = await body_of(request)
        drill = self._drills.running(self._clock.now())
        if drill is None:
            raise denial("no_drill", Outcome.CONFLICT)
        comment = text(body, "comment", "", most=1000)

        def action(who: Person, _: Person | None) -> Action:
            return actions.StopDrill(actor=who.name, reason=comment)

        def then(who: Person, _: Person | None, now: Instant) -> Mapping[str, str]:
            drill.stopped, drill.stopped_by = now.wall, who.name
            return {KEY: self._drills.keep(now)}

        keys = self._deeds.keys(drill.devices)
        ask = self._deeds.ask(Task.END_DRILL, keys, comment=comment)
        order = Order(ask, keys, action, {"scope": drill.scope, "heard": len(drill.heard)}, {}, then)
        done(await self._deeds.do(self._people.asking(request, text(body, "actor", "")), order))
        return await self._show(request)
