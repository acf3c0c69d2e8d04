"""Checks the devices of a site and makes them ready to run: profile re-mapped, rules merged."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from drivers.ports import as_written, for_each, shorten
from drivers.registry import PROTOCOLS
from gateway.config import fields
from gateway.config.pointchecks import PointChecks
from gateway.config.remap import remap
from gateway.config.report import Path, Place, Report, describe, must_be_name, suggest
from gateway.config.rule import RuleBook
from gateway.config.settings import DeviceEntry, DeviceSettings
from gateway.config.validate import Shape
from gateway.language import say

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from drivers.line.settings import LineSettings
    from drivers.profile import Profile
    from gateway.config.profiles import Entry, Library

FILL = {"profile": "?", "line": "?", "address": 0}  # for a device whose own are broken


@cache
def device_shape() -> Shape[DeviceEntry]:
    """Return the form of one device."""
    return Shape(DeviceEntry)


@dataclass(frozen=True, slots=True)
class RawDevice:
    """A device as it was read, and where."""

    name: str
    data: Any
    place: Place
    path: Path


class DeviceReader:
    """Makes devices of what a site file and its ledger say."""

    def __init__(
        self,
        gateway: object,
        lines: Mapping[str, LineSettings],
        declared: Mapping[str, Any],
        library: Library,
        report: Report,
    ) -> None:
        self._gateway = gateway  # the name of this one, as the file has it
        self._lines = lines  # those without mistakes
        self._declared = declared  # all lines the file names
        self._library = library
        self._report = report
        self._book = RuleBook()
        self._maps: dict[tuple[str, str], Profile] = {}
        self._addresses: defaultdict[str, dict[int | str, str]] = defaultdict(dict)  # line, address: owner

    def read(self, raw: RawDevice) -> DeviceSettings | None:
        """Return the device; None after all its mistakes went into the report."""
        before = self._report.count
        if not fields.NAME.fullmatch(raw.name) or len(raw.name) > 64:
            self._report.add(raw.place, raw.path, must_be_name(), key=True)
        entry, broken = device_shape().salvage(raw.data, raw.place, raw.path, self._report, FILL)
        if entry is None:
            return None
        shipped = None
        if "profile" not in broken:
            path = (*raw.path, "profile")
            shipped = self._library.find(entry.profile, raw.place, path, self._report)
        if "line" not in broken:
            self._on_line(raw, entry, shipped, broken)
        if shipped is None:
            return None
        device = self._assemble(raw, entry, shipped)
        return device if self._report.count == before else None

    def _say(self, raw: RawDevice, path: Path, what: str, *, key: bool = False) -> None:
        self._report.add(raw.place, (*raw.path, *path), what, key=key)

    def _on_line(
        self, raw: RawDevice, entry: DeviceEntry, shipped: Entry | None, broken: Collection[str]
    ) -> None:
        """Check the device against its line: is there one, does it speak so, is the address free."""
        if entry.line not in self._declared:
            what = say(f"没有线路 '{entry.line}'", f"there is no line '{entry.line}'")
            self._say(raw, ("line",), what + suggest(entry.line, self._declared))
            return
        line = self._lines.get(entry.line)
        if "address" not in broken:
            self._check_address(raw, entry, line)
        if line is None:
            return
        if entry.password is not None and not PROTOCOLS[line.protocol].password:
            en = f"devices on a {line.protocol} line take none"
            self._say(raw, ("password",), say(f"{line.protocol} 线路上的设备不用密码", en), key=True)
        family = PROTOCOLS[line.protocol].family.name
        if shipped is not None and shipped.profile.protocol != family:
            spoken = shipped.profile.protocol
            zh = f"这个型号用 {spoken} 协议，而线路 {line.name} 是 {line.protocol}"
            en = f"speaks {spoken}, but line {line.name} is {line.protocol}"
            self._say(raw, ("profile",), say(zh, en))
        elif shipped is not None and (why := PROTOCOLS[line.protocol].unfit(shipped.profile)):
            zh = f"不能用在线路 {line.name}（{line.protocol}）上：{why}"
            self._say(raw, ("profile",), say(zh, f"{why} (line {line.name} is {line.protocol})"))

    def _check_address(self, raw: RawDevice, entry: DeviceEntry, line: LineSettings | None) -> None:
        """Check that the address is one of the protocol and still free."""
        address = entry.address
        if line is not None:
            try:
                address = PROTOCOLS[line.protocol].address(address)
            except ValueError as error:
                zh = f"{line.protocol} 线路上不能用地址 {describe(address)}：{error}"
                en = f"{error} on a {line.protocol} line, not {describe(address)}"
                self._say(raw, ("address",), say(zh, en))
                return
        taken = self._addresses[entry.line]
        owner = taken.setdefault(address, raw.name)
        if owner != raw.name:
            zh = f"线路 {entry.line} 上的地址 {address} 已被 {owner} 占用"
            en = f"{owner} has address {address} on line {entry.line} already"
            self._say(raw, ("address",), say(zh, en))
        elif line is not None:
            self._check_overlap(raw, address, line, taken)

    def _check_overlap(
        self, raw: RawDevice, address: int | str, line: LineSettings, taken: Mapping[int | str, str]
    ) -> None:
        """Check that no other device of the line would answer to the address: a wildcard reaches several."""
        overlap = PROTOCOLS[line.protocol].overlap
        if overlap is None:
            return
        for other, owner in taken.items():
            if owner != raw.name and overlap(address, other):
                zh = f"{address} 也会叫到 {owner}（{other}），两台会同时应答；通配地址只用于线路上唯一的表"
                en = f"{address} reaches {owner} ({other}) too, and both would answer at once"
                en += "; a wildcard is for the only meter of a line"
                self._say(raw, ("address",), say(zh, en))

    def _assemble(self, raw: RawDevice, entry: DeviceEntry, shipped: Entry) -> DeviceSettings | None:
        defaults = shipped.profile.defaults
        every = entry.every or defaults.every
        alarm_every = entry.alarm_every or min(every, defaults.alarm_every or every)
        if alarm_every > every:
            zh = f"不能大于 every（{every:g} s），现在是 {alarm_every:g} s"
            en = f"must be at most every ({every:g} s), not {alarm_every:g} s"
            self._say(raw, ("alarm_every",), say(zh, en))
        if alarm_every < shipped.profile.limits.min_interval:
            key = "alarm_every" if entry.alarm_every else "every"
            least = shipped.profile.limits.min_interval
            zh = f"设备最快每 {least:g} s 问一次，现在是每 {alarm_every:g} s"
            en = f"the device can be asked every {least:g} s at most, not every {alarm_every:g} s"
            self._say(raw, (key,), say(zh, en))
        profile = self._remapped(raw, entry, shipped)
        if profile is None:
            return None
        checks = PointChecks(raw, entry, self._report)
        checks.points(profile, self._lines.get(entry.line))
        merged = self._book.merge(
            shipped.name,
            profile.rules,
            for_each(profile, entry.rules),
            raw.place,
            (*raw.path, "rules"),
            self._report,
            as_written(profile, entry.rules),
        )
        checks.rules(profile, merged)
        return DeviceSettings(
            name=raw.name,
            profile=profile,
            profile_name=shipped.name,
            line=entry.line,
            address=self._canonical(entry),
            every=every,
            alarm_every=alarm_every,
            place=entry.place,
            area=entry.area,
            zone=entry.zone,
            owner=entry.owner,
            installed=entry.installed,
            calibrated=entry.calibrated,
            baseline=entry.baseline,
            allow_writes=entry.allow_writes,
            password=entry.password,
            rules=merged.rules,
            rules_off=merged.off,
            foreign=self._foreign(raw, entry),
        )

    def _canonical(self, entry: DeviceEntry) -> int | str:
        """Return the address in the form its protocol wants; as it is where the report names a mistake."""
        line = self._lines.get(entry.line)
        if line is None:
            return entry.address
        try:
            return PROTOCOLS[line.protocol].address(entry.address)
        except ValueError:
            return entry.address

    def _foreign(self, raw: RawDevice, entry: DeviceEntry) -> str:
        """Return the gateway that owns the device, when it is another one."""
        if entry.gateway is None or entry.gateway == self._gateway:
            return ""
        zh = f"{raw.name}：属于网关 {entry.gateway}：标为外部设备，本网关不通知任何人"
        en = f"{raw.name}: belongs to gateway {entry.gateway}: marked foreign, and nobody is told from here"
        self._report.note(say(zh, en))
        return entry.gateway

    def _remapped(self, raw: RawDevice, entry: DeviceEntry, shipped: Entry) -> Profile | None:
        """Return the re-mapped profile; many devices of a site share one `map`, which is applied once."""
        if not PointChecks(raw, entry, self._report).has_ports(shipped.profile):
            return None
        key = shipped.name, repr((entry.map, entry.ports))
        profile = self._maps.get(key)
        if profile is None:
            profile = remap(shipped, entry.map, raw.place, (*raw.path, "map"), self._report)
            if profile is not None:
                profile = profile if entry.ports is None else shorten(profile, entry.ports)
                self._maps[key] = profile
        return profile
