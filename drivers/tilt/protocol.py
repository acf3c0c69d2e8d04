"""Inclinometers of both families, asked or sending by themselves: see `drivers.entry`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.entry import Entry
from drivers.heard_entry import heard
from drivers.line.turn import TurnLine
from drivers.tilt import family as tilt
from drivers.tilt.auto import listens
from drivers.tilt.device import TiltDevice
from drivers.tilt.frame import Family as TiltFamily
from drivers.tilt.framing import Tilt
from drivers.tilt.requests import requests

if TYPE_CHECKING:
    from drivers.entry import Address, Device
    from drivers.family import Family
    from drivers.line import AnyLine
    from drivers.profile import Profile


def _asked(family: Family, frames: TiltFamily) -> Entry:
    def device(name: str, profile: Profile, address: Address, line: AnyLine) -> Device:
        return TiltDevice(name, profile, int(address), line, frames)

    return Entry(family, lambda line: TurnLine(line, Tilt(frames)), device, tilt.address, requests)


RION = _asked(tilt.FAMILY_68, TiltFamily.RION)
BW = _asked(tilt.FAMILY_77, TiltFamily.BW)
BW_AUTO = heard(tilt.FAMILY_77, listens(TiltFamily.BW), tilt.address)
