"""What a played device keeps of its points, as the protocol of its line asks for it. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from drivers.registers import PointType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.profile import Point
    from gateway.model import Value


class Memory(Protocol):
    """The inside of a device of one protocol: registers, or the items of its messages."""

    def update(self, values: Mapping[str, Value]) -> None:
        """Take the values of points; what was written stands. Raises PersonaError for one without a place."""
        ...

    def forget(self, name: str) -> None:
        """Let a point that was written follow the persona again."""
        ...

    def holds(self, name: str) -> Value | None:
        """Return what was written to a point; None when nothing was, or nothing that it can mean."""
        ...

    def answer(self, request: bytes) -> bytes | None:
        """Return the answer to a request (both without frame), a refusal included; None: silence."""
        ...

    def refuse(self, request: bytes, code: int) -> bytes | None:
        """Return a refusal of the request; None where the protocol knows none."""
        ...

    def is_write(self, request: bytes) -> bool:
        """Tell whether a request wants to change something."""
        ...

    def is_refusal(self, reply: bytes) -> bool:
        """Tell whether an answer refuses."""
        ...


class Speech(Protocol):
    """What a device says without being asked. `now` is monotonic seconds, `t` persona time."""

    def next_word(self) -> float | None:
        """Return when it speaks next; None: not before something happens."""
        ...

    def speak(self, now: float, t: float) -> bytes:
        """Return what it says now, frames included; empty: nothing is due."""
        ...


class Voice(Memory, Speech, Protocol):
    """A device that speaks by itself: its inside is its voice too."""


def still(point: Point) -> Value:
    """Return what a point shows that nobody plays: nothing, or as little as is believable."""
    if point.enum is not None:
        return next(iter(point.enum.values()))
    if point.type is PointType.STRING:
        return ""
    if point.type is PointType.BOOL or point.is_bit:
        return False
    if point.range is None or point.scale_from is not None:
        return 0
    return min(max(0.0, point.range[0]), point.range[1])
