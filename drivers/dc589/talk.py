"""The platform's end of a DC589 conversation: a board registers, beats, reports faults and ends. Pure.

Answered are the board's own words: A0 with A1 and the time, A4 with A5, B4 with B5, BB with BC, C0 with C1,
A8 with A9. A board that is not in the site file is told nothing, so it stays free for whoever owns it.
Cards (B6, D0) are the payment platform's: not answered. A beat that does not say how the ports are is
followed by a B0, which only asks. (Vendor's protocol V5.8.9; words and codes by `drivers.dc589.fields`.)

To `port.N.charging` False may be written: B9, then B2 reads back what became of it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from drivers.conversation import NOTHING, Done, Heard, Raw, Told
from drivers.dc589 import items
from drivers.dc589.fields import FIELDS, decode_fields, encode_fields
from drivers.dc589.frame import Dc589Error, Frame, cutter, encode_frame
from drivers.dc589.ports import decode_status
from drivers.errors import NoAnswer, Refused
from drivers.stamp import NO_STAMP, Stamp, stamp_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.conversation import Listeners, Who
    from gateway.model import Instant, Value

PAUSE: Final = 0.015  # seconds between two frames
PATIENCE: Final = 3.0  # seconds for the answer to one request of an order
_NO_PORT: Final = 0xFF
_STOPPED: Final = frozenset({0x10, 10})  # the table says 10 without a base, the example 0x10
_IDLE: Final = 1
_REFUSALS: Final = {0: "the board has no such port", 4: "the port is faulty"}


@dataclass(slots=True)
class _Stop:
    """An order to stop a port: first B9, then B2."""

    ticket: int
    port: int
    session: bytes
    until: float  # when the answer to the present request is overdue
    asked: bool = False  # B2 is on its way


class Talk:
    """One connection of one board, or a serial port with one board."""

    def __init__(self, listeners: Listeners) -> None:
        self._listeners = listeners
        self._cutter = cutter()
        self._who: str | None = None
        self._out: deque[bytes] = deque(maxlen=64)
        self._free_at = 0.0  # when the next frame may leave
        self._session = 0
        self._ask_at: float | None = None  # when the ports are asked for next, where the site wants it sooner
        self._stops: list[_Stop] = []
        self.frames = 0
        self.unfit = 0  # sound frames whose fields were none
        self.ignored = 0  # sound frames of commands that are not ours
        self._words: dict[int, Callable[[Frame, Instant], Heard]] = {
            0xA0: self._register,
            0xA4: self._beat,
            0xA8: self._ask_time,
            0xB1: self._all_ports,
            0xB3: self._one_port,
            0xB4: self._started,
            0xBA: self._stopped,
            0xBB: self._ended,
            0xC0: self._fault,
        }

    @property
    def noise(self) -> int:
        """Bytes that belonged to no frame."""
        return self._cutter.noise

    def receive(self, data: bytes, now: Instant) -> Heard:
        """Take in bytes; answer and tell what the whole frames among them say."""
        told: list[Told] = []
        done: list[Done] = []
        for frame in self._cutter.feed(data):
            self.frames += 1
            word = self._words.get(frame.command)
            if word is None:
                self.ignored += 1
                continue
            try:
                found = word(frame, now)
            except Dc589Error:
                self.unfit += 1
                continue
            told += found.told
            done += found.done
        self._cutter.refusals.clear()
        return Heard(tuple(told), tuple(done))

    def tick(self, now: Instant) -> Heard:
        """Give up orders whose answer is overdue; ask for the ports where they are wanted between beats."""
        if self._ask_at is not None and now.mono >= self._ask_at:
            self._ask_at = now.mono + self._listeners.ask[str(self._who)]
            self._say(0xB0, self._next_session(), mode=0)
        over = [stop for stop in self._stops if now.mono >= stop.until]
        self._stops = [stop for stop in self._stops if now.mono < stop.until]
        return Heard((), tuple(Done(stop.ticket, None, _overdue(stop)) for stop in over)) if over else NOTHING

    def next_deadline(self) -> float | None:
        """Return when a frame may leave or an order is overdue."""
        waits = [stop.until for stop in self._stops]
        if self._out:
            waits.append(self._free_at)
        if self._ask_at is not None:
            waits.append(self._ask_at)
        return min(waits, default=None)

    def to_send(self, now: float) -> bytes:
        """Return the next frame, 15 ms after the last."""
        if not self._out or now < self._free_at:
            return b""
        self._free_at = now + PAUSE
        return self._out.popleft()

    def order(self, ticket: int, who: Who, item: str, value: Value, now: float) -> None:
        """Stop a port. Raises ValueError for anything else: who starts a charge is the payment platform."""
        parts = item.split(".")
        if items.check_item(item) or parts[-1] != "charging":
            raise ValueError(f"{who}: {item} cannot be written")
        if value:
            raise ValueError(f"{who}: a charge is started by the payment platform, not from here")
        stop = _Stop(ticket, int(parts[1]), self._next_session(), now + PATIENCE)
        self._stops.append(stop)
        self._say(0xB9, stop.session, port=stop.port)

    # What the board says.

    def _register(self, frame: Frame, now: Instant) -> Heard:
        fields = decode_fields(FIELDS[0xA0], frame.data)
        self._who = fields["board"]
        if self._who in self._listeners.ask:
            self._ask_at = now.mono + self._listeners.ask[fields["board"]]
        told = Told(fields["board"], {**items.signal(fields), **items.port_count(fields["hardware"])})
        if self._known():
            self._say(0xA1, frame.session, result=0, time=self._time(now))
        return Heard((told,))

    def _beat(self, frame: Frame, now: Instant) -> Heard:
        fields = decode_fields(FIELDS[0xA4], frame.data)
        self._who = fields["board"]
        if self._ask_at is None and self._who in self._listeners.ask:
            self._ask_at = now.mono + self._listeners.ask[fields["board"]]
        status = decode_status(frame)
        if not self._known():
            return Heard((Told(fields["board"]),))
        self._say(0xA5, frame.session, result=1)
        carried = items.signal(fields)
        if status is None:  # a brief beat: ask
            self._say(0xB0, self._next_session(), mode=0)
        else:
            carried |= items.of_status(status)
        return Heard((Told(fields["board"], carried),))

    def _all_ports(self, frame: Frame, now: Instant) -> Heard:
        del now
        status = decode_status(frame)
        return self._tell({} if status is None else items.of_status(status))

    def _one_port(self, frame: Frame, now: Instant) -> Heard:
        del now
        fields = decode_fields(FIELDS[0xB3], frame.data)
        port, state = fields["port"], fields["state"]
        if state == _NO_PORT:
            answered = Refused(f"{self._who}: {_REFUSALS[0]}: {port}", 0)
            return Heard((), self._finish(frame, port, None, answered, asked=True))
        done = self._finish(frame, port, state == items.CHARGING, None, asked=True)
        return Heard(self._tell(items.of_port(fields)).told, done)

    def _started(self, frame: Frame, now: Instant) -> Heard:
        del now
        fields = decode_fields(FIELDS[0xB4], frame.data)
        if self._known():
            self._say(0xB5, frame.session, result=0, port=fields["port"])
        return self._tell(items.of_port(fields))

    def _stopped(self, frame: Frame, now: Instant) -> Heard:
        fields = decode_fields(FIELDS[0xBA], frame.data)
        port, result = fields["port"], fields["result"]
        if result not in _STOPPED and result != _IDLE:
            what = _REFUSALS.get(result, f"it answers {result:#04x}")
            refused = Refused(f"{self._who}: port {port} was not stopped: {what}", result)
            return Heard((), self._finish(frame, port, None, refused, asked=False))
        for stop in self._stops:
            if stop.port == port and not stop.asked and _answers(frame, stop):
                stop.asked, stop.until, stop.session = True, now.mono + PATIENCE, self._next_session()
                self._say(0xB2, stop.session, port=port)
        return NOTHING

    def _ended(self, frame: Frame, now: Instant) -> Heard:
        del now
        fields = decode_fields(FIELDS[0xBB], frame.data)
        if self._known():
            self._say(0xBC, frame.session, result=0, port=fields["port"])
        return self._tell(items.of_end(fields))

    def _fault(self, frame: Frame, now: Instant) -> Heard:
        del now
        fields = decode_fields(FIELDS[0xC0], frame.data)
        if self._known():
            self._say(0xC1, frame.session, result=0, port=fields["port"])
        return self._tell(items.of_fault(fields))

    def _ask_time(self, frame: Frame, now: Instant) -> Heard:
        if self._known() and now.synced:  # a wrong time is worse than none: the board has one
            self._say(0xA9, frame.session, time=self._time(now))
        return self._tell({})

    # Ours.

    def _known(self) -> bool:
        return self._who in self._listeners

    def _tell(self, carried: dict[str, Raw]) -> Heard:
        """Tell in the name of the board that registered here; nobody did: whose it is cannot be known."""
        if self._who is None:
            self.unfit += 1
            return NOTHING
        return Heard((Told(self._who, carried),))

    def _finish(
        self, frame: Frame, port: int, held: Value | None, error: Refused | None, *, asked: bool
    ) -> tuple[Done, ...]:
        over = [s for s in self._stops if s.port == port and s.asked is asked and _answers(frame, s)]
        self._stops = [stop for stop in self._stops if stop not in over]
        return tuple(Done(stop.ticket, held, error) for stop in over)

    def _say(self, command: int, session: bytes, **fields: Any) -> None:  # noqa: ANN401  fields of all kinds
        self._out.append(encode_frame(Frame(command, encode_fields(FIELDS[command], fields), session)))

    def _next_session(self) -> bytes:
        self._session = self._session % 0xFFFFFFFF + 1
        return self._session.to_bytes(6, "big")

    def _time(self, now: Instant) -> Stamp:
        try:
            return stamp_of(datetime.fromtimestamp(now.wall / 1e9, self._listeners.zone))
        except ValueError:  # a clock that was never set
            return NO_STAMP


def _answers(frame: Frame, stop: _Stop) -> bool:
    """Return whether this answers the order's request; boards that forget the session answer with zeros."""
    return frame.session in {stop.session, bytes(6)}


def _overdue(stop: _Stop) -> NoAnswer:
    what = "it was stopped, but did not say so when asked" if stop.asked else "no answer to the stop"
    return NoAnswer(f"port {stop.port}: {what} within {PATIENCE:g} s")
