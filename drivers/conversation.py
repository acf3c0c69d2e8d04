"""Conversations with devices that speak by themselves: what goes in, what comes out. Pure, time comes in.

A conversation is one end of one serial port or one connection. It never opens, waits or sleeps: bytes and
`now` go in, what was told comes out, `to_send` says what is to be written, `next_deadline` when `tick` is
due.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  the fields of dataclasses
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from drivers.errors import DriverError
    from gateway.model import Instant, Value

Who = int | str
"""The canonical address of a device, as it stands in the site: a number, or a board's digits."""
Raw = float | int | bool | str | None
"""What a message says of one item; None is "no value", said by the device itself."""


@dataclass(frozen=True, slots=True)
class Listeners:
    """Whom the site wants to hear on this line, and how often each is expected to speak, in seconds."""

    every: Mapping[Who, float]
    zone: tzinfo = UTC  # what boards take the time of day from
    ask: Mapping[Who, float] = field(
        default_factory=dict
    )  # who may be asked between their words, and how often

    def __contains__(self, who: object) -> bool:
        return who in self.every


@dataclass(frozen=True, slots=True)
class Told:
    """What one device said of itself. No items: it only showed that it is there."""

    who: Who | None  # None: it holds for every device of the line
    items: Mapping[str, Raw] = field(default_factory=dict)


class Done(NamedTuple):
    """An order has come to its end: with what the device holds now, or with the reason why not."""

    ticket: int
    held: Value | None
    error: DriverError | None = None


class Heard(NamedTuple):
    """What came of some bytes, or of some time."""

    told: tuple[Told, ...] = ()
    done: tuple[Done, ...] = ()


NOTHING = Heard()


class Conversation(Protocol):
    """One end of one port or connection."""

    @property
    def noise(self) -> int:
        """Bytes that belonged to no frame, since the beginning."""
        ...

    @property
    def frames(self) -> int:
        """Whole frames, since the beginning."""
        ...

    def receive(self, data: bytes, now: Instant) -> Heard:
        """Take in bytes as they come, cut anywhere."""
        ...

    def tick(self, now: Instant) -> Heard:
        """Let time pass."""
        ...

    def next_deadline(self) -> float | None:
        """Return the monotonic second at which to call `tick` and `to_send`; None: not before bytes."""
        ...

    def to_send(self, now: float) -> bytes:
        """Return what is to be written now; nothing while the protocol wants a pause."""
        ...

    def order(self, ticket: int, who: Who, item: str, value: Value, now: float) -> None:
        """Begin to bring `item` to `value`; how it ended comes as a `Done`.

        Raises ValueError for what cannot be.
        """
        ...


class Silent:
    """The half of a conversation that never says anything: base of those that only listen."""

    def tick(self, now: Instant) -> Heard:
        """Nothing waits for time."""
        del now
        return NOTHING

    def next_deadline(self) -> float | None:
        """Nothing waits for time."""
        return None

    def to_send(self, now: float) -> bytes:
        """Never speak."""
        del now
        return b""

    def order(self, ticket: int, who: Who, item: str, value: Value, now: float) -> None:
        """Refuse: nobody here takes orders."""
        del ticket, value, now
        raise ValueError(f"{who} only speaks; nothing can be written to {item}")


def every_of(listeners: Listeners, otherwise: float = 1.0) -> float:
    """Return the shortest period anybody on the line is expected at."""
    return min(listeners.every.values(), default=otherwise)


def heard(told: Iterable[Told], done: Iterable[Done] = ()) -> Heard:
    """Make a `Heard` of lists."""
    return Heard(tuple(told), tuple(done))
