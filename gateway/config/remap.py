"""Applies what a site says under `map` to a profile: registers and scales of its own, points left out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from drivers.checks import check, unconfirmed
from drivers.registers import PointType
from drivers.registry import FAMILIES
from gateway.config.profiles import point_shape, raw_point
from gateway.config.report import suggest
from gateway.language import say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.profile import Point, Profile
    from gateway.config.profiles import Entry
    from gateway.config.report import Path, Place, Report

MINE = frozenset({"points", "derive"})  # rules are checked when they are merged, the persona is made to fit


def remap(
    shipped: Entry, changes: Mapping[str, dict[str, Any] | None], place: Place, path: Path, report: Report
) -> Profile | None:
    """Return the profile with the `changes` at `path`; None after all mistakes went into the report."""
    before = report.count
    points = _changed(shipped, changes, place, path, report)
    for name, point in points.items():
        if left_open := unconfirmed(point, changes.get(name) or {}):
            zh = f"测点 {name} 的 {'、'.join(left_open)} 没有资料；请按实际设备在这里写明"
            en = f"nobody stated {', '.join(left_open)} of point {name}; set it here, by the real device"
            report.add(place, (*path, name), say(zh, en))
    if report.count > before:
        return None
    if not changes:
        return shipped.profile
    profile = replace(shipped.profile, points=points, **_plays(shipped.profile, points))
    for problem in check(profile, FAMILIES):
        if problem.path[0] in MINE:
            report.add(place, (*path, *problem.path[1:]), problem.what)
    return profile if report.count == before else None


def _changed(
    shipped: Entry, changes: Mapping[str, dict[str, Any] | None], place: Place, path: Path, report: Report
) -> dict[str, Point]:
    points = dict(shipped.profile.points)
    for name, change in changes.items():
        if name not in points and (change is None or not change.keys() & {"register", "item"}):
            what = say(f"型号 {shipped.name} 没有这个测点", f"profile {shipped.name} has no such point")
            report.add(place, (*path, name), what + suggest(name, points), key=True)
        elif change is None:
            del points[name]
        else:
            merged = {**raw_point(shipped, name), **change}
            point = point_shape().read(merged, place, (*path, name), report)
            if point is not None:
                points[name] = point
    return points


def _plays(profile: Profile, points: Mapping[str, Point]) -> dict[str, Any]:
    """Return persona and dramas for these points: a point that the site added stands still."""
    if not profile.persona:
        return {}
    persona = {name: profile.persona.get(name) or _still(point) for name, point in points.items()}
    dramas = {
        drama: {name: shape for name, shape in shapes.items() if name in points}
        for drama, shapes in profile.dramas.items()
    }
    return {"persona": persona, "dramas": {drama: shapes for drama, shapes in dramas.items() if shapes}}


def _still(point: Point) -> dict[str, Any]:
    if point.enum:
        return {"play": "code", "value": next(iter(point.enum.values()))}
    if point.type in {PointType.BOOL, PointType.STRING}:
        return {"play": "code", "value": False if point.type is PointType.BOOL else ""}
    low, high = point.range or (0.0, 0.0)
    return {"play": "constant", "value": (low + high) / 2}
