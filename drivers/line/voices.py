"""Who is connected to a line on which devices speak by themselves, and who speaks over which connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from drivers.conversation import Conversation, Who
    from drivers.line.port import Port

NAMELESS: Final = 60.0  # seconds a connection may stay without saying whose it is
QUIET_LEAST: Final = 120.0  # seconds a board may be silent in any case before it is hung up on


class Ears(Protocol):
    """Who is told what happens at a connection."""

    def on_bytes(self, voice: Voice, data: bytes) -> None:
        """Bytes came."""
        ...

    def on_open(self, voice: Voice) -> None:
        """Learn that it can be written to now."""
        ...

    def on_lost(self, voice: Voice, reason: str) -> None:
        """Learn that it is gone; its descriptor is closed already."""
        ...


class Voice:
    """One port or connection, and the conversation over it."""

    def __init__(self, line: Ears, conversation: Conversation) -> None:
        self.conversation = conversation
        self.port: Port | None = None
        self.names: set[Who] = set()  # who has spoken here
        self.last = 0.0  # monotonic seconds of the last bytes
        self.noise = self.frames = 0  # as counted already
        self._line = line

    @property
    def where(self) -> str:
        """The address it comes from, for people."""
        return "" if self.port is None else self.port.address

    def on_bytes(self, data: bytes) -> None:
        """Pass them on."""
        self._line.on_bytes(self, data)

    def on_open(self) -> None:
        """Note that it can be written to."""
        self._line.on_open(self)

    def on_lost(self, reason: str) -> None:
        """Note that it is gone."""
        self._line.on_lost(self, reason)


class Voices:
    """The connections of one line, the oldest first."""

    def __init__(self) -> None:
        self._all: dict[Voice, None] = {}
        self._names: dict[Who, Voice] = {}

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Voice]:
        return iter(list(self._all))

    def add(self, voice: Voice) -> None:
        """Take in a connection."""
        self._all[voice] = None

    def remove(self, voice: Voice) -> None:
        """Forget a connection, and that anybody spoke there."""
        self._all.pop(voice, None)
        for name in voice.names:
            if self._names.get(name) is voice:
                del self._names[name]
        voice.names.clear()

    def of(self, who: Who) -> Voice | None:
        """Return where somebody speaks."""
        return self._names.get(who)

    def name(self, voice: Voice, who: Who) -> Voice | None:
        """Note who speaks here; return an older connection of his on which nobody is left."""
        before = self._names.get(who)
        if before is voice:
            return None
        self._names[who] = voice
        voice.names.add(who)
        if before is None:
            return None
        before.names.discard(who)
        return before if not before.names else None

    def nameless(self) -> Voice | None:
        """Return the connection that has been there longest without a name."""
        return next((voice for voice in self._all if not voice.names), None)

    def idle(self, now: float, every: Mapping[Who, float]) -> list[Voice]:
        """Return the idle connections: three periods without a word, or a minute without a name."""
        found = []
        for voice in self._all:
            longest = 3 * max((every[who] for who in voice.names), default=0.0)
            if now - voice.last > (max(QUIET_LEAST, longest) if voice.names else NAMELESS):
                found.append(voice)
        return found

    def next_deadline(self) -> float | None:
        """Return when the first of the conversations wants to be called."""
        due = [voice.conversation.next_deadline() for voice in self._all]
        return min((when for when in due if when is not None), default=None)
