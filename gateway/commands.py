"""Orders to devices: checked, done once, answered always (DESIGN 1, "a command comes up").

The one place that lets an order through, whoever gives it: a person, a centre, an interlock.
An order is refused unless the site allows this point of this device, whatever the profile would permit.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drivers.errors import DriverError, Held
from gateway.model import Answer, Command, Outcome
from gateway.orders import Expired

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drivers.entry import Device
    from drivers.profile import Point
    from gateway.clock import Clock
    from gateway.config import DeviceSettings
    from gateway.model import Value
    from gateway.owner import Owner
    from gateway.rate import Rate
    from gateway.remembered import Remembered

REMEMBERED = 1000  # orders whose ids are remembered; while they are all still valid, no other is taken
LONGEST = 60.0  # seconds an order may be valid
LONGEST_TEXT = 255  # characters
LARGEST = 1 << 64


@dataclass(frozen=True, slots=True)
class Done:
    """An order that was passed on, and its answer when it is there."""

    order: Command
    answer: asyncio.Future[Answer]


@dataclass(frozen=True, slots=True)
class Checks:
    """What orders are checked against, beside the site's list of what may be written."""

    rate: Rate
    remembered: Remembered
    veto: Callable[[str, str, Value], str]  # device, point, value -> the interlock that stands against it


class Commands:
    """Carries out orders through the owners of the lines."""

    def __init__(
        self,
        devices: Mapping[str, DeviceSettings],
        pollers: Mapping[str, Owner],
        clock: Clock,
        checks: Checks,
    ) -> None:
        self._devices = devices
        self._pollers = pollers
        self._clock = clock
        self._checks = checks
        self._seen: dict[str, Done] = {}

    async def execute(self, command: Command) -> Answer:
        """Carry out one order; whatever happens, there is an answer.

        An id that comes again, even while the first is still under way, gets the first one's answer.
        """
        if (seen := self._seen.get(command.id)) is not None:
            if _same(seen.order, command):
                return await asyncio.shield(seen.answer)
            return Answer(command.id, Outcome.CONFLICT, "this id was used for another order")
        refusal = self._checks.remembered.answer(command) or self._refusal(command) or self._no_room(command)
        if refusal is not None:
            return refusal
        place = command.device, command.point
        self._checks.rate.note(place, self._clock.mono(), automatic=command.automatic)
        # A task of its own: whoever asked may hang up, the order and its answer must not be lost with him.
        task = asyncio.create_task(self._carry_out(command), name=f"command {command.id}")
        if not command.automatic:  # the interlock knows itself what it has ordered
            self._seen[command.id] = Done(command, task)
        return await asyncio.shield(task)

    def known(self, name: str) -> bool:
        """Return whether an order of this id was passed on already, in this run or the one before."""
        return name in self._seen or self._checks.remembered.knows(name)

    def _refusal(self, command: Command) -> Answer | None:
        return self._not_there(command) or self._not_valid(command) or self._not_now(command)

    def _not_there(self, command: Command) -> Answer | None:
        """Refuse what is not on the list of the site."""
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
        return None

    def _not_valid(self, command: Command) -> Answer | None:
        """Refuse what came too late, or is no value."""
        left = command.expires - self._clock.mono()
        if left <= 0:
            return Answer(command.id, Outcome.EXPIRED, f"expired {-left:.1f} s ago")
        if not left <= LONGEST:  # so written, it refuses NaN too
            return Answer(
                command.id, Outcome.REFUSED, f"valid for {left:.0f} s; at most {LONGEST:.0f} s are allowed"
            )
        if why := _unfit(command.value):
            return Answer(command.id, Outcome.REFUSED, why)
        return None

    def _not_now(self, command: Command) -> Answer | None:
        """Refuse what an interlock stands against, and what comes too often."""
        if command.automatic:
            return _not_by_itself(command, self._devices[command.device].profile.points[command.point])
        if by := self._checks.veto(command.device, command.point, command.value):
            return Answer(command.id, Outcome.REFUSED, "interlocked", {"by": by})
        wait = self._checks.rate.wait((command.device, command.point), self._clock.mono())
        if wait > 0:
            return Answer(command.id, Outcome.REFUSED, "too_often", {"wait": f"{math.ceil(wait)} s"})
        return None

    def _no_room(self, command: Command) -> Answer | None:
        if len(self._seen) >= REMEMBERED:
            now = self._clock.mono()
            over = [i for i, done in self._seen.items() if done.order.expires <= now and done.answer.done()]
            for old in over:
                del self._seen[old]
        if len(self._seen) >= REMEMBERED and not command.automatic:
            return Answer(
                command.id, Outcome.FAILED, f"{REMEMBERED} orders within {LONGEST:.0f} s; try later"
            )
        return None

    async def _carry_out(self, command: Command) -> Answer:
        if command.automatic:
            return await self._do(command)
        await self._checks.remembered.begin(command)
        answer = await self._do(command)
        await self._checks.remembered.end(command, answer)
        return answer

    async def _do(self, command: Command) -> Answer:
        settings = self._devices[command.device]
        point = settings.profile.points[command.point]
        proves = point.readable and (point.write is None or point.write.read_back)

        async def write(device: Device) -> tuple[Value, bool]:
            if command.automatic and proves:
                held = await _look(device, command.point)
                if held is not None and _holds(point, held, command.value):
                    return held, False
            return await device.write(command.point, command.value), True

        try:
            poller = self._pollers[settings.line]
            held, written = await poller.command(command.device, write, command.expires)
        except Expired as error:
            return Answer(command.id, Outcome.EXPIRED, str(error))
        except ValueError as error:
            return Answer(command.id, Outcome.REFUSED, str(error))
        except DriverError as error:
            return Answer(command.id, Outcome.FAILED, str(error) or type(error).__name__)
        data: dict[str, object] = {"value": held}
        if command.automatic:
            data["written"] = written
        exact = command.automatic or isinstance(held, str | bool)  # a device may round a number of a person
        if exact and not _holds(point, held, command.value):
            return Answer(command.id, Outcome.FAILED, f"written, but it reads back {held!r}", data)
        return Answer(command.id, Outcome.DONE, data=data)


async def _look(device: Device, point: str) -> Value | None:
    """Return what a point holds; None when it cannot be told just now. Raises DriverError."""
    try:
        values, _ = await device.read((point,))
    except Held:  # it would rather be asked later: the write is more urgent than the look
        return None
    return values.get(point)


def _not_by_itself(command: Command, point: Point) -> Answer | None:
    """Refuse what only a person may order: no interlock ever opens a gas valve."""
    allowed = None if point.write is None else point.write.automatic
    if allowed is None or command.value in allowed:
        return None
    return Answer(command.id, Outcome.REFUSED, "person_only")


def _holds(point: Point, held: Value, wanted: Value) -> bool:
    """Return whether a point that holds one value holds the other, too."""
    if isinstance(held, str | bool) or isinstance(wanted, str | bool):
        return held == wanted
    return abs(held - wanted) <= max(abs(point.scale) / 2, 1e-6 * abs(wanted)) + 1e-9


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
