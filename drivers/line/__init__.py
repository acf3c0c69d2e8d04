"""Lines: one owner per serial port or TCP endpoint. Here is what the rest of the house sees of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.line.dialect import UnitId
    from drivers.line.settings import LineSettings
    from drivers.line.stats import LineStats


Q_contra = TypeVar("Q_contra", contravariant=True)


class Line(Protocol[Q_contra]):
    """One owner of one port. Every request of every device behind it goes through `exchange`.

    Opening: `open` tries once. While the line is down `exchange` raises LineDown at once, and by itself
    tries to open it again when the pause (0.5 s growing to 5 s) is over; `ready` waits until it is open.
    """

    @property
    def settings(self) -> LineSettings:
        """What the site says about this line."""
        ...

    @property
    def stats(self) -> LineStats:
        """Counters since the line was made."""
        ...

    @property
    def is_open(self) -> bool:
        """True while bytes can be sent. A listening line is open while a unit is connected."""
        ...

    async def open(self) -> None:
        """Open the port now. Raise LineDown when it will not open (it is tried again later)."""
        ...

    async def ready(self) -> None:
        """Return as soon as the line is open; try to open it with growing pauses until then."""
        ...

    async def close(self) -> None:
        """Give the port back. Exchanges under way end with LineDown."""
        ...

    def held_until(self, unit: UnitId) -> float:
        """Return the monotonic time before which `exchange` would raise Held for this unit, or 0."""
        ...

    async def exchange(self, query: Q_contra) -> bytes:
        """Send the request, return the data of its answer: its PDU without the first byte.

        May be called by several tasks; they take turns in order of call. Raises NoAnswer, Held (a NoAnswer,
        at once, without sending), BadAnswer, Refused, LineDown. May be cancelled at any moment.
        """
        ...

    def listen(self, hook: Callable[[str, bytes, float], None] | None) -> None:
        """Show every frame to `hook` (">>" or "<<", bytes, monotonic seconds); None ends it."""
        ...


AnyLine = Line[Any]
