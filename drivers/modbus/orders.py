"""Which request writes a point. Pure, no I/O."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from drivers.modbus import pdu
from drivers.registers import PointType, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drivers.modbus.pdu import Query
    from drivers.profile import Point


def written(point: Point) -> Point:
    """Return the point as it is written: in a register of its own, where the profile gives one."""
    if point.write is None or point.write.register is None:
        return point
    return replace(point, register=point.write.register)


def write_query(unit: int, point: Point, registers: Sequence[int]) -> Query:
    """Return the request that writes the registers (or bits) of a point. Raises ValueError."""
    several = len(registers) > 1 or (point.write is not None and point.write.function == "multiple")
    if point.table is Table.COIL:
        if several:
            return pdu.write_coils(unit, point.address, [bool(bit) for bit in registers])
        return pdu.write_coil(unit, point.address, on=bool(registers[0]))
    if point.table is not Table.HOLDING:
        raise ValueError(f"{point.register} cannot be written on any Modbus device")
    if several:
        return pdu.write_registers(unit, point.address, registers)
    return pdu.write_register(unit, point.address, registers[0])


def is_part(point: Point) -> bool:
    """Return True when the point shares its register with others, whose bits a write must keep."""
    if point.table.is_bits:
        return False
    if point.type is PointType.BOOL or point.type in {PointType.INT8, PointType.UINT8}:
        return True
    return point.bits is not None or point.mask is not None
