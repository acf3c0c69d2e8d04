"""DL/T 645 on a serial port: see `drivers.entry`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.dlt645 import items as dlt645
from drivers.dlt645.device import Dlt645Device
from drivers.dlt645.framing import Dlt645
from drivers.dlt645.plan import requests
from drivers.entry import Entry
from drivers.line.turn import TurnLine

if TYPE_CHECKING:
    from drivers.entry import Address, Device
    from drivers.line import AnyLine
    from drivers.profile import Profile


def _device(name: str, profile: Profile, address: Address, line: AnyLine) -> Device:
    return Dlt645Device(name, profile, str(address), line)


METERS = Entry(
    dlt645.FAMILY,
    lambda line: TurnLine(line, Dlt645()),
    _device,
    dlt645.address,
    requests,
    settings={"baud": 2400, "parity": "even", "timeout": 0.6},  # a meter may think for half a second
    overlap=dlt645.overlap,
    password=True,
)
