"""The interlocks of a site file: what they name must be there, allowed, and never open a valve by itself."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import cache
from typing import TYPE_CHECKING, Any

from drivers.points import refusal
from gateway.config.fields import NAME
from gateway.config.outputs import InterlockEntry
from gateway.config.report import describe, must_be, must_be_name, suggest
from gateway.config.validate import Shape
from gateway.language import say
from rules.interlock import Interlock, OnStop, Release, Target

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from drivers.profile import Point
    from gateway.config.report import Path, Place, Report
    from gateway.config.settings import DeviceSettings
    from gateway.model import Value
    from rules.rule import AlarmKey, Rule

FAILED = "interlock-failed"


@cache
def interlock_shape() -> Shape[InterlockEntry]:
    """Return the form of one interlock."""
    return Shape(InterlockEntry)


class InterlockReader:
    """Reads the block; every mistake goes into the report."""

    def __init__(
        self, devices: Mapping[str, DeviceSettings], alarms: Iterable[AlarmKey], report: Report
    ) -> None:
        """`alarms`: all there are at this site, of interlocks not yet."""
        self._devices, self._report = devices, report
        self._alarms = {"/".join(key): key for key in alarms}
        self._orders: dict[tuple[str, str], tuple[str, Value]] = {}

    def read(self, block: Mapping[Any, Any], place: Place) -> tuple[Interlock, ...]:
        """Return the interlocks that are right."""
        for name in block:
            self._alarms[f"interlock.{name}/{FAILED}"] = (f"interlock.{name}", FAILED)
        made = [self._read_one(str(name), data, place) for name, data in block.items()]
        return tuple(each for each in made if each is not None)

    def _read_one(self, name: str, data: object, place: Place) -> Interlock | None:
        path, before = ("interlocks", name), self._report.count
        if not NAME.fullmatch(name) or len(name) > 64:
            self._report.add(place, path, must_be_name(), key=True)
        entry = interlock_shape().read(data, place, path, self._report)
        if entry is None:
            return None
        when = self._when(name, entry.when, place, (*path, "when"))
        self._target(entry, place, path)
        if self._report.count > before:
            return None
        order = Target(device=entry.order.device, point=entry.order.point, value=entry.order.value)
        self._one_will(name, order, place, path)
        back = entry.release
        return Interlock(
            name=name,
            when=when,
            order=order,
            level=entry.level,
            delay=entry.delay,
            release=None if back is None else Release(value=back.value, after=back.after),
            within=entry.within,
            give_up=entry.give_up,
            per_hour=entry.per_hour,
            drill=entry.drill,
            hold=entry.hold,
            on_stop=OnStop(entry.on_stop),
            hardware=entry.hardware,
        )

    def _when(self, name: str, patterns: Iterable[str], place: Place, path: Path) -> tuple[AlarmKey, ...]:
        """Return the alarms that are meant; a pattern without any is a mistake."""
        found: dict[AlarmKey, None] = {}
        for index, pattern in enumerate(patterns):
            keys = [key for text, key in self._alarms.items() if fnmatchcase(text, pattern)]
            own = (f"interlock.{name}", FAILED)
            if not keys:
                en = f"there is no alarm '{pattern}' (DEVICE/RULE)"
                what = say(f"没有告警 '{pattern}'（设备/规则）", en) + suggest(pattern, self._alarms)
                self._report.add(place, (*path, index), what)
            elif own in keys and len(keys) == 1:
                en = "an interlock does not wait for its own failure"
                self._report.add(place, (*path, index), say("联锁不能等待自己的失败告警", en))
            found.update(dict.fromkeys(key for key in keys if key != own))
        if not found and not patterns:
            zh = "没有写告警：请写 设备/规则，也可用通配写法，例如 gas-*/lel-high"
            en = "names no alarm: give DEVICE/RULE, patterns such as gas-*/lel-high"
            self._report.add(place, path, say(zh, en))
        return tuple(found)

    def _target(self, entry: InterlockEntry, place: Place, path: Path) -> None:
        """Check that the order, and the way back, is one the site allows."""
        order, report = entry.order, self._report
        device = self._devices.get(order.device)
        if device is None:
            what = say(f"没有设备 '{order.device}'", f"there is no device '{order.device}'")
            report.add(place, (*path, "order", "device"), what + suggest(order.device, self._devices))
            return
        point = device.profile.points.get(order.point)
        if point is None or point.write is None:
            writable = [name for name, p in device.profile.points.items() if p.write is not None]
            zh = f"{order.device} 没有可写的测点 '{order.point}'"
            what = say(zh, f"{order.device} has no point '{order.point}' that can be written")
            report.add(place, (*path, "order", "point"), what + suggest(order.point, writable))
            return
        if order.point not in device.allow_writes:
            zh = f"站点未允许写入：请在 {order.device} 处写 allow_writes: [{order.point}]"
            en = f"the site does not allow it: write allow_writes: [{order.point}] at {order.device}"
            report.add(place, (*path, "order", "point"), say(zh, en))
        self._values(entry, point, place, path)
        if not (point.readable and point.write.read_back):
            zh = f"联锁 {path[-1]}：{order.device}.{order.point} 不能回读，无法确认是否动作"
            en = f"{order.device}.{order.point} cannot be read back: nothing proves it"
            report.note(say(zh, f"interlock {path[-1]}: {en}"))

    def _values(self, entry: InterlockEntry, point: Point, place: Place, path: Path) -> None:
        """Check what is to be written there."""
        order, release, report = entry.order, entry.release, self._report
        automatic = None if point.write is None else point.write.automatic
        wishes = {"order": order.value} | ({} if release is None else {"release": release.value})
        for key, value in wishes.items():
            if why := _unfit(value):
                report.add(place, (*path, key, "value"), why)
            elif why := refusal(point, value):
                report.add(place, (*path, key, "value"), say(f"不能写 {describe(value)}：{why}", why))
            elif automatic is not None and value not in automatic:
                zh = f"{describe(value)} 只能由人下令；联锁只能下令 {'、'.join(automatic) or '（无）'}"
                allowed = ", ".join(automatic) or "nothing"
                en = f"only a person may order {describe(value)}; an interlock may order {allowed}"
                report.add(place, (*path, key, "value"), say(zh, en))
        if release is not None and release.value == order.value:
            what = say("与联锁自己的命令相同", "is what the interlock orders itself")
            report.add(place, (*path, "release", "value"), what)
        if automatic is not None and not entry.hold:
            zh = "这个输出只能由人恢复，告警未消时不得恢复：hold 请不要改"
            en = "only a person moves this output back, and never against an alarm: leave hold as it is"
            report.add(place, (*path, "hold"), say(zh, en))
        if entry.on_stop == "release" and release is None:
            en = "needs release: what is to be put back, and to what?"
            report.add(place, (*path, "on_stop"), say("还需要 release：要恢复什么、恢复成什么？", en))

    def _one_will(self, name: str, order: Target, place: Place, path: Path) -> None:
        """Refuse two interlocks that would pull one output two ways."""
        other, value = self._orders.setdefault((order.device, order.point), (name, order.value))
        if value != order.value:
            zh = f"联锁 {other} 对同一测点下令 {describe(value)}：两个告警会互相冲突"
            en = f"interlock {other} orders {describe(value)} of the same point: two alarms would fight"
            self._report.add(place, (*path, "order", "value"), say(zh, en))


def alarms_of(
    devices: Mapping[str, DeviceSettings], homes: Mapping[str, tuple[Rule, ...]], own: Iterable[AlarmKey]
) -> list[AlarmKey]:
    """Return the names of all alarms of a site; `own`: those of the gateway and its lines."""
    rules = {name: device.rules for name, device in devices.items()} | dict(homes)
    found = [
        (home, each.name)
        for home, several in rules.items()
        for rule in several
        for each in (rule, *rule.companions())
    ]
    return [*found, *own]


def _unfit(value: object) -> str:
    """Say why this can never be a value; "" when it can."""
    if isinstance(value, bool | int | float | str):
        return ""
    return must_be("数字、词、true 或 false", "a number, a word, true or false", value)
