"""What the requests for a set of points cost on a Modbus line. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.budget import Request
from drivers.modbus.plan import Cost, plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drivers.line.settings import LineSettings
    from drivers.modbus.plan import Block
    from drivers.profile import Profile


def requests(profile: Profile, names: Sequence[str], line: LineSettings) -> tuple[Request, ...]:
    """Return the requests that read the device's own points `names`, with the usual turnaround."""
    cost = Cost.of_line(line)
    points = {name: profile.points[name] for name in names}
    return tuple(request(block, cost) for block in plan(points, cost, profile.limits))


def request(block: Block, cost: Cost) -> Request:
    """Return what one block costs."""
    size = cost.frame + block.data
    label = f"{block.table.value}:0x{block.start:04X}+{block.count}"
    return Request(label, block.points, size, size * cost.byte, 2 * cost.silence, cost.turnaround)
