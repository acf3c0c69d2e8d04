"""The platform's end of a DNY (AP3000) conversation: boards register, beat, tell their ports' power. Pure.

One connection may carry several boards: a module in front, others behind it. Answered are a known board's
register (20, with result 0) and its questions for the time (12, 22, with seconds since 1970); the source
for these answers is weak, so `tocsin sniff` a new firmware before you rely on it. Nothing can be written:
starting and stopping is the payment platform's, and its message of 37 bytes is not proven here.

Items: `voltage`, `temperature`, `signal`, `ports`, `firmware`; per port N `port.N.state`, `.charging`,
`.power` (W), `.energy` (kWh), `.elapsed` (s), `.current` (A), `.temperature` (°C).
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from drivers.conversation import Heard, Silent, Told
from drivers.dny import fields
from drivers.dny.frame import Command, DnyError, Frame, cutter, encode_frame

if TYPE_CHECKING:
    from drivers.conversation import Listeners, Raw, Who
    from gateway.model import Instant

MOST_PORTS: Final = 40
_READERS: Final = {
    Command.REGISTER: fields.register,
    Command.HEARTBEAT: fields.heartbeat,
    Command.PORT_POWER: fields.port_power,
}
_TIME: Final = frozenset({Command.SERVER_TIME, Command.DEVICE_TIME})
_ALIVE: Final = frozenset({Command.HEARTBEAT_OLD, Command.MAIN_HEARTBEAT, *_TIME})
_BOARD_ITEMS: Final = ("voltage", "temperature", "signal", "ports", "firmware")
_PORT_ITEMS: Final = ("state", "charging", "power", "energy", "elapsed", "current", "temperature")


def check_item(item: str) -> str:
    """Return "" for an item a board can tell, else what is wrong."""
    parts = item.split(".")
    if item in _BOARD_ITEMS:
        return ""
    if len(parts) == 3 and parts[0] == "port" and parts[2] in _PORT_ITEMS:
        if parts[1].isdecimal() and 1 <= int(parts[1]) <= MOST_PORTS:
            return ""
        return f"a port is 1 to {MOST_PORTS}, not {parts[1]}"
    port = ", ".join(f"port.N.{name}" for name in _PORT_ITEMS)
    return f"a DNY board tells {', '.join(_BOARD_ITEMS)} and {port}, not {item!r}"


def physical_id(address: Who) -> int:
    """Return a board's number. Raises ValueError."""
    try:
        number = int(str(address), 0)
    except ValueError:
        number = 0
    if not 0 < number <= 0xFFFFFFFF:
        raise ValueError('must be the board\'s physical id, decimal or as "0x04CEAA40"')
    return number


class Talk(Silent):
    """One connection."""

    def __init__(self, listeners: Listeners) -> None:
        self._listeners = listeners
        self._cutter = cutter()
        self._out: deque[bytes] = deque(maxlen=64)
        self.frames = 0
        self.unfit = 0  # sound frames whose data were too short
        self.ignored = 0

    @property
    def noise(self) -> int:
        """Bytes that belonged to no frame: `link`, the digits of the SIM, and damage."""
        return self._cutter.noise

    def receive(self, data: bytes, now: Instant) -> Heard:
        """Take in bytes; answer and tell what the whole frames among them say."""
        told: list[Told] = []
        for frame in self._cutter.feed(data):
            self.frames += 1
            try:
                told += self._hear(frame, now)
            except DnyError:
                self.unfit += 1
        self._cutter.refusals.clear()
        return Heard(tuple(told))

    def to_send(self, now: float) -> bytes:
        """Return all answers."""
        del now
        waiting = b"".join(self._out)
        self._out.clear()
        return waiting

    def _hear(self, frame: Frame, now: Instant) -> list[Told]:
        reader = _READERS.get(Command(frame.command)) if frame.command in set(Command) else None
        if reader is None and frame.command not in _ALIVE:
            self.ignored += 1
            return []
        items: dict[str, Raw] = {} if reader is None else reader(frame.data)
        if frame.physical in self._listeners:
            if frame.command == Command.REGISTER:
                self._answer(frame, b"\x00")
            elif frame.command in _TIME and now.synced:
                self._answer(frame, int(now.wall / 1e9).to_bytes(4, "little"))
        return [Told(frame.physical, items)]

    def _answer(self, frame: Frame, data: bytes) -> None:
        self._out.append(encode_frame(Frame(frame.physical, frame.message, frame.command, data)))
