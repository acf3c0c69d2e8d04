"""How busy each line of a site will be, before it runs. The arithmetic is `drivers.budget`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from drivers.budget import Budget, Load, budget
from drivers.registry import PROTOCOLS
from gateway.language import say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drivers.budget import Request
    from drivers.line.settings import LineSettings
    from gateway.config.settings import DeviceSettings, Site

    Plans = dict[tuple[int, tuple[str, ...]], tuple[Request, ...]]

FULL = 1.0  # more cannot be done
TIGHT = 0.8  # no room left for repeats after noise, or for commands


def line_budgets(site: Site) -> dict[str, Budget]:
    """Return the budget of each line, with the turnaround that a device usually has."""
    found: dict[str, Budget] = {}
    of_alike: dict[LineSettings, Plans] = {}  # plans serve all lines that differ only in where they lead
    for name, line in site.lines.items():
        alike = replace(
            line, name="", serial=line.serial and "", tcp=line.tcp and "", listen=line.listen and ""
        )
        plans = of_alike.setdefault(alike, {})
        devices = [device for device in site.devices.values() if device.line == name]
        found[name] = budget([load for device in devices for load in loads(device, line, plans)])
    return found


def loads(device: DeviceSettings, line: LineSettings, plans: Plans) -> Iterator[Load]:
    """Yield what one device asks of its line: points that rules judge, and the others at their own period.

    `plans` keeps what was planned: a line has many devices of one profile.
    """
    points = device.profile.points

    def planned(some: tuple[str, ...]) -> tuple[Request, ...]:
        key = (id(device.profile), some)
        if key not in plans:
            plans[key] = PROTOCOLS[line.protocol].requests(device.profile, some, line)
        return plans[key]

    judged = device.profile.needs([point for rule in device.rules for point in rule.inputs()])
    if device.alarm_every >= device.every:
        yield Load(device.name, planned(tuple(points)), device.every, alarm=bool(judged))
        return
    yield Load(device.name, planned(judged), device.alarm_every, alarm=True)
    yield Load(device.name, planned(tuple(n for n in points if n not in judged)), device.every)


def overfull(site: Site, budgets: dict[str, Budget]) -> list[str]:
    """Return what is wrong with lines that cannot keep the periods of their devices."""
    return [
        f"{site.path}: lines.{name}: "
        + say(
            f"占用 {found.utilisation:.0%}：全部读一遍要 {found.round:.2f} s；"
            "请加长设备的 `every`、提高波特率，或再加一条线路",
            f"{found.utilisation:.0%} busy: reading everything once takes {found.round:.2f} s; "
            "give its devices a longer `every`, a higher baud, or a second line",
        )
        for name, found in budgets.items()
        if found.utilisation > FULL
    ]


def tight(budgets: dict[str, Budget]) -> list[str]:
    """Return a warning for each line that has little room left."""
    return [
        say(
            f"线路 {name} 占用 {found.utilisation:.0%}：留给重发和命令的余量很少",
            f"line {name} is {found.utilisation:.0%} busy: little room is left for repeats and commands",
        )
        for name, found in budgets.items()
        if TIGHT < found.utilisation <= FULL
    ]
