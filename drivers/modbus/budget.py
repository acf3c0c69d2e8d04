"""What reading the devices of a line costs in wire time. Pure; `tocsin check` prints it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from drivers.modbus.plan import Block, Cost


@dataclass(frozen=True, slots=True)
class Load:
    """The blocks of one device that are read together, once every so many seconds."""

    device: str
    blocks: tuple[Block, ...]
    every: float
    alarm: bool = False  # the points that rules judge
    cost: Cost | None = None  # of this device, where its turnaround has been measured


@dataclass(frozen=True, slots=True)
class RequestCost:
    """One request as it is on the wire."""

    device: str
    block: Block
    every: float
    bytes: int  # request and answer
    sending: float  # seconds the bytes take
    silence: float  # seconds before the request and before the answer
    turnaround: float  # seconds the device thinks

    @property
    def seconds(self) -> float:
        """Seconds from the end of the last exchange to the end of this one."""
        return self.sending + self.silence + self.turnaround


@dataclass(frozen=True, slots=True)
class Budget:
    """How busy a line will be."""

    requests: tuple[RequestCost, ...]
    utilisation: float  # part of the time the line is taken; above 1 it cannot be done
    alarm_scan: float  # seconds within which every alarm point is read once; 0 when there is none
    round: float  # seconds to read everything once

    def of(self, device: str) -> float:
        """Return the part of the line's time that one device takes."""
        return sum(r.seconds / r.every for r in self.requests if r.device == device)


def budget(cost: Cost, loads: Iterable[Load]) -> Budget:
    """Return what the loads cost on a line. With several requests under way at a time it is less."""
    loads = tuple(loads)
    requests = tuple(
        request_cost(load.device, block, load.every, load.cost or cost)
        for load in loads
        for block in load.blocks
    )
    alarms = [load for load in loads if load.alarm and load.blocks]
    at_once = sum(
        (load.cost or cost).seconds(block.data) for load in alarms for block in load.blocks
    )  # they go ahead of everything else, so only they can delay each other
    return Budget(
        requests,
        utilisation=sum(request.seconds / request.every for request in requests),
        alarm_scan=max([at_once, *(load.every for load in alarms)]) if alarms else 0.0,
        round=sum(request.seconds for request in requests),
    )


def request_cost(device: str, block: Block, every: float, cost: Cost) -> RequestCost:
    """Return what one request costs."""
    total = cost.frame + block.data
    return RequestCost(device, block, every, total, total * cost.byte, 2 * cost.silence, cost.turnaround)
