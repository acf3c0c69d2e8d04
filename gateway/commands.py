"""Orders to devices: checked, done once, answered always (DESIGN 1, "a command comes up").

An order is refused unless the site allows this point of this device, whatever the profile would permit.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drivers.errors import DriverError
from gateway.model import Answer, Command, Outcome
from gateway.orders import Expired

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.registry import Device
    from gateway.clock import Clock
    from gateway.config import DeviceSettings
    from gateway.model import Value
    from gateway.owner import Owner

REMEMBERED = 1000  # orders whose ids are remembered; while they are all still valid, no other is taken
LONGEST = 60.0  # seconds an order may be valid
LONGEST_TEXT = 255  # characters
LARGEST = 1 << 64


@dataclass(frozen=True, slots=True)
class Done:
    """An order that was passed on, and its answer when it is there."""

    order: Command
    answer: asyncio.Future[Answer]


class Commands:
    """Carries out orders through the owners of the lines."""

    def __init__(
        self, devices: Mapping[str, DeviceSettings], pollers: Mapping[str, Owner], clock: Clock
    ) -> None:
        self._devices = devices
        self._pollers = pollers
        self._clock = clock
        self._seen: dict[str, Done] = {}

    async def execute(self, command: Command) -> Answer:
        """Carry out one order; whatever happens, there is an answer.

        An id that comes again, even while the first is still under way, gets the first one's answer.
        """
        if (seen := self._seen.get(command.id)) is not None:
            if _same(seen.order, command):
                return await asyncio.shield(seen.answer)
            return Answer(command.id, Outcome.CONFLICT, "this id was used for another order")
        refusal = self._refusal(command) or self._no_room(command)
        if refusal is not None:
            return refusal
        # A task of its own: whoever asked may hang up, the order and its answer must not be lost with him.
        task = asyncio.create_task(self._do(command), name=f"command {command.id}")
        self._seen[command.id] = Done(command, task)
        return await asyncio.shield(task)

    def _refusal(self, command: Command) -> Answer | None:
        device = self._devices.get(command.device)
        if device is None:
            return Answer(command.id, Outcome.UNKNOWN, f"no device {command.device!r}")
        if command.point not in device.profile.points:
            return Answer(command.id, Outcome.UNKNOWN, f"{command.device} has no point {command.point!r}")
        if command.point not in device.allow_writes:
            reason = (
                f"the site does not allow writing {command.point!r}; see `allow_writes` of {command.device}"
            )
            return Answer(command.id, Outcome.REFUSED, reason)
        left = command.expires - self._clock.mono()
        if left <= 0:
            return Answer(command.id, Outcome.EXPIRED, f"expired {-left:.1f} s ago")
        if not left <= LONGEST:  # so written, it refuses NaN too
            return Answer(
                command.id, Outcome.REFUSED, f"valid for {left:.0f} s; at most {LONGEST:.0f} s are allowed"
            )
        why = _unfit(command.value)
        return Answer(command.id, Outcome.REFUSED, why) if why else None

    def _no_room(self, command: Command) -> Answer | None:
        if len(self._seen) >= REMEMBERED:
            now = self._clock.mono()
            over = [i for i, done in self._seen.items() if done.order.expires <= now and done.answer.done()]
            for old in over:
                del self._seen[old]
        if len(self._seen) >= REMEMBERED:
            return Answer(
                command.id, Outcome.FAILED, f"{REMEMBERED} orders within {LONGEST:.0f} s; try later"
            )
        return None

    async def _do(self, command: Command) -> Answer:
        async def write(device: Device) -> Value:
            return await device.write(command.point, command.value)

        poller = self._pollers[self._devices[command.device].line]
        try:
            held = await poller.command(command.device, write, command.expires)
        except Expired as error:
            return Answer(command.id, Outcome.EXPIRED, str(error))
        except ValueError as error:
            return Answer(command.id, Outcome.REFUSED, str(error))
        except DriverError as error:
            return Answer(command.id, Outcome.FAILED, str(error) or type(error).__name__)
        return Answer(command.id, Outcome.DONE, data={"value": held})


def _same(one: Command, other: Command) -> bool:
    wanted = (one.device, one.point, one.value)
    return wanted == (other.device, other.point, other.value)


def _unfit(value: object) -> str:
    """Say why this can never be a value, whatever the point; "" when it can."""
    if isinstance(value, bool):
        return ""
    if isinstance(value, str):
        return "" if len(value) <= LONGEST_TEXT else f"a text of {len(value)} characters"
    if isinstance(value, float):
        return "" if math.isfinite(value) else f"{value} is not a number"
    if isinstance(value, int):
        return "" if abs(value) <= LARGEST else "a number beyond 64 bits"
    return f"a number, a text, true or false is wanted, not {type(value).__name__}"
