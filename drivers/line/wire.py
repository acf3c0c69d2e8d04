"""One request at a time on a half-duplex wire: silence before it, whole frames after it.

Driven by callbacks, not by a task: the write happens in the very wake-up of the alarm that ends the
silence, and the answer is judged in the wake-up of its last bytes.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Generic

from drivers.errors import BadAnswer, LineDown, NoAnswer
from drivers.line.alarm import Alarm
from drivers.line.deadline import Deadline
from drivers.line.dialect import Q
from drivers.line.timing import FAST, character

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.errors import DriverError
    from drivers.line.dialect import Framing, UnitId
    from drivers.line.port import Port
    from drivers.line.settings import LineSettings
    from drivers.line.stats import LineStats

    Hook = Callable[[str, bytes, float], None]
    Judge = Callable[[UnitId, bytes], bytes | DriverError | None]

WORTH_RESTING: Final = 0.0007  # seconds of bytes still to come for which the reader is put to sleep
EARLY: Final = 0.0002  # it is woken this long before the last of them, so that resting costs no time
AHEAD: Final = 0.0001  # on fast wires: woken so much before the silence is over, then watching the clock
MOST_BUFFERED: Final = 1024  # idle chatter kept; more is noise
SLACK: Final = 1.1  # devices with coarse clocks send a little slower than their rate


class Wire(Generic[Q]):
    """The wire of one line. `judge` is asked about every frame that is not plainly the answer."""

    def __init__(self, settings: LineSettings, framing: Framing[Q], stats: LineStats, judge: Judge) -> None:
        self._loop = asyncio.get_running_loop()
        self._settings = settings
        self._framing = framing
        self._stats = stats
        self._judge = judge
        self._alarm = Alarm(self._loop)
        self._allowance = character(settings)  # also behind a converter bytes take their time
        self._character = self._allowance if settings.serial else 0.0
        self._silence = framing.silence(settings)
        self._serial = settings.serial is not None
        self._ahead = AHEAD if settings.baud > FAST else 0.0
        self._port: Port | None = None
        self._buffer = bytearray()
        self._query: Q | None = None
        self._answer: asyncio.Future[bytes] | None = None
        self._echo = b""
        self._heard = 0  # bytes since the request
        self._garbage = b""
        self._quiet_since = 0.0  # the last byte in either direction
        self._earliest = 0.0  # a given-up answer may be under way until then
        self._asked_at = 0.0
        self._deadline = 0.0
        self._patience = Deadline(self._loop, self._expire)
        self.sent = False  # the present request has been put on the wire
        self.spoke_until = 0.0  # when the present request's last byte is out
        self.hook: Hook | None = None
        self.tap: Callable[[bytes, float], None] | None = None  # who borrows the line hears all, and alone

    @property
    def quiet_since(self) -> float:
        """When the last byte in either direction was out."""
        return self._quiet_since

    def plug(self, port: Port) -> None:
        """Say which port to write to."""
        self._port = port

    async def ask(self, query: Q) -> bytes:
        """Send the request when the wire has been silent long enough; return what `judge` credits to it."""
        self._query = query
        self._answer = answer = self._loop.create_future()
        self.sent = False
        self._start()
        try:
            data: bytes = await answer
        except asyncio.CancelledError:
            if self.sent:  # do not talk into the answer that may be coming
                self._earliest = self._deadline
            raise
        finally:
            self._settle()
        return data

    def drain(self) -> None:
        """Sort out what came while nothing was asked."""
        if self._port is not None:
            self._port.poll()
        if self._buffer:
            self._cut(final=True)

    def say(self, frame: bytes, character: float) -> float:
        """Send raw bytes now, for who borrows the line; return when the last of them will be out."""
        now = self._loop.time()
        self._stats.bytes_out += len(frame)
        if self.hook is not None:
            self.hook(">>", frame, now)
        self.spoke_until = self._quiet_since = now + len(frame) * character
        if self._port is not None:
            self._port.write(frame)
        return self.spoke_until

    def fail(self, reason: str) -> None:
        """End the present request: the port is gone."""
        self._buffer.clear()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(LineDown(reason))

    def close(self) -> None:
        """Give back the timers."""
        self._alarm.close()
        self._patience.cancel()

    def on_bytes(self, data: bytes) -> None:
        """Take in what came."""
        now = self._loop.time()
        self._quiet_since = max(now, self.spoke_until)
        self._stats.bytes_in += len(data)
        if self.hook is not None:
            self.hook("<<", data, now)
        if self.tap is not None:
            self.tap(data, now)
            return
        self._buffer += data
        if not self.sent:
            del self._buffer[:-MOST_BUFFERED]
            return
        self._heard += len(data)
        if self._echo and not self._strip_echo():
            return
        if self._query is not None and self._answer is not None and not self._answer.done():
            self._look(self._query, now)

    def _start(self) -> None:
        """Send now if the wire has been silent long enough, else come back when it will have been."""
        query = self._query
        if query is None or self._answer is None or self._answer.done() or self._port is None:
            return
        ready = max(self._quiet_since + self._silence, self._earliest)
        while (now := self._loop.time()) < ready:
            if ready - now > self._ahead:
                self._alarm.at(ready - self._ahead, self._start)
                return
        if self._serial:
            self._port.poll()  # bytes that came in this very moment count too
            if self._answer.done():  # the port was lost
                return
            if self._quiet_since + self._silence > now:
                self._alarm.at(self._quiet_since + self._silence, self._start)
                return
        if self._buffer:
            self._cut(final=True)
        frame = self._framing.request(query)
        self.sent = True
        self._heard = 0
        self._garbage = b""
        self._echo = frame if self._settings.echo else b""
        self._asked_at = now
        self.spoke_until = self._quiet_since = now + len(frame) * self._character
        coming = (len(frame) + self._framing.length(query)) * self._allowance * SLACK
        self._deadline = now + self._settings.timeout + coming
        self._patience.set(self._deadline)
        self._stats.bytes_out += len(frame)
        if self.hook is not None:
            self.hook(">>", frame, now)
        self._port.write(frame)

    def _look(self, query: Q, now: float) -> None:
        missing = self._framing.missing(self._buffer, query)
        if missing > 0:
            self._rest(now, missing)
            return
        pdu = self._framing.answer(self._buffer, query)
        if pdu is not None:
            self._buffer.clear()
            self._credit(pdu[1:])
            return
        self._cut(final=False)
        if self._serial and self._heard >= self._framing.length(query):
            # a whole answer's worth of bytes has come, and it is none
            self._patience.set(min(self._deadline, now + self._framing.grace))

    def _rest(self, now: float, missing: int) -> None:
        """Sleep until the missing bytes are due instead of waking for each of them.

        An answer whose head says that it is longer than foretold gets the time it needs.
        """
        whole = now + missing * self._allowance * SLACK
        if whole > self._deadline:
            self._deadline = whole
            self._patience.set(whole)
        due = missing * self._character - max(EARLY, self._character)
        if self._serial and self._port is not None and due > WORTH_RESTING:
            self._port.rest()
            self._alarm.at(now + due, self._wake)

    def _wake(self) -> None:
        if self._port is not None:
            self._port.resume()
            self._port.poll()

    def _cut(self, *, final: bool) -> None:
        unit = self._query.unit if self._query is not None else None
        frames, garbage = self._framing.cut(self._buffer, unit, final=final)
        if garbage:
            self._stats.crc_errors += not (self.sent and self._garbage)  # once per request
            self._garbage += garbage[: MOST_BUFFERED - len(self._garbage)]
        for sender, pdu in frames:
            verdict = self._judge(sender, pdu)
            if self._answer is None or self._answer.done() or not self.sent:
                continue
            if isinstance(verdict, bytes):
                self._credit(verdict)
            elif verdict is not None:
                self._answer.set_exception(verdict)

    def _credit(self, data: bytes) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(data)

    def _expire(self) -> None:
        """Give up the request, unless what came meanwhile is its answer."""
        query = self._query
        if not self.sent or query is None or self._answer is None or self._answer.done():
            return
        self._wake()
        if not self._answer.done() and self._buffer:
            self._cut(final=True)
        if self._answer.done():
            return
        if self._garbage:
            came = self._garbage.hex(" ")
            self._answer.set_exception(BadAnswer(f"{query}: no whole answer in {came}"))
        elif self._patience.due < self._deadline:  # whole frames, but not ours: go on waiting
            self._patience.set(self._deadline)
        else:
            wait = self._settings.timeout
            self._answer.set_exception(NoAnswer(f"{self._query}: no answer within {wait:g} s"))

    def _settle(self) -> None:
        """End the request, however it went."""
        self._alarm.cancel()
        if self.sent:
            self._stats.busy += self._loop.time() - self._asked_at + self._silence
        if self._port is not None:
            self._port.resume()
        self._query = self._answer = None
        self._echo = b""

    def _strip_echo(self) -> bool:
        """Take our own request off the front; False while it is still coming back."""
        echo, buffer = self._echo, self._buffer
        if len(buffer) < len(echo) and echo.startswith(buffer):
            return False
        if buffer.startswith(echo):
            del buffer[: len(echo)]
            self._heard -= len(echo)
        self._echo = b""
        return bool(buffer)
