"""The commands that wait for one line: few, first come first served, each answered once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drivers.errors import DriverError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from drivers.entry import Device

WAITING = 16  # commands that may wait for a line; one more is refused


class Busy(DriverError):
    """Too many commands are waiting for this line. Nothing was sent."""


class Expired(DriverError):
    """The line did not come to this command in time. Nothing was sent."""


@dataclass(frozen=True, slots=True)
class Order:
    """One action on one device, and where its answer goes."""

    device: str
    action: Callable[[Device], Awaitable[Any]]
    expires: float  # monotonic seconds
    answer: asyncio.Future[Any]

    async def carry_out(self, device: Device, now: float) -> None:
        """Do it and answer. A DriverError or ValueError is an answer; anything else a bug."""
        if now >= self.expires:  # a valve must not move on an order that is out of date
            self.refuse(Expired(f"device={self.device}: expired {now - self.expires:.1f} s before its turn"))
            return
        try:
            result = await self.action(device)
        except (DriverError, ValueError) as error:
            self.refuse(error)
        except asyncio.CancelledError:
            self.answer.cancel()
            raise
        else:
            if not self.answer.done():
                self.answer.set_result(result)

    def refuse(self, error: Exception) -> None:
        """Answer with an error, if anybody still waits."""
        if not self.answer.done():
            self.answer.set_exception(error)


class Orders:
    """A bounded queue of orders."""

    def __init__(self) -> None:
        self._waiting: list[Order] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, order: Order) -> None:
        """Let an order wait; raise Busy when too many do already."""
        if len(self._waiting) >= WAITING:
            raise Busy(f"{WAITING} commands are waiting for the line of {order.device} already; try later")
        self._waiting.append(order)

    def take(self, hold: Callable[[str], bool]) -> Order | None:
        """Return the first order whose device `hold` grants. One device's orders keep their order."""
        self._waiting = [order for order in self._waiting if not order.answer.done()]
        for index, order in enumerate(self._waiting):
            if hold(order.device):
                return self._waiting.pop(index)
        return None

    def refuse_all(self, error: DriverError) -> None:
        """Answer every waiting order with `error`."""
        while self._waiting:
            self._waiting.pop(0).refuse(error)
