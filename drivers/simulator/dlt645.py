"""A played DL/T 645 meter and the frames on its line. No I/O.

Frames and values go through the driver's own codec: tests hold it against another implementation of the
protocol and against published frames.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from drivers.cutter import Cutter, FrameError
from drivers.dlt645 import frame as wire
from drivers.dlt645.frame import BROADCAST, FRAMING, Frame, decode_frame, encode_frame, matches
from drivers.dlt645.identifiers import ALL, block_of, encode_value
from drivers.dlt645.items import RELAY, RELAY_BIT, RELAY_WORD, Di, di_of
from drivers.dlt645.orders import BY_CODE, DATE, TIME
from drivers.dlt645.query import FOLLOW_UPS, READS, WAKE_UP, width
from drivers.dlt645.relay import decode_relay_order
from drivers.simulator.carried import Carried
from drivers.simulator.dialect import Asked

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping, Sequence

    from drivers.dlt645.identifiers import Place
    from drivers.profile import Limits, Point
    from drivers.simulator.dialect import Stream
    from drivers.simulator.unit import Address, Unit
    from gateway.model import Value

PASSWORD: Final = bytes((2, 0, 0, 0))  # level 02, 000000: as meters are delivered
CLOCK: Final = datetime(2026, 11, 22, 8, 0, 0)  # noqa: DTZ001  without zone, and it stands still
NO_SUCH_DATA, NOT_ALLOWED, OTHER = 0x02, 0x04, 0x01
_CODES: Final = {relay: code for code, relay in BY_CODE.items()}
_OPEN_AFTER: Final = {0: 0, 1: 1}  # permitting to close leaves it to the button


class Meter:
    """The inside of a meter. Answers are `control, data`, without frame; `most` bytes of values in one."""

    def __init__(self, points: Mapping[str, Point], limits: Limits, most: int = 180) -> None:
        self._carried = Carried(points)
        self._blocks = limits.bridge
        self._most = most
        self._rest: list[bytes] = []  # what follow-up frames bring

    def update(self, values: Mapping[str, Value]) -> None:
        """Take the values of points; what was ordered stands."""
        self._carried.update(values)

    def forget(self, name: str) -> None:
        """Let a point that was written follow the persona again."""
        self._carried.forget(name)

    def holds(self, name: str) -> Value | None:
        """Return what was written to a point; None when nothing was."""
        return self._carried.holds(name)

    def answer(self, request: bytes) -> bytes | None:
        """Return the answer to `control, data`; None: it is no request."""
        if not request or request[0] & 0x80:
            return None
        function, data = request[0], request[1:]
        if function in READS:
            return self._read(function, data)
        if function in FOLLOW_UPS:
            return self._next(function, data)
        if function == wire.ADDRESS:
            return bytes((wire.ADDRESS | 0x80,))  # the address itself is the line's business
        if function == wire.RELAY:
            return self._relay(request)
        return self.refuse(request, OTHER)

    def refuse(self, request: bytes, code: int) -> bytes:
        """Return a refusal with an error byte."""
        return bytes((request[0] | 0xC0, code & 0xFF))

    def is_write(self, request: bytes) -> bool:
        """Tell whether a request wants to change something."""
        return request[:1] in {bytes((wire.RELAY,)), bytes((wire.WRITE,)), bytes((wire.WRITE_1997,))}

    def is_refusal(self, reply: bytes) -> bool:
        """Tell whether an answer refuses."""
        return bool(reply[0] & 0x40)

    def _read(self, function: int, name: bytes) -> bytes:
        edition = Frame("", function).edition
        values = self._told()
        di = Di(int.from_bytes(name, "little"), edition)
        found = [values[di]] if di in values else self._block(di, values)
        if len(name) != width(edition) or not found:
            return self.refuse(bytes((function,)), NO_SUCH_DATA)
        data = b"".join(found)
        pieces = [data[i : i + self._most] for i in range(0, len(data), self._most)]
        self._rest = pieces[1:]
        return bytes((function | 0x80 | (0x20 if self._rest else 0),)) + name + pieces[0]

    def _next(self, function: int, asked: bytes) -> bytes:
        size = width(Frame("", function).edition)
        if not self._rest:
            return self.refuse(bytes((function,)), NO_SUCH_DATA)
        piece, self._rest = self._rest[0], self._rest[1:]
        control = function | 0x80 | (0x20 if self._rest else 0)
        return bytes((control,)) + asked[:size] + piece + asked[size:]

    def _told(self) -> dict[Di, bytes]:
        """Return the bytes of every item it has, the clock included."""
        told: dict[Di, bytes] = {}
        for item, value in self._carried.items().items():
            di = di_of(item)
            number = int(value) << RELAY_BIT if item == RELAY else value
            told[di] = _encode(di, number)
        for number, text in ((DATE, f"{CLOCK:%y%m%d}00"), (TIME, f"{CLOCK:%H%M%S}")):
            told[Di(number, wire.Edition.Y2007)] = bytes.fromhex(text)[::-1]
        return told

    def _block(self, block: Di, values: Mapping[Di, bytes]) -> list[bytes]:
        """Return the items of a block: an energy with all tariffs, of phases as many as the meter has."""
        if not self._blocks or ALL not in block.number.to_bytes(4, "big"):
            return []
        places = {place.at: (place, data) for di, data in values.items() if (place := _place(di, block))}
        if not places:
            return []
        place, sample = next(iter(places.values()))
        energy = block.number >> 24 == 0
        count = place.items if energy else max(places) + 1
        return [places[at][1] if at in places else bytes(len(sample)) for at in range(count)]

    def _relay(self, request: bytes) -> bytes:
        try:
            order = decode_relay_order(Frame("", request[0], request[1:]))
        except FrameError:
            return self.refuse(request, OTHER)
        due = order.expires.iso()
        has_relay = Di(RELAY_WORD, wire.Edition.Y2007) in self._told()
        if bytes((order.level,)) + order.password != PASSWORD:
            return self.refuse(request, NOT_ALLOWED)
        if due is None or due < CLOCK.isoformat() or order.relay not in _CODES or not has_relay:
            return self.refuse(request, OTHER)
        code = _OPEN_AFTER.get(_CODES[order.relay])
        if code is not None:
            self._carried.write(RELAY, code)
        return bytes((wire.RELAY | 0x80,))


def _place(di: Di, block: Di) -> Place | None:
    place = block_of(di.number) if di.edition is wire.Edition.Y2007 else None
    return place if place is not None and place.di == block.number else None


def _encode(di: Di, value: Value) -> bytes:
    """Return the bytes of an item; counters that are full begin again."""
    how = di.how
    assert how is not None
    try:
        return encode_value(how, value)
    except ValueError:
        return encode_value(
            how, float(value) % (100**how.size / 10**how.decimals / (10 if how.signed else 1))
        )


class _Stream:
    def __init__(self) -> None:
        self._cutter = Cutter(FRAMING)

    def feed(self, data: bytes) -> list[Asked]:
        return [_asked(frame) for frame in self._cutter.feed(data)]


class _Dialect:
    """Frames that carry an address of 12 digits, wake-up bytes before them."""

    noise_reaches = True

    def open(self, frame: bytes) -> Asked | None:
        found = _Stream().feed(frame)
        return found[0] if found else None

    def stream(self) -> Stream:
        return _Stream()

    def meant(self, asked: Asked, units: Mapping[Address, Unit]) -> tuple[Sequence[Unit], bool]:
        if asked.address == BROADCAST:
            return tuple(units.values()), False
        address = str(asked.address)
        return [u for u in units.values() if matches(Frame(_real(u), 0), address)], True

    def nobody(self, asked: Asked) -> bytes | None:  # noqa: ARG002  silence
        return None

    def wrap(self, asked: Asked, unit: Unit, reply: bytes) -> bytes:  # noqa: ARG002  a meter names itself
        address, data = _real(unit), reply[1:]
        if reply[0] == wire.ADDRESS | 0x80:
            data = bytes.fromhex(address)[::-1]
        return encode_frame(Frame(address, reply[0], data), WAKE_UP)

    def twin(self, frame: bytes, chance: random.Random) -> bytes:
        own = decode_frame(frame)
        data = bytearray(own.data)
        for i in range(4, len(data)):
            data[i] = data[i] & 0xF0 | chance.randrange(10)
        return encode_frame(Frame(own.address, own.control, bytes(data)), WAKE_UP)


def _asked(frame: Frame) -> Asked:
    return Asked(frame.address, bytes((frame.control,)) + frame.data)


def _real(unit: Unit) -> str:
    """Return the address of a played meter; one that the site knows by a wildcard has zeros there."""
    return str(unit.address).replace("AA", "00")


DIALECT: Final = _Dialect()
