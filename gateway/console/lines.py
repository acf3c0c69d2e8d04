"""Routes of the lines: raw reads, questions of a survey, and listening, all through the line's owner.

What is sent here only reads (`drivers.survey.probes.harmless`); what is written to devices goes through
`gateway.commands`, point by point. Every access is written down, like an order.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from drivers.errors import LineDown
from drivers.line.mbap import MbapLine
from drivers.line.turn import TurnLine
from drivers.registry import PROTOCOLS
from drivers.survey.probes import harmless, whom
from drivers.survey.talk import Setting, Shot, Tongue
from gateway.console.answers import done
from gateway.console.asked import body_of, refusal, unknown, whole
from gateway.console.wire import exchange
from gateway.lending import InUse, Lending
from gateway.model import Answer, Outcome
from rules.permissions import Ask, Task

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from starlette.requests import Request

    from drivers.line import AnyLine
    from gateway.console.api import Parts

REGISTERS: Final = frozenset({"modbus-rtu", "modbus-tcp"})  # protocols whose lines are read by registers
MOST_SHOTS: Final = 64
MOST_PATIENCE: Final = 1.0  # seconds of one shot
MOST_TOGETHER: Final = 20.0
MOST_SNIFF: Final = 3600.0
NUDGE: Final = 3.0  # seconds: while somebody listens, one lost device is asked so often
PACE: Final = 0.1  # seconds between two pieces of what is told of a line


class LineDesk:
    """The handlers."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._lending = Lending(parts.clock)

    def routes(self) -> list[Route]:
        """Return the routes."""
        root = "/api/v1/lines/{name}"
        return [
            Route(root, self._show),
            Route(f"{root}/exchange", self._exchange, methods=["POST"]),
            Route(f"{root}/talk", self._talk, methods=["POST"]),
            Route(f"{root}/sniff", self._sniff, methods=["POST"]),
        ]

    async def _show(self, request: Request) -> Response:
        """Tell what an installer's tool has to know of a line."""
        name, line = self._line(request)
        settings = line.settings
        keys = ("protocol", "serial", "tcp", "listen", "baud", "parity", "stop", "timeout", "echo")
        shown = {key: getattr(settings, key) for key in keys}
        return JSONResponse(
            {
                "line": name,
                **shown,
                "lends": isinstance(line, TurnLine),
                "devices": self._parts.report.polled(name),
            }
        )

    async def _exchange(self, request: Request) -> Response:
        name, line = self._line(request)
        entry = PROTOCOLS[line.settings.protocol]
        if entry.hears or not entry.family.has_registers:
            spoken = line.settings.protocol
            zh = f"线路 {name} 使用 {spoken}，不能问寄存器；请读取其设备"
            raise refusal(409, zh, f"line {name} speaks {spoken}: no registers to ask for; poll its devices")
        body = await body_of(request)
        if line.settings.protocol not in REGISTERS:
            zh = f"{name} 使用 {line.settings.protocol}，没有寄存器可读"
            raise refusal(409, zh, f"{name} speaks {line.settings.protocol}: there are no registers to read")
        facts = {"line": name, "what": "read"} | {
            key: body[key] for key in ("unit", "function", "address", "count") if type(body.get(key)) is int
        }
        await self._permit(request, Task.PROBE, facts)
        found = await exchange(line, body)
        await self._note(request, Task.PROBE, facts | {"error": str(found.get("error", ""))})
        return JSONResponse(found)

    async def _talk(self, request: Request) -> Response:
        name, line = self._line(request)
        body = await body_of(request)
        setting, shots = _setting(body), _shots(body)
        settings = line.settings
        if not isinstance(line, TurnLine | MbapLine):
            zh, en = (
                f"{name} 只收听，不发问；用 tocsin sniff",
                f"{name} only listens and asks nothing: `tocsin sniff`",
            )
            raise refusal(409, zh, en)
        own = Setting(settings.baud, settings.parity, settings.stop)
        foreign = setting not in {None, own}
        if foreign and settings.serial is None:
            raise refusal(400, f"{name} 不是串口，没有波特率", f"{name} is no serial line and has no rate")
        if foreign and body.get("interrupt") is not True:
            zh = f"线路由守护进程按 {own} 使用；其他速率会让轮询每次停最多 3 秒，须 --interrupt"
            en = f"the daemon talks {own} here; other rates stop its polls, up to 3 s at a time: --interrupt"
            raise refusal(409, zh, en)
        self._refuse_polled(name, shots, foreign=foreign)
        task = Task.INTERRUPT if foreign else Task.PROBE
        facts = {"line": name, "what": "talk", "setting": str(setting or own), "frames": len(shots)}
        facts |= {"first": shots[0].frame.hex(), "last": shots[-1].frame.hex()}
        await self._permit(request, task, facts)
        try:
            spoken = await self._lending.talk(name, line, setting, shots)
        except InUse:
            raise _in_use(name) from None
        except (LineDown, ValueError) as error:
            raise refusal(502, str(error), str(error), kind=type(error).__name__) from error
        await self._note(request, task, facts | {"held": round(spoken.held, 3)})
        heard = [{"data": h.data.hex(), "wait": h.wait} for h in spoken.heard]
        return JSONResponse({"heard": heard, "held": round(spoken.held, 4)})

    async def _sniff(self, request: Request) -> Response:
        name, line = self._line(request)
        body = await body_of(request)
        seconds = whole(body, "seconds", 1, int(MOST_SNIFF), 60)
        facts = {"line": name, "what": "sniff", "for": seconds}
        await self._permit(request, Task.PROBE, facts)
        await self._note(request, Task.PROBE, facts)
        return StreamingResponse(self._heard(name, line, seconds), media_type="application/x-ndjson")

    async def _heard(self, name: str, line: AnyLine, seconds: float) -> AsyncIterator[str]:
        began = nudged = self._parts.clock.mono()
        until, turn, poller = began + seconds, 0, self._parts.pollers[name][0]
        try:
            async with self._lending.sniff(name, line) as queue:
                while self._parts.clock.mono() < until and not self._parts.stopping.is_set():
                    await asyncio.sleep(PACE)
                    if self._parts.clock.mono() - nudged >= NUDGE:  # who is asked rarely is heard rarely
                        nudged, turn = self._parts.clock.mono(), turn + 1
                        poller.nudge_lost(turn)
                    pieces = [queue.get_nowait() for _ in range(queue.qsize())]
                    for way, data, at in pieces:
                        yield json.dumps({"way": way, "data": data.hex(), "at": round(at, 5)}) + "\n"
                    if not pieces:
                        yield "{}\n"  # so that a reader who left is noticed
        except InUse:
            yield json.dumps({"error": f"somebody listens to {name} already"}) + "\n"

    def _refuse_polled(self, name: str, shots: list[Shot], *, foreign: bool) -> None:
        """Refuse to ask a device beside its polls. Raises HTTPException."""
        polled = set(self._parts.report.polled(name).values())
        asked = next((w for shot in shots if (w := whom(shot)) in polled), None)
        if asked is not None and not foreign:
            zh, en = (
                f"地址 {asked} 由守护进程轮询，读数见 tocsin devices show",
                f"address {asked} is polled: its readings are in `tocsin devices show`",
            )
            raise refusal(409, zh, en)

    def _line(self, request: Request) -> tuple[str, AnyLine]:
        name, pollers = request.path_params["name"], self._parts.pollers
        if name not in pollers:
            raise unknown("线路", "line", name, tuple(pollers))
        return name, pollers[name][1]

    async def _permit(self, request: Request, task: Task, facts: Mapping[str, Any]) -> None:
        refused = await self._parts.deeds.permit(self._parts.people.asking(request), Ask(task), facts)
        if refused is not None:
            done(refused)

    async def _note(self, request: Request, task: Task, facts: Mapping[str, Any]) -> None:
        who = self._parts.people.asking(request)
        await self._parts.deeds.note(who, Ask(task), Answer("", Outcome.DONE), facts)


def _in_use(name: str) -> Exception:
    return refusal(409, f"{name} 正被另一个工具占用", f"another tool has {name} on loan")


def _setting(body: Mapping[str, Any]) -> Setting | None:
    """Return the setting that was asked for; None: the line's own. Raises HTTPException."""
    data = body.get("setting")
    if data is None:
        return None
    fits = isinstance(data, dict) and data.get("parity") in {"none", "even", "odd"}
    if not fits or type(data.get("baud")) is not int or data.get("stop", 1) not in {1, 2}:
        raise refusal(400, "setting：baud、parity、stop", "setting: baud, parity (none, even, odd) and stop")
    return Setting(data["baud"], data["parity"], data.get("stop", 1))


def _shots(body: Mapping[str, Any]) -> list[Shot]:
    """Return the shots of a body, all of which only read. Raises HTTPException."""
    data = body.get("shots")
    if not isinstance(data, list) or not 1 <= len(data) <= MOST_SHOTS:
        raise refusal(400, f"shots：1 到 {MOST_SHOTS} 帧", f"shots: 1 to {MOST_SHOTS} frames")
    shots = [_shot(each) for each in data]
    if sum(shot.patience + shot.linger for shot in shots) > MOST_TOGETHER:
        raise refusal(
            400, f"合计等待超过 {MOST_TOGETHER:g} 秒", f"more than {MOST_TOGETHER:g} s of waiting together"
        )
    return shots


def _shot(data: Any) -> Shot:  # noqa: ANN401  JSON
    try:
        tongue, frame = Tongue(data["tongue"]), bytes.fromhex(data["frame"])
        patience, linger = float(data["patience"]), float(data.get("linger", 0.0))
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise refusal(
            400, "shot：tongue、frame（十六进制）、patience", "shot: tongue, frame (hex), patience"
        ) from error
    if not (0 < patience <= MOST_PATIENCE and 0 <= linger <= MOST_PATIENCE):
        raise refusal(
            400, f"等待 0 到 {MOST_PATIENCE:g} 秒", f"patience and linger are up to {MOST_PATIENCE:g} s"
        )
    if not harmless(tongue, frame):
        raise refusal(
            400,
            f"{frame.hex(' ')}：不是只读的完整请求",
            f"{frame[:32].hex(' ')}: not one whole question that only reads",
        )
    return Shot(tongue, frame, patience, linger)
