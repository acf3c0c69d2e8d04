"""What a protocol brings: how its lines and devices are made. The `protocol.py` of its package says it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from drivers.budget import Request
    from drivers.conversation import Conversation, Listeners
    from drivers.family import Family
    from drivers.line import AnyLine
    from drivers.line.settings import LineSettings
    from drivers.profile import Profile
    from gateway.model import Quality, Value


class Device(Protocol):
    """One device on a line: reads and writes points by name, in engineering units."""

    @property
    def name(self) -> str:
        """The device's name in the site."""
        ...

    async def read(self, points: tuple[str, ...]) -> tuple[dict[str, Value], dict[str, Quality]]:
        """Return the good values, and why the others are bad; together they are `points`.

        Raises NoAnswer when nothing at all answered, Held (a NoAnswer) when the unit may not be asked yet,
        BadAnswer when only broken bytes came, LineDown. A refused or missing block is bad quality.
        """
        ...

    async def write(self, point: str, value: Value) -> Value:
        """Write one point and return what the device says it holds afterwards.

        Raises Refused, NoAnswer, BadAnswer, LineDown, and ValueError for a point that may not be written
        or a value outside what the profile allows.
        """
        ...


@runtime_checkable
class Locked(Protocol):
    """A device that takes orders only with a password."""

    def unlock(self, password: str) -> None:
        """Take the password. Raises ValueError, which does not repeat it, when it is none."""
        ...


Address = int | str


@dataclass(frozen=True, slots=True)
class Entry:
    """How the two halves of one protocol are made, and which profiles it serves."""

    family: Family
    line: Callable[[LineSettings], AnyLine]
    device: Callable[[str, Profile, Address, AnyLine], Device]  # name, profile, address, line
    address: Callable[[Address], Address]  # its form on the line; raises ValueError that says what is right
    requests: Callable[[Profile, Sequence[str], LineSettings], tuple[Request, ...]]  # to read these points
    settings: Mapping[str, Any] = field(default_factory=dict)  # of a line, where a site says nothing
    overlap: Callable[[Address, Address], bool] | None = None  # could one device answer to both
    password: bool = False  # its devices are `Locked`
    talk: Callable[[Listeners], Conversation] | None = None  # of a line whose devices speak by themselves
    unfit: Callable[[Profile], str] = lambda _: ""  # why such a line cannot serve a profile of its family

    @property
    def hears(self) -> bool:
        """True when its devices speak by themselves: they are listened to, not polled."""
        return self.talk is not None
