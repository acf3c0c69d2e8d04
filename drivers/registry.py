"""Which protocols there are, and how a line and a device of each are made. A plain dict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from drivers.line.mbap import MbapLine
from drivers.line.turn import TurnLine
from drivers.modbus import framing
from drivers.modbus.device import ModbusDevice

if TYPE_CHECKING:
    from collections.abc import Callable

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


@dataclass(frozen=True, slots=True)
class Entry:
    """How the two halves of one protocol are made, and which profiles it serves."""

    family: str  # what a profile's `protocol` says
    line: Callable[[LineSettings], AnyLine]
    device: Callable[[str, Profile, int, AnyLine], Device]  # name, profile, address, line


PROTOCOLS: dict[str, Entry] = {
    "modbus-rtu": Entry("modbus", lambda settings: TurnLine(settings, framing.RTU), ModbusDevice),
    "modbus-tcp": Entry("modbus", MbapLine, ModbusDevice),
}


def make_line(settings: LineSettings) -> AnyLine:
    """Make the line (closed) that the settings describe. Its time base is the event loop's."""
    return PROTOCOLS[settings.protocol].line(settings)


def make_device(name: str, profile: Profile, address: int, line: AnyLine) -> Device:
    """Make a device on `line`; `profile` is the model's profile with the site's re-mapping applied."""
    return PROTOCOLS[line.settings.protocol].device(name, profile, address, line)
