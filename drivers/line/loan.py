"""A line's port, lent for a while: raw bytes out, whatever comes in, other rates if need be.

Who has the loan has the line's turn: nobody else speaks. The owner stays the owner; at the end the port is
set back to what the site says.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from drivers.errors import LineDown
from drivers.survey.frames import whole
from drivers.survey.talk import Heard, Setting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drivers.line.port import Port
    from drivers.line.wire import Wire
    from drivers.survey.talk import Shot

GRACE: Final = 0.06  # seconds: within one answer bytes never pause so long (USB adapters hold back 16 ms)
LONGEST: Final = 2.0  # seconds that one shot may be heard for: somebody may babble
MOST: Final = 4096  # bytes kept of one shot
MOST_LISTENED: Final = 1 << 20  # bytes kept of listening


class Loan:
    """What the borrower holds. Good until `TurnLine.lend` takes it back."""

    def __init__(self, wire: Wire, port: Port, own: Setting) -> None:  # type: ignore[type-arg]  # of any dialect
        self._loop = asyncio.get_running_loop()
        self._wire = wire
        self._port = port
        self._own = own
        self._setting = own
        self._data = bytearray()
        self._most = MOST
        self._first = 0.0
        self._came = asyncio.Event()
        self._failure: LineDown | None = None

    def on_bytes(self, data: bytes, now: float) -> None:
        """Take in what came; called by the wire."""
        if not self._data:
            self._first = now
        self._data += data[: self._most - len(self._data)]
        self._came.set()

    def fail(self, reason: str) -> None:
        """Learn that the port is gone."""
        self._failure = LineDown(reason)
        self._came.set()

    async def ask(self, setting: Setting, shots: Sequence[Shot]) -> list[Heard]:
        """Send the shots one after the other (see `survey.talk.Bench`). Raises LineDown, ValueError."""
        self.tune(setting)
        return [await self._shoot(shot) for shot in shots]

    async def listen(self, setting: Setting, seconds: float) -> bytes:
        """Say nothing for so long; return what was heard, a mebibyte at most. Raises LineDown, ValueError."""
        self.tune(setting)
        self._begin(MOST_LISTENED)
        until = self._loop.time() + seconds
        while self._loop.time() < until:
            await self._more(until)
        return bytes(self._data)

    def tune(self, setting: Setting) -> None:
        """Set the port to talk so. Raises ValueError where it cannot, LineDown."""
        if setting != self._setting:
            self._port.tune(setting.baud, setting.parity, setting.stop)
            self._setting = setting

    def give_back(self) -> None:
        """Set the port as the site has it."""
        if self._port.is_open:
            self.tune(self._own)

    async def _shoot(self, shot: Shot) -> Heard:
        pause = self._wire.quiet_since + self._setting.silence - self._loop.time()
        while pause > 0:
            await asyncio.sleep(pause)
            pause = self._wire.quiet_since + self._setting.silence - self._loop.time()
        self._begin(MOST)
        if self._failure is not None:
            raise self._failure
        end = self._wire.say(shot.frame, self._setting.character)
        until = min(end + shot.patience, end + LONGEST)
        echoed = 0
        while self._loop.time() < until and len(self._data) <= echoed:
            await self._more(until)
            if self._data and shot.frame.startswith(bytes(self._data[: len(shot.frame)])):
                echoed = min(len(self._data), len(shot.frame))  # so far it is only our own voice
        if len(self._data) <= echoed:
            return Heard(bytes(self._data))
        wait = max(self._first - end, 0.0)
        await self._to_the_end(shot, echoed, end + LONGEST)
        return Heard(bytes(self._data), round(wait, 4))

    async def _to_the_end(self, shot: Shot, echoed: int, longest: float) -> None:
        """Go on hearing until the answer is whole, or nothing more comes."""
        while (now := self._loop.time()) < longest:
            done = whole(shot.tongue, bytes(self._data[echoed:]))
            if done and not shot.linger:
                return
            until = min(now + (shot.linger if done else GRACE), longest)
            before = len(self._data)
            while len(self._data) == before and self._loop.time() < until:
                await self._more(until)
            if len(self._data) == before:
                return

    def _begin(self, most: int) -> None:
        self._data.clear()
        self._most = most
        self._came.clear()
        if self._failure is not None:
            raise self._failure

    async def _more(self, until: float) -> None:
        """Wait until more has come, or the time is over. Raises LineDown."""
        try:
            async with asyncio.timeout_at(until):
                await self._came.wait()
        except TimeoutError:
            pass
        self._came.clear()
        if self._failure is not None:
            raise self._failure
