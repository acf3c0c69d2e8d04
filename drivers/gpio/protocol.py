"""Pins of this machine: see `drivers.entry`."""

from __future__ import annotations

from drivers.entry import Entry
from drivers.gpio import family as gpio
from drivers.gpio.device import GpioDevice
from drivers.gpio.line import GpioLine

PINS = Entry(gpio.FAMILY, GpioLine, GpioDevice, gpio.address, gpio.requests)
