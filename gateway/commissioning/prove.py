"""A proven reading: every device of a site read once, over its own driver, before it is left to run."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from drivers.errors import DriverError, Held, LineDown
from drivers.registry import make_device, make_line

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from gateway.config import Site
    from gateway.model import Quality, Value

    Read = Callable[[tuple[str, ...]], Awaitable[tuple[dict[str, Value], dict[str, Quality]]]]

TRIES: Final = 3
PAUSE: Final = 0.3  # seconds


@dataclass(frozen=True, slots=True)
class Proof:
    """What one device said."""

    device: str
    values: Mapping[str, Value] = field(default_factory=dict)
    bad: Mapping[str, Quality] = field(default_factory=dict)
    error: str = ""

    @property
    def good(self) -> bool:
        """Whether at least one value came."""
        return bool(self.values) and not self.error


def prove(site: Site) -> list[Proof]:
    """Read every device of a site that no gateway runs yet."""
    return asyncio.run(_prove(site))


async def _prove(site: Site) -> list[Proof]:
    proofs: list[Proof] = []
    for name, settings in site.lines.items():
        line = make_line(settings)
        try:
            await line.open()
            for device in site.devices.values():
                if device.line == name:
                    driver = make_device(device.name, device.profile, device.address, line)
                    proofs.append(await _read(device.name, driver.read, device.profile.reported))
        except LineDown as error:
            proofs += [Proof(d.name, error=str(error)) for d in site.devices.values() if d.line == name]
        finally:
            await line.close()
    return proofs


async def _read(name: str, read: Read, points: tuple[str, ...]) -> Proof:
    why = ""
    for _ in range(TRIES):
        try:
            values, bad = await read(points)
        except Held as held:
            why = str(held)
            await asyncio.sleep(max(held.until - asyncio.get_running_loop().time(), 0.0) + 0.05)
        except LineDown:
            raise
        except DriverError as error:
            why = str(error) or type(error).__name__
            await asyncio.sleep(PAUSE)
        else:
            return Proof(name, values, bad)
    return Proof(name, error=why)
