"""What the rest of the gateway sees of a line's owner, whether it asks (`Poller`) or listens (`Hearer`)."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from drivers.entry import Device
    from gateway.liveness import DeviceHealth, LineHealth

T = TypeVar("T")


class Owner(Protocol):
    """The owner of one line: one task runs it, others may give commands and look."""

    name: str

    async def run(self) -> None:
        """Work until cancelled."""
        ...

    async def command(self, device: str, action: Callable[[Device], Awaitable[T]], expires: float = inf) -> T:
        """Run `action` on a device and return its result; see `Poller.command` for what it raises."""
        ...

    def points(self, device: str) -> tuple[str, ...]:
        """Return the points a sample of the device may carry. Raises KeyError."""
        ...

    def serves(self, device: str) -> bool:
        """Return whether the device is on this line."""
        ...

    def nudge_lost(self, number: int) -> None:
        """Ask one of the lost devices at the next chance, where devices are asked; else do nothing."""
        ...

    def health(self) -> LineHealth:
        """Return what is known of the line now."""
        ...

    def devices(self) -> Iterator[DeviceHealth]:
        """Yield what is known of its devices now."""
        ...

    def cycles(self) -> Iterator[tuple[str, float]]:
        """Yield the devices that are polled with the seconds between polls as they really are."""
        ...
