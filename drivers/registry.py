"""Which protocols there are, and how a line and a device of each are made. A plain dict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from drivers.gpio import family as gpio
from drivers.gpio.device import GpioDevice
from drivers.gpio.line import GpioLine
from drivers.line.mbap import MbapLine
from drivers.line.turn import TurnLine
from drivers.modbus import family as modbus
from drivers.modbus import framing
from drivers.modbus.device import ModbusDevice
from drivers.modbus.requests import requests as modbus_requests

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from drivers.budget import Request
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


Address = int | str


@dataclass(frozen=True, slots=True)
class Entry:
    """How the two halves of one protocol are made, and which profiles it serves."""

    family: Family
    line: Callable[[LineSettings], AnyLine]
    device: Callable[[str, Profile, Address, AnyLine], Device]  # name, profile, address, line
    address: Callable[[Address], Address]  # its form on the line; raises ValueError that says what is right
    requests: Callable[[Profile, Sequence[str], LineSettings], tuple[Request, ...]]  # to read these points


def _modbus(name: str, profile: Profile, address: Address, line: AnyLine) -> Device:
    return ModbusDevice(name, profile, int(address), line)


PROTOCOLS: dict[str, Entry] = {
    "modbus-rtu": Entry(
        modbus.FAMILY, lambda line: TurnLine(line, framing.RTU), _modbus, modbus.rtu_address, modbus_requests
    ),
    "modbus-tcp": Entry(modbus.FAMILY, MbapLine, _modbus, modbus.tcp_address, modbus_requests),
    "gpio": Entry(gpio.FAMILY, GpioLine, GpioDevice, gpio.address, gpio.requests),
}
FAMILIES: dict[str, Family] = {entry.family.name: entry.family for entry in PROTOCOLS.values()}


def make_line(settings: LineSettings) -> AnyLine:
    """Make the line (closed) that the settings describe. Its time base is the event loop's."""
    return PROTOCOLS[settings.protocol].line(settings)


def make_device(name: str, profile: Profile, address: Address, line: AnyLine) -> Device:
    """Make a device on `line`; `profile` is the model's profile with the site's re-mapping applied."""
    entry = PROTOCOLS[line.settings.protocol]
    return entry.device(name, profile, entry.address(address), line)
