"""Modbus over a serial port and over TCP: see `drivers.entry`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.entry import Entry
from drivers.line.mbap import MbapLine
from drivers.line.turn import TurnLine
from drivers.modbus import family as modbus
from drivers.modbus import framing
from drivers.modbus.device import ModbusDevice
from drivers.modbus.requests import requests

if TYPE_CHECKING:
    from drivers.entry import Address, Device
    from drivers.line import AnyLine
    from drivers.profile import Profile


def _device(name: str, profile: Profile, address: Address, line: AnyLine) -> Device:
    return ModbusDevice(name, profile, int(address), line)


RTU = Entry(modbus.FAMILY, lambda line: TurnLine(line, framing.RTU), _device, modbus.rtu_address, requests)
TCP = Entry(modbus.FAMILY, MbapLine, _device, modbus.tcp_address, requests)
