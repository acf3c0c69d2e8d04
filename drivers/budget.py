"""What reading the devices of a line costs in wire time. Pure; `tocsin check` prints it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Request:
    """One request and its answer as they are on the wire. Times are seconds."""

    label: str  # what is asked for, for people: holding:0x0000+10
    points: tuple[str, ...]
    bytes: int  # request and answer
    sending: float  # the bytes take so long
    silence: float  # before the request and before the answer
    turnaround: float  # the device thinks

    @property
    def seconds(self) -> float:
        """Seconds from the end of the last exchange to the end of this one."""
        return self.sending + self.silence + self.turnaround


@dataclass(frozen=True, slots=True)
class Load:
    """The requests of one device that are made together, once every so many seconds."""

    device: str
    requests: tuple[Request, ...]
    every: float
    alarm: bool = False  # the points that rules judge


@dataclass(frozen=True, slots=True)
class RequestCost:
    """One request of one device, again and again."""

    device: str
    request: Request
    every: float

    @property
    def share(self) -> float:
        """The part of the line's time it takes."""
        return self.request.seconds / self.every


@dataclass(frozen=True, slots=True)
class Budget:
    """How busy a line will be."""

    requests: tuple[RequestCost, ...]
    utilisation: float  # part of the time the line is taken; above 1 it cannot be done
    alarm_scan: float  # seconds within which every alarm point is read once; 0 when there is none
    round: float  # seconds to read everything once

    def of(self, device: str) -> float:
        """Return the part of the line's time that one device takes."""
        return sum(request.share for request in self.requests if request.device == device)


def budget(loads: Iterable[Load]) -> Budget:
    """Return what the loads cost on a line. With several requests under way at a time it is less."""
    loads = tuple(loads)
    requests = tuple(
        RequestCost(load.device, request, load.every) for load in loads for request in load.requests
    )
    alarms = [load for load in loads if load.alarm and load.requests]
    at_once = sum(
        request.seconds for load in alarms for request in load.requests
    )  # they go ahead of everything else, so only they can delay each other
    return Budget(
        requests,
        utilisation=sum(request.share for request in requests),
        alarm_scan=max([at_once, *(load.every for load in alarms)]) if alarms else 0.0,
        round=sum(each.request.seconds for each in requests),
    )
