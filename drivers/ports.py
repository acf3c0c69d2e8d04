"""Devices with many ports alike: what a profile's `ports` says once is written out for each port. Pure.

A point `power` becomes `power_3`, a rule `over-power` becomes `over-power-p3`, a drama `overload`
`overload-p3`; in texts and items `{port}` becomes 3. Rules and personas name the points of their own port
without number.

In telemetry a port is a tag: the line of port 3 carries `port=3` and the field `power` (`gateway.telemetry`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.profile import Point, Ports, Profile

MARK = "{port}"
_NAMING = frozenset({"point", "points", "of"})  # keys under which rules and shapes name points


class OfPort(NamedTuple):
    """Which port a point belongs to, and what it is called there."""

    port: int
    name: str


def port_point(name: str, port: int) -> str:
    """Return the device's name of a point of one port."""
    return f"{name}_{port}"


def port_rule(name: str, port: int) -> str:
    """Return the device's name of a rule or drama of one port."""
    return f"{name}-p{port}"


def expand(profile: Profile) -> Profile:
    """Return the profile with its ports written out; `ports` stays, and says which points are whose."""
    ports = profile.ports
    if ports is None:
        return profile
    points, rules = dict(profile.points), dict(profile.rules)
    persona, dramas = dict(profile.persona), dict(profile.dramas)
    for port in range(1, ports.count + 1):
        points |= {port_point(n, port): _point(p, ports, port) for n, p in ports.points.items()}
        rules |= {port_rule(n, port): written(r, ports, port) for n, r in ports.rules.items()}
        persona |= {port_point(n, port): written(s, ports, port) for n, s in ports.persona.items()}
        dramas |= {port_rule(n, port): _drama(d, ports, port) for n, d in ports.dramas.items()}
    return replace(profile, points=points, rules=rules, persona=persona, dramas=dramas)


def shorten(profile: Profile, count: int) -> Profile:
    """Return an expanded profile for a device that has only `count` of the ports."""
    ports = profile.ports
    if ports is None or count >= ports.count:
        return profile
    gone = range(count + 1, ports.count + 1)
    no_points = {port_point(name, port) for port in gone for name in ports.points}
    no_rules = {port_rule(name, port) for port in gone for name in ports.rules}
    no_dramas = {port_rule(name, port) for port in gone for name in ports.dramas}
    return replace(
        profile,
        ports=replace(ports, count=count),
        points={name: point for name, point in profile.points.items() if name not in no_points},
        rules={name: rule for name, rule in profile.rules.items() if name not in no_rules},
        persona={name: shape for name, shape in profile.persona.items() if name not in no_points},
        dramas={name: drama for name, drama in profile.dramas.items() if name not in no_dramas},
    )


def for_each(profile: Profile, rules: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return a site's changes: `over-power` is meant for every port, `over-power-p3` goes before it."""
    ports = profile.ports
    if ports is None:
        return dict(rules)
    found: dict[str, dict[str, Any]] = {}
    for name, change in rules.items():
        if name in ports.rules:
            found |= {port_rule(name, port): change for port in range(1, ports.count + 1)}
    own = {name: change for name, change in rules.items() if name not in ports.rules}
    return {name: {**found.get(name, {}), **own.get(name, {})} for name in {**found, **own}}


def as_written(profile: Profile, rules: Mapping[str, Any]) -> dict[str, str]:
    """Return under which name a site wrote the changes of a port's rule: `over-power` for all ports."""
    ports = profile.ports
    if ports is None:
        return {}
    each = ((name, port_rule(name, port)) for name in ports.rules for port in range(1, ports.count + 1))
    return {mine: name for name, mine in each if name in rules and mine not in rules}


def ports_of(profile: Profile) -> dict[str, OfPort]:
    """Return to which port each point belongs; those of the whole device are left out."""
    ports = profile.ports
    if ports is None:
        return {}
    return {
        port_point(name, port): OfPort(port, name)
        for port in range(1, ports.count + 1)
        for name in ports.points
    }


def written(data: Any, ports: Ports, port: int) -> Any:  # noqa: ANN401  what YAML holds
    """Return a rule or shape for one port: texts with its number, points with their names."""
    if isinstance(data, str):
        return data.replace(MARK, str(port))
    if isinstance(data, dict):
        return {
            key: _named(value, ports, port) if key in _NAMING else written(value, ports, port)
            for key, value in data.items()
        }
    if isinstance(data, list | tuple):
        return type(data)(written(value, ports, port) for value in data)
    return data


def _named(value: Any, ports: Ports, port: int) -> Any:  # noqa: ANN401  a name, or several
    if isinstance(value, str):
        return port_point(value, port) if value in ports.points else value
    if isinstance(value, list | tuple):
        return type(value)(_named(each, ports, port) for each in value)
    return value


def _drama(drama: Mapping[str, Any], ports: Ports, port: int) -> dict[str, Any]:
    return {_named(name, ports, port): written(shape, ports, port) for name, shape in drama.items()}


def _point(point: Point, ports: Ports, port: int) -> Point:
    verdict = point.quality_from
    if verdict is not None:
        verdict = replace(verdict, point=_named(verdict.point, ports, port))
    return replace(
        point,
        item=point.item.replace(MARK, str(port)),
        name={language: text.replace(MARK, str(port)) for language, text in point.name.items()},
        scale_from=_named(point.scale_from, ports, port),
        quality_from=verdict,
    )


def origin(path: tuple[Any, ...], profile: Profile) -> tuple[Any, ...]:
    """Return where in the profile's file something stands that was written out for a port."""
    ports = profile.ports
    if ports is None or len(path) < 2 or not isinstance(path[1], str):
        return path
    group, name, *rest = path
    for port in range(1, ports.count + 1):
        ends = {f"_{port}": "points persona", f"-p{port}": "rules dramas"}
        for end, groups in ends.items():
            base = name.removesuffix(end)
            if base != name and group in groups and base in getattr(ports, group):
                return ("ports", group, base, *rest)
    return path
