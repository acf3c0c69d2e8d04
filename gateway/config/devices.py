"""Checks the devices of a site and makes them ready to run: profile re-mapped, rules merged."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from drivers.ports import as_written, for_each, shorten
from drivers.registry import PROTOCOLS
from gateway.config import fields
from gateway.config.remap import remap
from gateway.config.report import Path, Place, Report, describe, suggest
from gateway.config.rule import RuleBook
from gateway.config.settings import DeviceEntry, DeviceSettings
from gateway.config.validate import Shape
from rules.kinds.deviation import Deviation

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from drivers.line.settings import LineSettings
    from drivers.profile import Profile
    from gateway.config.profiles import Entry, Library
    from rules.rule import Rule

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
            what = "must be a name of small letters, digits and single hyphens (at most 64)"
            self._report.add(raw.place, raw.path, what, key=True)
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
            self._say(raw, ("line",), f"there is no line '{entry.line}'{suggest(entry.line, self._declared)}")
            return
        line = self._lines.get(entry.line)
        if "address" not in broken:
            self._check_address(raw, entry, line)
        if line is None:
            return
        if entry.password is not None and not PROTOCOLS[line.protocol].password:
            self._say(raw, ("password",), f"devices on a {line.protocol} line take none", key=True)
        family = PROTOCOLS[line.protocol].family.name
        if shipped is not None and shipped.profile.protocol != family:
            spoken = shipped.profile.protocol
            self._say(raw, ("profile",), f"speaks {spoken}, but line {line.name} is {line.protocol}")
        elif shipped is not None and (why := PROTOCOLS[line.protocol].unfit(shipped.profile)):
            self._say(raw, ("profile",), f"{why} (line {line.name} is {line.protocol})")

    def _check_address(self, raw: RawDevice, entry: DeviceEntry, line: LineSettings | None) -> None:
        """Check that the address is one of the protocol and still free."""
        address = entry.address
        if line is not None:
            try:
                address = PROTOCOLS[line.protocol].address(address)
            except ValueError as error:
                what = f"{error} on a {line.protocol} line, not {describe(address)}"
                self._say(raw, ("address",), what)
                return
        taken = self._addresses[entry.line]
        owner = taken.setdefault(address, raw.name)
        if owner != raw.name:
            self._say(raw, ("address",), f"{owner} has address {address} on line {entry.line} already")
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
                what = f"{address} reaches {owner} ({other}) too, and both would answer at once"
                self._say(raw, ("address",), f"{what}; a wildcard is for the only meter of a line")

    def _assemble(self, raw: RawDevice, entry: DeviceEntry, shipped: Entry) -> DeviceSettings | None:
        defaults = shipped.profile.defaults
        every = entry.every or defaults.every
        alarm_every = entry.alarm_every or min(every, defaults.alarm_every or every)
        if alarm_every > every:
            self._say(raw, ("alarm_every",), f"must be at most every ({every:g} s), not {alarm_every:g} s")
        if alarm_every < shipped.profile.limits.min_interval:
            key = "alarm_every" if entry.alarm_every else "every"
            least = shipped.profile.limits.min_interval
            self._say(
                raw, (key,), f"the device can be asked every {least:g} s at most, not every {alarm_every:g} s"
            )
        profile = self._remapped(raw, entry, shipped)
        if profile is None:
            return None
        self._check_points(raw, entry, profile)
        merged = self._book.merge(
            shipped.name,
            profile.rules,
            for_each(profile, entry.rules),
            raw.place,
            (*raw.path, "rules"),
            self._report,
            as_written(profile, entry.rules),
        )
        self._check_rules(raw, entry, profile, merged.rules)
        for rule in merged.rules:
            if isinstance(rule, Deviation) and not rule.assume_zero:
                self._note_baseline(raw, entry, rule)
        for name, reason in merged.off.items():
            self._report.note(f"{raw.name}: rule {name} is off: {reason}")
        for note in merged.notes:
            self._report.note(f"{raw.name}: rule {note}")
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
        told = f"{raw.name}: belongs to gateway {entry.gateway}: marked foreign, and nobody is told from here"
        self._report.note(told)
        return entry.gateway

    def _remapped(self, raw: RawDevice, entry: DeviceEntry, shipped: Entry) -> Profile | None:
        """Return the re-mapped profile; many devices of a site share one `map`, which is applied once."""
        if entry.ports is not None and not self._has_ports(raw, entry.ports, shipped.profile):
            return None
        key = shipped.name, repr((entry.map, entry.ports))
        profile = self._maps.get(key)
        if profile is None:
            profile = remap(shipped, entry.map, raw.place, (*raw.path, "map"), self._report)
            if profile is not None:
                profile = profile if entry.ports is None else shorten(profile, entry.ports)
                self._maps[key] = profile
        return profile

    def _has_ports(self, raw: RawDevice, count: int, profile: Profile) -> bool:
        """Check that the model can have so many ports."""
        most = 0 if profile.ports is None else profile.ports.count
        if 1 <= count <= most:
            return True
        what = f"the profile knows 1 to {most} ports, not {count}" if most else "the profile has no ports"
        self._say(raw, ("ports",), what)
        return False

    def _check_points(self, raw: RawDevice, entry: DeviceEntry, profile: Profile) -> None:
        """Check that the points a device block names are there."""
        for point in entry.baseline:
            if point not in profile.reported:
                what = f"the profile has no such point{suggest(point, profile.reported)}"
                self._say(raw, ("baseline", point), what, key=True)
        writable = [name for name, point in profile.points.items() if point.write is not None]
        for index, name in enumerate(entry.allow_writes):
            if name not in profile.points:
                self._say(
                    raw, ("allow_writes", index), f"the profile has no such point{suggest(name, writable)}"
                )
            elif name not in writable:
                self._say(raw, ("allow_writes", index), f"the profile does not allow writing {name}")
        line = self._lines.get(entry.line)
        if (
            entry.allow_writes
            and line is not None
            and entry.password is None
            and PROTOCOLS[line.protocol].password
        ):
            self._report.note(
                f"{raw.name}: it takes no orders without its password; set `password: {{file: PATH}}`"
            )

    def _note_baseline(self, raw: RawDevice, entry: DeviceEntry, rule: Deviation) -> None:
        """Say that a rule sleeps until the installed position is known."""
        if missing := [point for point in rule.points if point not in entry.baseline]:
            self._report.note(
                f"{raw.name}: rule {rule.name} sleeps: there is no baseline of {', '.join(missing)}"
            )

    def _check_rules(
        self, raw: RawDevice, entry: DeviceEntry, profile: Profile, rules: tuple[Rule, ...]
    ) -> None:
        """Check that each rule finds its points."""
        for rule in rules:
            for point in rule.inputs():
                if point in profile.points or point in profile.derive:
                    continue
                if point in entry.map:
                    hint = f'; with point {point} taken away, the rule needs off: "<reason>"'
                else:
                    hint = suggest(point, profile.reported)
                self._say(raw, ("rules", rule.name, "point"), f"there is no point '{point}'{hint}")
