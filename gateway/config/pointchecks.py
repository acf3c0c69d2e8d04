"""Checks what a site says of one device against its profile: ports, points, and the points its rules need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.registry import PROTOCOLS
from gateway.config.report import suggest
from gateway.language import say
from rules.kinds.deviation import Deviation

if TYPE_CHECKING:
    from drivers.line.settings import LineSettings
    from drivers.profile import Profile
    from gateway.config.devices import RawDevice
    from gateway.config.report import Path, Report
    from gateway.config.rule import Merged
    from gateway.config.settings import DeviceEntry


class PointChecks:
    """The checks of one device; what is wrong goes into the report."""

    def __init__(self, raw: RawDevice, entry: DeviceEntry, report: Report) -> None:
        self._raw, self._entry, self._report = raw, entry, report

    def _say(self, path: Path, what: str, *, key: bool = False) -> None:
        self._report.add(self._raw.place, (*self._raw.path, *path), what, key=key)

    def _note(self, zh: str, en: str) -> None:
        self._report.note(say(f"{self._raw.name}：{zh}", f"{self._raw.name}: {en}"))

    def has_ports(self, profile: Profile) -> bool:
        """Check that the model can have so many ports."""
        count = self._entry.ports
        if count is None:
            return True
        most = 0 if profile.ports is None else profile.ports.count
        if 1 <= count <= most:
            return True
        zh, en = "这个型号没有端口", "the profile has no ports"
        if most:
            zh = f"这个型号有 1 到 {most} 个端口，现在是 {count}"
            en = f"the profile knows 1 to {most} ports, not {count}"
        self._say(("ports",), say(zh, en))
        return False

    def points(self, profile: Profile, line: LineSettings | None) -> None:
        """Check that the points a device block names are there."""
        entry = self._entry
        no_such = say("这个型号没有这样的测点", "the profile has no such point")
        for point in entry.baseline:
            if point not in profile.reported:
                what = f"{no_such}{suggest(point, profile.reported)}"
                self._say(("baseline", point), what, key=True)
        writable = [name for name, point in profile.points.items() if point.write is not None]
        for index, name in enumerate(entry.allow_writes):
            if name not in profile.points:
                self._say(("allow_writes", index), f"{no_such}{suggest(name, writable)}")
            elif name not in writable:
                en = f"the profile does not allow writing {name}"
                self._say(("allow_writes", index), say(f"这个型号不允许写 {name}", en))
        locked = line is not None and entry.password is None and PROTOCOLS[line.protocol].password
        if entry.allow_writes and locked:
            self._note(
                "没有密码，它不接受命令；请设 `password: {file: 路径}`",
                "it takes no orders without its password; set `password: {file: PATH}`",
            )

    def rules(self, profile: Profile, merged: Merged) -> None:
        """Check that each rule finds its points; tell of those that do not work, or later."""
        for rule in merged.rules:
            for point in rule.inputs():
                if point in profile.points or point in profile.derive:
                    continue
                if point in self._entry.map:
                    en = f'; with point {point} taken away, the rule needs off: "<reason>"'
                    hint = say(f'；测点 {point} 已去掉，这条规则要写 off: "<原因>"', en)
                else:
                    hint = suggest(point, profile.reported)
                what = say(f"没有测点 '{point}'", f"there is no point '{point}'")
                self._say(("rules", rule.name, "point"), f"{what}{hint}")
        for rule in merged.rules:
            if isinstance(rule, Deviation) and not rule.assume_zero:
                self._baseline(rule)
        for name, reason in merged.off.items():
            self._note(f"规则 {name} 已停用：{reason}", f"rule {name} is off: {reason}")
        for note in merged.notes:
            self._note(f"规则 {note}", f"rule {note}")

    def _baseline(self, rule: Deviation) -> None:
        """Say that a rule sleeps until the installed position is known."""
        if missing := [point for point in rule.points if point not in self._entry.baseline]:
            self._note(
                f"规则 {rule.name} 暂不工作：没有 {'、'.join(missing)} 的基准",
                f"rule {rule.name} sleeps: there is no baseline of {', '.join(missing)}",
            )
