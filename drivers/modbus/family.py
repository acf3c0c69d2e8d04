"""Modbus as a family: points stand in registers, units have numbers. Pure."""

from __future__ import annotations

from typing import Final

from drivers.family import Family

FAMILY: Final = Family("modbus")


def rtu_address(address: int | str) -> int:
    """Return the unit's number on a serial line. Raises ValueError that says what is right."""
    return _unit(address, 1, 247)


def tcp_address(address: int | str) -> int:
    """Return the unit's number behind a TCP endpoint; some answer to 0 or 255 for themselves."""
    return _unit(address, 0, 255)


def _unit(address: int | str, low: int, high: int) -> int:
    if isinstance(address, int) and low <= address <= high:
        return address
    raise ValueError(f"must be a whole number from {low} to {high}")
