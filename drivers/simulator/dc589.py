"""A DC589 charging board: registers until it is answered, beats, tells what happens, obeys a stop. Pure.

A port charges while its persona draws power. A stop holds until the persona's own charge is over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from drivers.dc589.fields import FIELDS, decode_fields, encode_fields
from drivers.dc589.frame import NO_SESSION, Frame, cutter, encode_frame
from drivers.dc589.ports import Charging, Status, encode_status
from drivers.simulator.held import Held

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.profile import Point

REGISTER: Final = 3.0  # seconds until it registers again
BEAT: Final = 60.0
BEAT_CHARGING: Final = 15.0
LOOK: Final = 0.5  # seconds between two looks at itself
DRAWS: Final = 1.0  # W from which on a port charges
SPLIT: Final = 12  # ports above which a status takes two frames
_MACHINE: Final = (("hot", 0xAA), ("smoke", 0xBB), ("mains_abnormal", 0xCC))
_REASON_REMOTE, _REASON_FULL, _REASON_FAULT = 7, 2, 3


class Board(Held):
    """The inside of a board, and its voice."""

    def __init__(self, points: Mapping[str, Point], address: int | str) -> None:
        super().__init__(points)
        self._board = str(address)
        self._cutter = cutter()
        self._registered = False
        self._next_register = self._next_beat = self._next_look = 0.0
        self._now = 0.0
        numbers = [int(p.item.split(".")[1]) for p in points.values() if p.item.startswith("port.")]
        self._ports = range(1, max(numbers, default=1) + 1)
        self._began: dict[int, float] = {}  # charging ports, since when
        self._stopped: set[int] = set()
        self._told: dict[str, float] = {}  # what was told as a fault
        self._ended: dict[int, int] = {}  # ports whose charge is over and not told yet: the reason

    # Its voice.

    def next_word(self) -> float:
        """Return when it looks at itself next, or registers or beats."""
        if not self._registered:
            return self._next_register
        return min(self._next_look, self._next_beat)

    def speak(self, now: float, t: float) -> bytes:
        """Return what is due."""
        del t
        self._now = now
        if not self._registered:
            if now < self._next_register:
                return b""
            self._next_register = now + REGISTER
            hardware = f"SH{len(self._ports):02d}HA01"
            return self._say(
                0xA0, board=self._board, hardware=hardware, software="SH10SP02", version=107, signal=17
            )
        self._next_look = now + LOOK
        said = self._changes(now)
        if now >= self._next_beat:
            said += self._beat(now)
        return said

    def connected(self) -> None:
        """Begin anew: a new connection is registered first."""
        self._registered, self._next_register = False, 0.0
        self._cutter = cutter()

    def _changes(self, now: float) -> bytes:
        said = b""
        for port in self._ports:
            draws = self._power(port) >= DRAWS
            if not draws:
                self._stopped.discard(port)
            charging = draws and port not in self._stopped and self._fault(port) == 0
            if charging and port not in self._began:
                self._began[port] = now
                said += self._say(0xB4, **self._one(port, now))
            elif not charging and port in self._began:
                reason = _REASON_REMOTE if draws and port in self._stopped else _REASON_FULL
                said += self._end(port, now, _REASON_FAULT if self._fault(port) else reason)
            said += self._tell(f"port.{port}", self._fault(port), port, self._fault(port))
        for name, code in _MACHINE:
            on = bool(self.number(name))
            said += self._tell(name, on, 0xFF, code)
        return said

    def _tell(self, what: str, on: float, port: int, code: int) -> bytes:
        """Return a C0 where a fault has just begun."""
        before, self._told[what] = self._told.get(what, 0), on
        if not on or on == before:
            return b""
        temperature, voltage = round(self.number("temperature", 25.0)), round(self.number("voltage", 220.0))
        return self._say(0xC0, port=port, fault=code, temperature=temperature, voltage=voltage)

    def _beat(self, now: float) -> bytes:
        self._next_beat = now + (BEAT_CHARGING if self._began else BEAT)
        head = encode_fields(FIELDS[0xA4], {"board": self._board, "module": 0, "signal": 17})
        return b"".join(
            encode_frame(Frame(0xA4, head + encode_status(part), NO_SESSION)) for part in self._status(now)
        )

    def _end(self, port: int, now: float, reason: int) -> bytes:
        seconds = int(now - self._began.pop(port))
        energy = self.number(f"port.{port}.energy") % 60
        return self._say(
            0xBB, flag=1, port=port, elapsed_minutes=seconds // 60, elapsed_seconds=seconds % 60,
            energy=energy, reason=reason, tier=1, power=0,
        )  # fmt: skip

    # What it hears.

    def answer(self, request: bytes) -> bytes | None:
        """Return the answers to the platform's frames."""
        said = b"".join(self._hear(frame) for frame in self._cutter.feed(request))
        return said or None

    def is_write(self, request: bytes) -> bool:
        """Tell whether a request stops a port."""
        return len(request) > 2 and request[2] == 0xB9

    def forget(self, name: str) -> None:
        """Let a port that was stopped draw again."""
        item = self._points[name].item.split(".")
        if item[0] == "port":
            self._stopped.discard(int(item[1]))

    def _hear(self, frame: Frame) -> bytes:
        match frame.command:
            case 0xA1:
                self._registered, self._next_beat = True, 0.0
            case 0xB0:
                parts = self._status(self._now)
                return b"".join(encode_frame(Frame(0xB1, encode_status(p), frame.session)) for p in parts)
            case 0xB2:
                port = decode_fields(FIELDS[0xB2], frame.data)["port"]
                return self._say(0xB3, frame.session, **self._one(port, self._now))
            case 0xB9:
                port = decode_fields(FIELDS[0xB9], frame.data)["port"]
                result = 0x10 if port in self._began else 1 if port in self._ports else 0
                self._stopped.add(port)
                return self._say(0xBA, frame.session, result=result, port=port)
        return b""

    def _status(self, now: float) -> list[Status]:
        machine = sum(bool(self.number(name)) << bit for bit, (name, _) in enumerate(_MACHINE))
        states = tuple(self._state(port) for port in self._ports)
        blocks = tuple(self._charging(port, now) for port in self._ports if states[port - 1] == 1)
        whole = (
            machine,
            round(self.number("voltage", 220.0)),
            round(self.number("temperature", 25.0)),
            states,
        )
        if len(self._ports) <= SPLIT:
            return [Status(*whole, len(blocks), blocks)]
        halves = [tuple(b for b in blocks if (b.port <= 10) is first) for first in (True, False)]
        return [Status(*whole, len(blocks), half) for half in halves]

    def _charging(self, port: int, now: float) -> Charging:
        elapsed = int(now - self._began[port])
        energy = self.number(f"port.{port}.energy") % 60
        return Charging(port, max(0, 28800 - elapsed), elapsed, 0.0, energy, round(self._power(port), 1))

    def _one(self, port: int, now: float) -> dict[str, Any]:
        state = self._state(port) if port in self._ports else 0xFF
        elapsed = int(now - self._began.get(port, now))
        return {
            "port": port, "state": state, "elapsed_minutes": elapsed // 60, "elapsed_seconds": elapsed % 60,
            "energy": self.number(f"port.{port}.energy") % 60,
            "power": self._power(port) if state == 1 else 0,
        }  # fmt: skip

    def _state(self, port: int) -> int:
        return self._fault(port) or int(port in self._began and port not in self._stopped)

    def _fault(self, port: int) -> int:
        state = int(self.number(f"port.{port}.state"))
        return state if state in {3, 4} else 0

    def _power(self, port: int) -> float:
        return self.number(f"port.{port}.power")

    @staticmethod
    def _say(command: int, session: bytes = NO_SESSION, **fields: Any) -> bytes:  # noqa: ANN401  of all kinds
        return encode_frame(Frame(command, encode_fields(FIELDS[command], fields), session))
