"""Reads a site file and everything it names. The way in: `load`."""

from __future__ import annotations

import pathlib
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from gateway.config import document, fields
from gateway.config.bind import Binder
from gateway.config.devices import DeviceReader, RawDevice
from gateway.config.far import ConsoleSettings
from gateway.config.interlocks import InterlockReader, alarms_of
from gateway.config.ledger import read_ledger
from gateway.config.lines import port, read_lines
from gateway.config.outputs import OrdersSettings
from gateway.config.profiles import Library
from gateway.config.report import Report, must_be, suggest
from gateway.config.settings import DeviceSettings, Head, Site, StoreSettings
from gateway.config.siterules import SiteRules, inventory
from gateway.config.validate import Shape
from gateway.faults import specs
from gateway.language import say
from rules.ladders import NAMES as LADDERS
from rules.site import Member

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from drivers.line.settings import LineSettings
    from gateway.config.document import Document
    from rules.interlock import Interlock
    from rules.rule import Rule

VERIFIED = ("fire_gas_red", "red")  # the ladders that a fire may climb
CENTRE = ("fire_center", "fire_centre")


@cache
def head_shape() -> Shape[Head]:
    """Return the form of a site file, its lines and devices left open."""
    return Shape(Head)


def load(path: pathlib.Path) -> Site:
    """Read a site file with its ledger and profiles. Raises ConfigError with every mistake in them."""
    report = Report(str(path))
    site = _read(pathlib.Path(path), report)
    report.finish()
    if site is None:  # nothing is refused without a reason
        raise AssertionError(f"{path}: refused without a message")
    return site


def _read(path: pathlib.Path, report: Report) -> Site | None:
    found = document.read(path, report)
    if found is None:
        return None
    data = found.data
    if not isinstance(data, dict):
        zh, en = "一组键（site、gateway、lines……）", "a block of keys (site, gateway, lines ...)"
        report.at(found.file, 1, "", must_be(zh, en, data))
        return None
    context = {"base": path.parent, "demo": data.get("demo") is True}
    head = head_shape().read(data, found, (), report, context=context)
    declared = _block(data, "lines")
    lines = read_lines(declared, found, report)
    raw = _raw_devices(path, found, report)
    devices = _devices(path, raw, found, lines, report)
    devices, rules = _rules(raw, devices, found, report)
    interlocks = _interlocks(found, lines, devices, rules, report)
    _names(found, report)
    _listeners(head, lines, found, report)
    if head is None or report.failed:
        return None
    return _site(path, head, lines, devices, rules, interlocks, report)


def _block(data: Mapping[Any, Any], key: str) -> dict[Any, Any]:
    block = data.get(key)
    return block if isinstance(block, dict) else {}


def _raw_devices(path: pathlib.Path, found: Document, report: Report) -> list[RawDevice]:
    data = found.data
    raw = [
        RawDevice(str(name), block, found, ("devices", str(name)))
        for name, block in _block(data, "devices").items()
    ]
    taken = {device.name: f"{found.file}:{found.line(device.path, key=True)}" for device in raw}
    ledger = data.get("ledger")
    if isinstance(ledger, str) and ledger:
        file = path.parent / ledger
        for device in read_ledger(file, str(file), report):
            if device.name in taken:
                zh = f"{device.name} 已经有了，在 {taken[device.name]}"
                en = f"{device.name} is there already, in {taken[device.name]}"
                report.add(device.place, ("name",), say(zh, en))
                continue
            taken[device.name] = f"{device.place.file}:{device.place.line(())}"
            raw.append(device)
    if not raw and not report.failed:
        en = "there is no device: give devices, or a ledger"
        report.add(found, ("devices",), say("没有设备：请给出 devices 或 ledger", en))
    return raw


def _devices(
    path: pathlib.Path,
    raw: list[RawDevice],
    found: Document,
    lines: Mapping[str, LineSettings],
    report: Report,
) -> dict[str, DeviceSettings]:
    library = Library(path.parent)
    reader = DeviceReader(found.data.get("gateway"), lines, _block(found.data, "lines"), library, report)
    made = [reader.read(device) for device in raw]
    return {device.name: device for device in made if device is not None}


def _rules(
    raw: list[RawDevice], devices: Mapping[str, DeviceSettings], found: Document, report: Report
) -> tuple[dict[str, DeviceSettings], dict[str, tuple[Rule, ...]]]:
    """Bind every rule to the site; return the devices with theirs, and those of the site and its zones."""
    site = inventory(devices.values(), _block(found.data, "lines"))
    site |= {each.name: Member() for each in raw if each.name not in devices}  # broken: no more need be said
    binder = Binder(site, report)
    for each in raw:
        for rule in devices[each.name].rules if each.name in devices else ():
            binder.add(each.name, rule, each.place, (*each.path, "rules", rule.name))
    SiteRules(site, binder, report).read(_block(found.data, "rules"), found)
    bound = binder.bind()
    ready = {name: replace(device, rules=bound.get(name, ())) for name, device in devices.items()}
    return ready, {home: rules for home, rules in bound.items() if home not in site or not site[home].real}


def _interlocks(
    found: Document,
    lines: Mapping[str, LineSettings],
    devices: Mapping[str, DeviceSettings],
    rules: Mapping[str, tuple[Rule, ...]],
    report: Report,
) -> tuple[Interlock, ...]:
    """Read the interlocks; not before the devices are right, or every name would seem to be wrong."""
    block = _block(found.data, "interlocks")
    if not block or report.failed:
        return ()
    own = [spec.key for spec in specs(lines)]
    return InterlockReader(devices, alarms_of(devices, rules, own), report).read(block, found)


def _names(found: Document, report: Report) -> None:
    """Check people and ladders: the names they use."""
    people, ladders = _block(found.data, "people"), _block(found.data, "ladders")
    for block, names in (("people", people), ("ladders", ladders)):
        for name in names:
            if not isinstance(name, str) or not fields.LABEL.fullmatch(name):
                en = "must be a word of small letters, digits, - and _"
                what = say("只能用小写字母、数字、- 和 _", en)
                report.add(found, (block, str(name)), what, key=True)
    _accounts(people, found, report)
    known = {str(name) for name in people} | ({CENTRE[0]} if found.data.get("fire_center") else set())
    for ladder, block in ladders.items():
        for path, name in _told(block):
            if name not in known:
                en = f"there is nobody called '{name}' under people"
                what = say(f"people 里没有 '{name}'", en) + suggest(name, known)
                report.add(found, ("ladders", str(ladder), *path), what)
        verify = block.get("verify") if isinstance(block, dict) else None
        if isinstance(verify, dict) and ladder not in VERIFIED:
            zh, en = f"只有火警可以先核实：{'、'.join(VERIFIED)}", f"only a fire waits: {', '.join(VERIFIED)}"
            report.add(found, ("ladders", str(ladder), "verify"), say(zh, en))


def _told(block: object) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield the names of a ladder, each with its place in it."""
    if not isinstance(block, dict):
        return
    steps = block.get("steps")
    places: list[tuple[tuple[str | int, ...], object]] = [(("verify",), block.get("verify"))]
    places += [(("steps", n), step) for n, step in enumerate(steps if isinstance(steps, list) else [])]
    for path, place in places:
        told = place.get("to") if isinstance(place, dict) else None
        for index, name in enumerate(told if isinstance(told, list) else []):
            if isinstance(name, str):
                yield (*path, "to", index), name


def _accounts(people: Mapping[Any, Any], found: Document, report: Report) -> None:
    """Check that an account is one person, and a role somebody's: two persons are asked for some things."""
    owners: dict[str, str] = {}
    for name, person in people.items():
        user = person.get("user") if isinstance(person, dict) else None
        if isinstance(user, str) and (owner := owners.setdefault(user, str(name))) != str(name):
            what = say(f"'{user}' 已是 {owner} 的账户", f"'{user}' is the account of {owner} already")
            report.add(found, ("people", str(name), "user"), what)
        if isinstance(person, dict) and person.get("role") and not user:
            what = say("有角色就要有账户：请同时给出 `user`", "a role needs an account: give `user`, too")
            report.add(found, ("people", str(name), "role"), what)


def _listeners(head: Head | None, lines: Mapping[str, LineSettings], found: Document, report: Report) -> None:
    if head is None or head.console is None:
        return
    own = f"listen {head.console.listen.rsplit(':', 1)[-1]}"
    for name, line in lines.items():
        if port(line) == own:
            what = say(f"线路 {name} 已在监听这个端口", f"line {name} listens on this port already")
            report.add(found, ("console", "listen"), what)


def files_of(head: Head) -> Iterator[tuple[str, pathlib.Path]]:
    """Yield the files that the link needs when it runs: the site may be written on another machine."""
    if head.mqtt is None:
        return
    secrets = () if head.mqtt.password is None else (("mqtt.password", head.mqtt.password.file),)
    named = [(f"mqtt.{key}", getattr(head.mqtt, key)) for key in ("ca", "cert", "key")]
    yield from ((key, file) for key, file in (*named, *secrets) if file is not None)


def _site(
    path: pathlib.Path,
    head: Head,
    lines: Mapping[str, LineSettings],
    devices: Mapping[str, DeviceSettings],
    rules: Mapping[str, tuple[Rule, ...]],
    interlocks: tuple[Interlock, ...],
    report: Report,
) -> Site:
    for name in lines:
        if not any(device.line == name for device in devices.values()):
            report.note(say(f"线路 {name} 没有设备", f"line {name} has no devices"))
    for name in sorted(set(head.ladders or {}) - set(LADDERS)):
        zh = f"通知阶梯 {name} 永远用不上：可用的名称是 {'、'.join(LADDERS)}"
        report.note(say(zh, f"ladder {name} is never climbed: the names are {', '.join(LADDERS)}"))
    if head.fire_center is not None or any(person.reach for person in (head.people or {}).values()):
        zh = "people.reach、fire_center：已检查，但本版本不会呼叫任何人；告警经 MQTT 发出"
        en = "people.reach, fire_center: checked, but this version calls nobody; alarms go out over MQTT"
        report.note(say(zh, en))
    for key, file in files_of(head):
        if not file.exists():
            en = f"{key}: {file} is not there; without it the gateway does not connect"
            report.note(say(f"{key}：{file} 不存在；没有它网关无法连接", en))
    return Site(
        path=path,
        site=head.site,
        gateway=head.gateway,
        name=head.name or {"zh": head.gateway, "en": head.gateway},
        timezone=head.timezone,
        data=head.data,
        demo=head.demo,
        lines=lines,
        devices=devices,
        rules=rules,
        ladders=head.ladders or {},
        people=head.people or {},
        interlocks=interlocks,
        orders=head.orders or OrdersSettings(),
        mqtt=head.mqtt,
        fire_center=head.fire_center,
        console=head.console or ConsoleSettings(),
        store=head.store or StoreSettings(),
        notes=tuple(report.notes),
    )
