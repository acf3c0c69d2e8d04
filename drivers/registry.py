"""Which protocols there are, and how a line and a device of each are made. A plain dict."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from drivers.dc589 import family as dc589
from drivers.dc589.items import board_id
from drivers.dc589.talk import Talk as Dc589Talk
from drivers.dlt645 import items as dlt645
from drivers.dlt645.device import Dlt645Device
from drivers.dlt645.framing import Dlt645
from drivers.dlt645.plan import requests as dlt645_requests
from drivers.dny import family as dny
from drivers.dny.talk import Talk as DnyTalk
from drivers.dny.talk import physical_id
from drivers.gpio import family as gpio
from drivers.gpio.device import GpioDevice
from drivers.gpio.line import GpioLine
from drivers.gst9000 import family as gst9000
from drivers.gst9000.talk import Printer, address_of
from drivers.heard import HeardDevice, HeardRegisters
from drivers.line.hearing import HearingLine
from drivers.line.mbap import MbapLine
from drivers.line.turn import TurnLine
from drivers.modbus import family as modbus
from drivers.modbus import framing
from drivers.modbus.device import ModbusDevice
from drivers.modbus.report import Reports, unfit
from drivers.modbus.requests import requests as modbus_requests
from drivers.tilt import family as tilt
from drivers.tilt.auto import listens as tilt_listens
from drivers.tilt.device import TiltDevice
from drivers.tilt.frame import Family as TiltFamily
from drivers.tilt.framing import Tilt
from drivers.tilt.requests import requests as tilt_requests
from drivers.witmotion import family as witmotion
from drivers.witmotion.stream import Stream

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


def _modbus(name: str, profile: Profile, address: Address, line: AnyLine) -> Device:
    return ModbusDevice(name, profile, int(address), line)


def _dlt645(name: str, profile: Profile, address: Address, line: AnyLine) -> Device:
    return Dlt645Device(name, profile, str(address), line)


def _tilt(family: TiltFamily) -> Callable[[str, Profile, Address, AnyLine], Device]:
    return lambda name, profile, address, line: TiltDevice(name, profile, int(address), line, family)


def _heard(
    family: Family, talk: Callable[[Listeners], Conversation], address: Callable[[Address], Address]
) -> Entry:
    """Return the entry of a protocol whose devices speak by themselves."""

    def device(name: str, profile: Profile, who: Address, line: AnyLine) -> Device:
        if not isinstance(line, HearingLine):
            raise TypeError(f"{name}: {line.settings.name} does not listen")  # a bug in this table
        return (HeardRegisters if family.has_registers else HeardDevice)(name, profile, who, line)

    return Entry(family, lambda line: HearingLine(line, talk), device, address, lambda *_: (), talk=talk)


PROTOCOLS: dict[str, Entry] = {
    "modbus-rtu": Entry(
        modbus.FAMILY, lambda line: TurnLine(line, framing.RTU), _modbus, modbus.rtu_address, modbus_requests
    ),
    "modbus-tcp": Entry(modbus.FAMILY, MbapLine, _modbus, modbus.tcp_address, modbus_requests),
    "dlt645": Entry(
        dlt645.FAMILY,
        lambda line: TurnLine(line, Dlt645()),
        _dlt645,
        dlt645.address,
        dlt645_requests,
        settings={"baud": 2400, "parity": "even", "timeout": 0.6},  # a meter may think for half a second
        overlap=dlt645.overlap,
        password=True,
    ),
    "tilt68": Entry(
        tilt.FAMILY_68,
        lambda line: TurnLine(line, Tilt(TiltFamily.RION)),
        _tilt(TiltFamily.RION),
        tilt.address,
        tilt_requests,
    ),
    "tilt77": Entry(
        tilt.FAMILY_77,
        lambda line: TurnLine(line, Tilt(TiltFamily.BW)),
        _tilt(TiltFamily.BW),
        tilt.address,
        tilt_requests,
    ),
    "gpio": Entry(gpio.FAMILY, GpioLine, GpioDevice, gpio.address, gpio.requests),
    "witmotion": _heard(witmotion.FAMILY, Stream, witmotion.address),
    "dc589": _heard(dc589.FAMILY, Dc589Talk, board_id),
    "dny": _heard(dny.FAMILY, DnyTalk, physical_id),
    "gst9000": _heard(gst9000.FAMILY, Printer, address_of),
    "modbus-report": replace(_heard(modbus.FAMILY, Reports, modbus.rtu_address), unfit=unfit),
    "tilt77-auto": _heard(tilt.FAMILY_77, tilt_listens(TiltFamily.BW), tilt.address),
}
FAMILIES: dict[str, Family] = {entry.family.name: entry.family for entry in PROTOCOLS.values()}


def make_line(settings: LineSettings) -> AnyLine:
    """Make the line (closed) that the settings describe. Its time base is the event loop's."""
    return PROTOCOLS[settings.protocol].line(settings)


def make_device(
    name: str, profile: Profile, address: Address, line: AnyLine, password: str | None = None
) -> Device:
    """Make a device on `line`; `profile` is the model's profile with the site's re-mapping applied.

    Raises ValueError, which does not repeat it, for a password that cannot be one.
    """
    entry = PROTOCOLS[line.settings.protocol]
    device = entry.device(name, profile, entry.address(address), line)
    if password is not None and isinstance(device, Locked):
        device.unlock(password)
    return device
