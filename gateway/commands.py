"""Orders to devices: checked, done once, answered always (DESIGN 1, "a command comes up").

An order is refused unless the site allows this point of this device, whatever the profile would permit.
"""

from __future__ import annotations

from collections import OrderedDict
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
    from gateway.poller import Poller

REMEMBERED = 1000  # ids of done orders; an older one cannot come again, it has expired
LONGEST = 60.0  # seconds an order may be valid


class Commands:
    """Carries out orders through the owners of the lines."""

    def __init__(
        self, devices: Mapping[str, DeviceSettings], pollers: Mapping[str, Poller], clock: Clock
    ) -> None:
        self._devices = devices
        self._pollers = pollers
        self._clock = clock
        self._seen: OrderedDict[str, Answer] = OrderedDict()

    async def execute(self, command: Command) -> Answer:
        """Carry out one order; whatever happens, there is an answer. A repeated id gets its first answer."""
        if command.id in self._seen:
            return self._seen[command.id]
        answer = self._refusal(command) or await self._do(command)
        self._seen[command.id] = answer
        while len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return answer

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
        if left > LONGEST:
            return Answer(
                command.id, Outcome.REFUSED, f"valid for {left:.0f} s; at most {LONGEST:.0f} s are allowed"
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
