"""A line on which devices speak by themselves: a stream, a printer port, boards that dial in, many at once.

Each port or connection has a conversation of its own (`drivers.conversation`), which decides everything;
here bytes and time are carried to and fro. What was told waits, bounded, until `hear` fetches it.

On `listen` many are connected at a time. A board that dials in again replaces its older connection; who has
not said its name within a minute, or was silent for three of its periods, is hung up on: its slot is
wanted.
"""

from __future__ import annotations

import asyncio
from collections import deque
from math import inf
from typing import TYPE_CHECKING, Any, Final

from drivers.conversation import Listeners
from drivers.errors import LineDown, NoAnswer
from drivers.line.door import Door
from drivers.line.listener import Listener
from drivers.line.port import GivenPort, make_port
from drivers.line.stats import LineStats
from drivers.line.strangers import Strangers
from drivers.line.voices import Voice, Voices

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from drivers.conversation import Conversation, Done, Heard, Told, Who
    from drivers.line.settings import LineSettings
    from gateway.model import Instant, Value

BITE: Final = 0.05  # seconds between two reads of one port: a stream costs 20 wake-ups a second, not 200
MOST_VOICES: Final = 128
MOST_TOLD: Final = 4096
SWEEP: Final = 10.0  # seconds between two looks for idle connections


class HearingLine:
    """One owner of one port on which others speak: `expect` first, then `open`, then `hear` for ever."""

    def __init__(self, settings: LineSettings, make: Callable[[Listeners], Conversation]) -> None:
        self.settings = settings
        self.stats = LineStats()
        self.strangers = Strangers()
        self.dropped = 0  # words that nobody fetched in time
        self._make = make
        self._loop = asyncio.get_running_loop()
        self._listeners = Listeners({})
        self._now: Callable[[], Instant] | None = None
        self._voices = Voices()
        self._told: deque[Told] = deque()
        self._bell = asyncio.Event()
        self._orders: dict[int, tuple[Voice, asyncio.Future[Value]]] = {}
        self._ticket = 0
        self._timer: asyncio.TimerHandle | None = None
        self._swept = 0.0
        self._hook: Callable[[str, bytes, float], None] | None = None
        self._reason = f"{settings.address}: not opened yet"
        self._own: Voice | None = None
        if settings.listen is not None:
            self._listener: Listener | None = Listener(settings.listen, settings.peers, self._take)
            self._door: Door[Any] = Door(self._listener, self.stats)
        else:
            self._listener = None
            self._own = Voice(self, make(self._listeners))
            self._own.port = make_port(settings, self._own)
            self._door = Door(self._own.port, self.stats)

    def expect(self, listeners: Listeners, now: Callable[[], Instant]) -> None:
        """Say whom the site wants to hear, and what tells the time. Before `open`."""
        self._listeners, self._now = listeners, now

    # The face that every line has.

    @property
    def is_open(self) -> bool:
        """True while somebody can be heard; a listening line is open when it listens, connected or not."""
        return bool(self._door.port.is_open)

    @property
    def connections(self) -> int:
        """How many are connected now."""
        return len(self._voices)

    @property
    def bound(self) -> tuple[str, int]:
        """Where it really listens, if it does."""
        return self._listener.bound if self._listener else ("", 0)

    async def open(self) -> None:
        """Open the port now. Raises LineDown."""
        await self._door.open()
        self._rearm()

    async def ready(self) -> None:
        """Return as soon as the port is open."""
        await self._door.ready()
        self._rearm()

    async def close(self) -> None:
        """Give everything back."""
        self._door.close()
        for voice in self._voices:
            self._hang_up(voice, f"{self.settings.address}: the line was closed")
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._bell.set()

    def held_until(self, unit: int | str) -> float:
        """Return 0: nobody is asked here."""
        del unit
        return 0.0

    async def exchange(self, query: object) -> bytes:
        """Refuse: nobody is asked here. Raises NoAnswer."""
        raise NoAnswer(f"{self.settings.address}: devices here speak by themselves; {query} was not sent")

    def listen(self, hook: Callable[[str, bytes, float], None] | None) -> None:
        """Show all bytes to `hook`."""
        self._hook = hook

    # What is heard, and what is to be done.

    async def hear(self, seconds: float) -> list[Told]:
        """Return what was told since the last call; wait at most so long.

        Raises LineDown when the port is gone.
        """
        if not self._told and self.is_open:
            self._bell.clear()
            try:
                async with asyncio.timeout(None if seconds == inf else seconds):
                    await self._bell.wait()
            except TimeoutError:
                pass
        told = list(self._told)
        self._told.clear()
        if not told and not self.is_open:
            raise LineDown(self._reason)
        return told

    async def order(self, who: Who, item: str, value: Value) -> Value:
        """Bring an item of a device to a value; return what it holds then.

        Raises NoAnswer when it is not connected or does not answer, Refused, ValueError for what cannot be.
        """
        voice = self._voices.of(who)
        if voice is None or voice.port is None or not voice.port.is_open:
            raise NoAnswer(f"{who} is not connected to {self.settings.address}; nothing was sent")
        self._ticket += 1
        ticket = self._ticket
        answer: asyncio.Future[Value] = self._loop.create_future()
        voice.conversation.order(ticket, who, item, value, self._loop.time())
        self._orders[ticket] = voice, answer
        self._flush(voice)
        self._rearm()
        try:
            return await answer
        finally:
            self._orders.pop(ticket, None)

    # What ports say.

    def on_bytes(self, voice: Voice, data: bytes) -> None:
        """Let a conversation have them, and leave its port alone for a moment: more are on their way."""
        port, now = voice.port, self._instant()
        if self._hook is not None:
            self._hook("<<", data, now.mono)
        self.stats.bytes_in += len(data)
        voice.last = now.mono
        self._take_in(voice, voice.conversation.receive(data, now))
        if port is not None and port.is_open:
            port.rest()
            self._loop.call_later(BITE, port.resume)
            self._flush(voice)
        self._rearm()

    def on_open(self, voice: Voice) -> None:
        """Begin a conversation: what an earlier connection left half said is void."""
        voice.conversation = self._make(self._listeners)
        voice.noise = voice.frames = 0
        voice.last = self._loop.time()
        self._voices.add(voice)
        if voice is self._own:
            self._door.opened()

    def on_lost(self, voice: Voice, reason: str) -> None:
        """Forget a connection; the line itself is lost with its only port."""
        self._voices.remove(voice)
        self._reason = reason
        for _, answer in [entry for entry in self._orders.values() if entry[0] is voice]:
            if not answer.done():
                answer.set_exception(NoAnswer(reason))
        if voice is self._own:
            self._door.lost(reason)
            self._bell.set()

    def _take(self, sock: socket.socket, peer: str) -> None:
        """Let somebody in who has dialled."""
        if len(self._voices) >= MOST_VOICES:
            nameless = self._voices.nameless()
            if nameless is None:
                sock.close()
                return
            self._hang_up(nameless, "hung up: too many are connected, and this one has not said its name")
        voice = Voice(self, self._make(self._listeners))
        port = GivenPort(sock, peer, voice)
        voice.port = port
        port.take()
        self._rearm()

    def _hang_up(self, voice: Voice, reason: str) -> None:
        if voice.port is not None:
            voice.port.close()
        self.on_lost(voice, reason)

    # Carrying to and fro.

    def _take_in(self, voice: Voice, heard: Heard) -> None:
        conversation, stats = voice.conversation, self.stats
        stats.crc_errors += conversation.noise - voice.noise
        stats.replies += conversation.frames - voice.frames
        voice.noise, voice.frames = conversation.noise, conversation.frames
        for told in heard.told:
            self._note(voice, told)
        for done in heard.done:
            self._settle(done)

    def _note(self, voice: Voice, told: Told) -> None:
        if told.who is not None:
            if told.who not in self._listeners:
                self.stats.foreign += 1
                self.strangers.note(told.who, voice.where, voice.last)
                self._bell.set()
                return
            before = self._voices.name(voice, told.who)
            if before is not None and before is not self._own:
                self._hang_up(before, f"{told.who} has dialled in anew")
            unit = self.stats.unit(told.who)
            unit.replies += 1
            unit.last_reply = voice.last
        if len(self._told) >= MOST_TOLD:
            self._told.popleft()
            self.dropped += 1
        self._told.append(told)
        self._bell.set()

    def _settle(self, done: Done) -> None:
        entry = self._orders.get(done.ticket)
        if entry is None or entry[1].done():
            return
        if done.error is not None:
            entry[1].set_exception(done.error)
        elif done.held is not None:
            entry[1].set_result(done.held)

    def _flush(self, voice: Voice) -> None:
        port = voice.port
        while port is not None and port.is_open and (data := voice.conversation.to_send(self._loop.time())):
            if self._hook is not None:
                self._hook(">>", data, self._loop.time())
            self.stats.bytes_out += len(data)
            port.write(data)

    def _rearm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        due = self._voices.next_deadline()
        at = inf if due is None else due
        if self._listener is not None and self._voices:
            at = min(at, self._swept + SWEEP)
        self._timer = self._loop.call_at(max(at, self._loop.time()), self._due) if at < inf else None

    def _due(self) -> None:
        self._timer = None
        now = self._instant()
        for voice in self._voices:
            when = voice.conversation.next_deadline()
            if when is not None and when <= now.mono:
                self._take_in(voice, voice.conversation.tick(now))
                self._flush(voice)
        if self._listener is not None and now.mono >= self._swept + SWEEP:
            self._swept = now.mono
            self.sweep(now.mono)
        self._rearm()

    def sweep(self, now: float) -> None:
        """Hang up on who has nothing to say."""
        for voice in self._voices.idle(now, self._listeners.every):
            self._hang_up(voice, f"hung up after {now - voice.last:.0f} s of silence")

    def _instant(self) -> Instant:
        if self._now is None:
            raise RuntimeError("nobody has said who is expected on this line")  # a bug of the caller
        return self._now()
