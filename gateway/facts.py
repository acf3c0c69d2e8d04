"""What those outside are told of a device beside its readings: kind, place, owner; events written with it."""

from __future__ import annotations

from dataclasses import fields
from functools import partial
from typing import TYPE_CHECKING, Any

from drivers.ports import ports_of
from gateway import telemetry
from gateway.faults import GATEWAY, line_device
from gateway.links import encode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.config import DeviceSettings, Site
    from gateway.config.settings import Area, Place
    from gateway.model import AlarmEvent, Sample

UNKNOWN = encode.Facts("")


def site_facts(site: Site) -> dict[str, encode.Facts]:
    """Return the facts of every device, of the gateway and of its lines."""
    facts = {name: _facts_of(device) for name, device in site.devices.items()}
    facts[GATEWAY] = encode.Facts("gateway")
    facts |= {interlock.device: encode.Facts("interlock") for interlock in site.interlocks}
    facts |= {home: encode.Facts("site", zone=home.partition(".")[2]) for home in site.rules}
    return facts | {line_device(line): encode.Facts("line") for line in site.lines}


def site_places(site: Site) -> dict[str, dict[str, Any]]:
    """Return where each device is, without what nobody said."""
    return {name: _said(device.place) for name, device in site.devices.items()}


def event_writer(facts: Mapping[str, encode.Facts], topics: encode.Topics) -> Callable[[AlarmEvent], bytes]:
    """Return what writes the record of an event.

    An alarm may outlive its device: taken out of the site, it is closed at the next start.
    """

    def write(event: AlarmEvent) -> bytes:
        return encode.event(event, facts.get(event.device, UNKNOWN), topics)

    return write


def line_writers(site: Site) -> dict[str, Callable[[Sample], str]]:
    """Return what writes the samples of each device, of the gateway and of its lines as line protocol."""
    found: dict[str, Callable[[Sample], str]] = {
        name: telemetry.Encoder(device.profile.kind, name, ports_of(device.profile)).encode
        for name, device in site.devices.items()
    }
    found[GATEWAY] = partial(_health_line, telemetry.head(telemetry.GATEWAY_HEALTH, {}))
    for name in site.lines:
        head = telemetry.head(telemetry.LINE_HEALTH, {"line": name})
        found[line_device(name)] = partial(_health_line, head)
    return found


def _health_line(head: str, sample: Sample) -> str:
    return telemetry.line_of(head, sample.values, sample.at)


def _facts_of(device: DeviceSettings) -> encode.Facts:
    area = _said(device.area)
    place, zone, owner = _said(device.place), device.zone, device.owner
    return encode.Facts(device.profile.kind, {}, place, area, zone, owner, device.foreign)


def _said(settings: Place | Area) -> dict[str, Any]:
    pairs = ((field.name, getattr(settings, field.name)) for field in fields(settings))
    return {name: value for name, value in pairs if value not in {None, ""}}
