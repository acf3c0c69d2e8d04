"""A line to survey, whoever owns it: the daemon lends it, or we open the port ourselves."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from drivers.errors import LineDown
from drivers.line.turn import TurnLine
from drivers.registry import make_line
from drivers.survey.exchanged import Exchanged
from drivers.survey.talk import Heard, Setting
from gateway.cli.output import Failure

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from drivers.line import AnyLine
    from drivers.line.settings import LineSettings
    from drivers.survey.talk import Bench, Shot
    from gateway.cli.client import Daemon

TOGETHER: Final = 12  # shots of one request to the daemon
CHUNK: Final = 0.05  # seconds of listening that are handed on together


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms a line may be surveyed."""

    own: Setting | None  # the one setting that may be used; None: any
    polled: dict[str, str] = field(
        default_factory=dict
    )  # devices the daemon polls there, with their addresses
    network: bool = False  # a TCP end: no rates, nobody talks by himself
    modbus_only: bool = False  # Modbus TCP: no raw bytes


class DaemonBench:
    """A line that the daemon lends, a few questions at a time."""

    def __init__(self, daemon: Daemon, name: str, *, interrupt: bool) -> None:
        self._daemon = daemon
        self._path = f"/lines/{quote(name)}/talk"
        self._interrupt = interrupt
        self.held = 0.0  # seconds the line was ours

    async def ask(self, setting: Setting, shots: Sequence[Shot]) -> list[Heard]:
        """Have the daemon send the shots. Raises Failure, Unreachable."""
        heard: list[Heard] = []
        for at in range(0, len(shots), TOGETHER):
            part = shots[at : at + TOGETHER]
            answer = self._daemon.post(self._path, self._body(setting, part))
            self.held += answer["held"]
            heard += [Heard(bytes.fromhex(each["data"]), each["wait"]) for each in answer["heard"]]
        return heard

    async def listen(self, setting: Setting, seconds: float) -> bytes:  # noqa: ARG002  polls go on
        """Hear nothing: while the daemon polls, `tocsin sniff` is the way to listen."""
        return b""

    def _body(self, setting: Setting, shots: Sequence[Shot]) -> dict[str, Any]:
        return {
            "setting": {"baud": setting.baud, "parity": setting.parity, "stop": setting.stop},
            "interrupt": self._interrupt,
            "shots": [
                {"tongue": s.tongue.value, "frame": s.frame.hex(), "patience": s.patience, "linger": s.linger}
                for s in shots
            ],
        }


def daemon_terms(daemon: Daemon, name: str, *, interrupt: bool) -> Terms:
    """Return on which terms the daemon lends a line. Raises Failure."""
    line = daemon.get(f"/lines/{quote(name)}")
    own = Setting(line["baud"], line["parity"], line["stop"])
    network = line["serial"] is None
    return Terms(None if interrupt and not network else own, line["devices"], network, not line["lends"])


@contextlib.asynccontextmanager
async def own_bench(settings: LineSettings) -> AsyncIterator[tuple[Bench, Terms]]:
    """Open a port that nobody else has and yield it as a bench. Raises Failure."""
    line = make_line(raw(settings))
    try:
        await line.open()
        if not isinstance(line, TurnLine):
            yield Exchanged(line, time.monotonic), Terms(Setting(), network=True, modbus_only=True)
            return
        async with line.lend() as loan:
            network = settings.serial is None
            own = Setting(settings.baud, settings.parity, settings.stop)
            yield loan, Terms(own if network else None, network=network)
    except LineDown as error:
        raise Failure(str(error)) from error
    finally:
        await line.close()


def raw(settings: LineSettings) -> LineSettings:
    """Return the line as one of raw bytes, whatever is spoken there; Modbus TCP has none."""
    return (
        settings
        if settings.protocol == "modbus-tcp"
        else replace(settings, protocol="modbus-rtu", inflight=1)
    )


def listen_own(settings: LineSettings, seconds: float) -> Iterator[tuple[str, bytes, float]]:
    """Open a port that nobody else has and yield what is heard; nothing is ever sent. Raises Failure."""
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        line = runner.run(_made(settings))
        heard: list[tuple[str, bytes, float]] = []
        line.listen(lambda way, data, at: heard.append((way, data, at)))
        until = time.monotonic() + seconds
        try:
            runner.run(line.open())
            while time.monotonic() < until:
                runner.run(asyncio.sleep(CHUNK))
                yield from heard
                yield "", b"", loop.time()
                heard.clear()
        except LineDown as error:
            raise Failure(str(error)) from error
        finally:
            runner.run(line.close())


async def _made(settings: LineSettings) -> AnyLine:
    return make_line(raw(settings))  # a line belongs to the loop that runs when it is made


def listen_daemon(daemon: Daemon, name: str, seconds: float) -> Iterator[tuple[str, bytes, float]]:
    """Yield what passes a line of the daemon, in both directions. Raises Failure, Unreachable."""
    for piece in daemon.lines(f"/lines/{quote(name)}/sniff", {"seconds": max(int(seconds), 1)}):
        if "error" in piece:
            raise Failure(str(piece["error"]), 6)
        if "way" in piece:
            yield piece["way"], bytes.fromhex(piece["data"]), piece["at"]
        else:
            yield "", b"", 0.0
