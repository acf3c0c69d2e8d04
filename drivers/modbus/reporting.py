"""Modbus units that report by themselves, without being asked: see `drivers.entry`."""

from __future__ import annotations

from dataclasses import replace

from drivers.heard_entry import heard
from drivers.modbus import family as modbus
from drivers.modbus.report import Reports, unfit

REPORT = replace(heard(modbus.FAMILY, Reports, modbus.rtu_address), unfit=unfit)
