"""Makes the owner of each line of a site: who asks its devices, or who listens to them. Wiring only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.heard import HeardDevice
from drivers.line.hearing import HearingLine
from drivers.registry import make_device, make_line
from gateway.config import SecretError, reveal
from gateway.hearer import Expected, Hearer
from gateway.liveness import Timing
from gateway.poller import Polled, Poller
from gateway.turns import SHORTEST, groups

if TYPE_CHECKING:
    from drivers.entry import Device
    from drivers.line import AnyLine
    from gateway.clock import Clock
    from gateway.config import DeviceSettings, Site
    from gateway.owner import Owner
    from gateway.pipeline import Pipeline
    from gateway.station import Wakes


def make_owner(
    site: Site, name: str, judged: dict[str, set[str]], pipeline: Pipeline, clock: Clock, wakes: Wakes
) -> tuple[Owner, AnyLine]:
    """Return the owner of one line, which asks or listens, and its line. Raises SecretError."""
    line = make_line(site.lines[name])
    if isinstance(line, HearingLine):
        return make_hearer(site, name, line, pipeline, clock), line
    return make_poller(site, name, line, judged, pipeline, clock, wakes), line


def make_hearer(site: Site, name: str, line: HearingLine, pipeline: Pipeline, clock: Clock) -> Hearer:
    """Return who listens on a line."""
    expected = []
    for device in site.devices.values():
        if device.line == name:
            driver = make_device(device.name, device.profile, device.address, line)
            assert isinstance(driver, HeardDevice)
            ask = device.alarm_every if device.alarm_every < device.every else None
            quiet = device.profile.defaults.quiet
            expected.append(Expected(driver, device.profile.reported, device.every, ask, quiet))
    return Hearer(name, line, expected, pipeline.accept, clock, site.timezone)


def make_poller(
    site: Site,
    name: str,
    line: AnyLine,
    judged: dict[str, set[str]],
    pipeline: Pipeline,
    clock: Clock,
    wakes: Wakes,
) -> Poller:
    """Return who polls a line. Raises SecretError."""
    settings = site.lines[name]
    polled = []
    for device in site.devices.values():
        if device.line == name:
            driver = driver_of(device, line)
            reported = device.profile.reported
            polled.append(
                Polled(driver, groups(reported, judged[device.name], device.every, device.alarm_every))
            )
    period = min((device.alarm_every for device in site.devices.values() if device.line == name), default=0.0)
    phase = min(period, 1.0) * list(site.lines).index(name) / len(site.lines)
    timing = Timing(timeout=settings.timeout, phase=phase, inflight=settings.inflight)
    # A serial line has enough to do with its own wire: there a late beginning would be lost time.
    return Poller(name, line, polled, pipeline.accept, clock, timing, None if settings.serial else wakes)


def polls_over_tcp(site: Site) -> float:
    """Return about how many polls a second TCP lines have; devices that speak by themselves count too."""
    periods = [
        period
        for device in site.devices.values()
        if not site.lines[device.line].serial
        for period in {device.every, device.alarm_every}
    ]
    return sum(1.0 / max(period, SHORTEST) for period in periods)


def driver_of(device: DeviceSettings, line: AnyLine) -> Device:
    """Return what talks to one device. Raises SecretError."""
    password = None if device.password is None else reveal(device.password, f"devices.{device.name}.password")
    try:
        return make_device(device.name, device.profile, device.address, line, password)
    except ValueError as error:
        raise SecretError(f"devices.{device.name}.password: {error}") from None
