"""A DNY (AP3000) charging board: registers, beats, tells the power of its charging ports. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drivers.dny.frame import KEEP_ALIVE, Command, Frame, cutter, encode_frame
from drivers.simulator.held import Held

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.profile import Point

REGISTER: Final = 5.0  # seconds until it registers again
BEAT: Final = 30.0
POWER: Final = 15.0  # seconds between two messages of a charging port
LOOK: Final = 1.0
DRAWS: Final = 1.0  # W from which on a port charges


class Board(Held):
    """The inside of a board, and its voice."""

    def __init__(self, points: Mapping[str, Point], address: int | str) -> None:
        super().__init__(points)
        self._physical = int(address)
        self._message = 0
        self._cutter = cutter()
        self._registered = False
        self._next = self._next_beat = 0.0
        self._powers: dict[int, float] = {}  # when a charging port speaks next
        self._began: dict[int, float] = {}
        numbers = [int(p.item.split(".")[1]) for p in points.values() if p.item.startswith("port.")]
        self._ports = range(1, max(numbers, default=1) + 1)

    def next_word(self) -> float:
        """Return when it speaks or looks next."""
        return self._next

    def connected(self) -> None:
        """Begin anew."""
        self._registered, self._next = False, 0.0

    def speak(self, now: float, t: float) -> bytes:
        """Return what is due."""
        del t
        if not self._registered:
            self._next = now + REGISTER
            data = bytes((100, 0, len(self._ports), 0, 0, 0))
            return b"89860404101800139999" + self._say(Command.REGISTER, data)
        self._next = now + LOOK
        said = b""
        for port in self._ports:
            if self._power(port) < DRAWS:
                if self._began.pop(port, None) is not None:
                    self._next_beat = 0.0  # the port is idle: the next beat says so, now
                self._powers.pop(port, None)
            elif now >= self._powers.get(port, 0.0):
                self._began.setdefault(port, now)
                self._powers[port] = now + POWER
                said += self._say(Command.PORT_POWER, self._port_power(port, now))
        if now >= self._next_beat:
            self._next_beat = now + BEAT
            said += KEEP_ALIVE + self._say(Command.HEARTBEAT, self._heartbeat())
        return said

    def answer(self, request: bytes) -> bytes | None:
        """Hear that it is registered."""
        for frame in self._cutter.feed(request):
            if frame.command == Command.REGISTER and frame.physical == self._physical:
                self._registered, self._next = True, 0.0
        return None

    def _heartbeat(self) -> bytes:
        states = bytes(self._state(port) for port in self._ports)
        temperature = round(self.number("temperature", 25.0)) + 65
        return (
            _word(10 * self.number("voltage", 220.0))
            + bytes((len(states),))
            + states
            + bytes((20, temperature))
        )

    def _port_power(self, port: int, now: float) -> bytes:
        head = bytes((port - 1, self._state(port))) + _word(now - self._began[port])
        head += _word(100 * self.number(f"port.{port}.energy")) + b"\x01"
        return head + _word(10 * self._power(port))

    def _state(self, port: int) -> int:
        state = int(self.number(f"port.{port}.state"))
        return state if state > 1 else int(self._power(port) >= DRAWS)

    def _power(self, port: int) -> float:
        return self.number(f"port.{port}.power")

    def _say(self, command: int, data: bytes) -> bytes:
        self._message = self._message % 0xFFFF + 1
        return encode_frame(Frame(self._physical, self._message, command, data))


def _word(number: float) -> bytes:
    return (round(number) & 0xFFFF).to_bytes(2, "little")
