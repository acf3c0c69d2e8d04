"""Field devices of the shipped profiles, played on a line and read by the gateway's own driver."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from playing import free_port, played

from drivers.line.settings import LineSettings
from drivers.registry import PROTOCOLS, make_device, make_line
from drivers.simulator.making import make_unit
from gateway.config.profiles import load_profile

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from drivers.line import AnyLine
    from drivers.profile import Profile
    from drivers.simulator.simulation import Simulation

QUICK: dict[str, Any] = {"baud": 115200, "timeout": 0.25, "quarantine": 0.3}


def settings(way: str, protocol: str, folder: Path, **more: Any) -> LineSettings:
    where = {"serial": str(folder / "port")} if way == "pty" else {"tcp": f"127.0.0.1:{free_port()}"}
    return LineSettings("field", protocol, **(QUICK | where | more))


def at(path: str, protocol: str, **more: Any) -> LineSettings:
    """A line on a pty that exists already."""
    return LineSettings("field", protocol, **(QUICK | {"serial": path} | more))


class Site:
    """A played line with its devices, and our line to them."""

    def __init__(self, line: AnyLine, simulation: Simulation, profiles: dict[str, Profile]) -> None:
        self.line = line
        self.simulation = simulation
        self.profiles = profiles
        self.heard: list[tuple[str, bytes]] = []
        line.listen(lambda way, data, _: self.heard.append((way, data)))

    def device(self, name: str, address: int | str, password: str | None = None) -> Any:
        return make_device(name, self.profiles[name], address, self.line, password)

    def requests(self) -> list[bytes]:
        return [data for way, data in self.heard if way == ">>"]


@contextlib.asynccontextmanager
async def field(
    line: LineSettings, devices: Mapping[str, tuple[str | Profile, int | str]]
) -> AsyncIterator[Site]:
    """Play `devices` (name: profile, address) on a line, and open our end of it."""
    profiles = {name: load_profile(p) if isinstance(p, str) else p for name, (p, _) in devices.items()}
    units = [
        make_unit(name, PROTOCOLS[line.protocol].address(address), profiles[name], turnaround=0.0)
        for name, (_, address) in devices.items()
    ]
    async with played(line, units) as (simulation, _):
        ours = make_line(line)
        await ours.open()
        try:
            yield Site(ours, simulation, profiles)
        finally:
            await ours.close()
