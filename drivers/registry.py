"""Which protocols there are, by name; one is loaded when a line or a profile first needs it.

A gateway speaks one to three of them: the others would cost it time at the start and memory for years.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar

from drivers.entry import Locked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from drivers.entry import Address, Device, Entry
    from drivers.family import Family
    from drivers.line import AnyLine
    from drivers.line.settings import LineSettings
    from drivers.profile import Profile

T = TypeVar("T")

PLACES = {
    "modbus-rtu": "drivers.modbus.protocol:RTU",
    "modbus-tcp": "drivers.modbus.protocol:TCP",
    "dlt645": "drivers.dlt645.protocol:METERS",
    "tilt68": "drivers.tilt.protocol:RION",
    "tilt77": "drivers.tilt.protocol:BW",
    "gpio": "drivers.gpio.protocol:PINS",
    "witmotion": "drivers.witmotion.protocol:STREAM",
    "dc589": "drivers.dc589.protocol:BOARDS",
    "dny": "drivers.dny.protocol:PILES",
    "gst9000": "drivers.gst9000.protocol:PRINTER",
    "modbus-report": "drivers.modbus.reporting:REPORT",
    "tilt77-auto": "drivers.tilt.protocol:BW_AUTO",
}
"""Protocol -> module and name of its entry."""
SPOKEN_BY = {
    "modbus": "modbus-rtu",
    **{name: name for name in ("dlt645", "tilt68", "tilt77", "gpio", "witmotion", "dc589", "dny", "gst9000")},
}
"""Family, as profiles name it -> a protocol of it."""


class _Loaded(Mapping[str, T]):
    """Names that are known at once, and what they stand for, loaded when it is asked for."""

    def __init__(self, names: Iterable[str], load: Callable[[str], T]) -> None:
        self._names, self._load = tuple(names), load
        self._loaded: dict[str, T] = {}

    def __getitem__(self, name: str) -> T:
        if name not in self._loaded:
            if name not in self._names:
                raise KeyError(name)
            self._loaded[name] = self._load(name)
        return self._loaded[name]

    def __contains__(self, name: object) -> bool:
        return name in self._names  # without loading it

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def _entry(protocol: str) -> Entry:
    module, _, name = PLACES[protocol].partition(":")
    entry: Entry = getattr(importlib.import_module(module), name)
    return entry


def _family(name: str) -> Family:
    return _entry(SPOKEN_BY[name]).family


PROTOCOLS: Mapping[str, Entry] = _Loaded(PLACES, _entry)
FAMILIES: Mapping[str, Family] = _Loaded(SPOKEN_BY, _family)


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
