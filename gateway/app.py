"""Wiring, and nothing else: makes the objects, starts one flat group of tasks, stops them in order.

A task handles the failures it expects. One it does not expect ends the whole process with a non-zero status,
and the service manager starts a clean one: no task dies unseen.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from drivers.registry import make_device, make_line
from gateway import __version__, telemetry
from gateway.board import Board
from gateway.commands import Commands
from gateway.config import reveal
from gateway.console.alarms import Alarms
from gateway.console.api import Api, Parts
from gateway.console.server import serve
from gateway.faults import GATEWAY, line_device, specs
from gateway.health import Health
from gateway.host import Host
from gateway.housekeeping import housekeeping
from gateway.links import encode
from gateway.links.mqtt import MqttLink
from gateway.links.mqtt_broker import Broker, Message
from gateway.liveness import Timing
from gateway.pipeline import Pipeline
from gateway.poller import Polled, Poller
from gateway.specs import site_specs
from gateway.store import Lane, Limits, Store
from gateway.turns import groups
from rules.engine import Engine, counted_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from drivers.line import AnyLine
    from gateway.clock import Clock
    from gateway.config import DeviceSettings, MqttSettings, Site
    from gateway.links.link import Link, LinkState
    from gateway.model import AlarmEvent, Sample
    from gateway.notify import Systemd

log = logging.getLogger(__name__)

DRAIN = 5.0  # seconds at the end for what is still on its way


@dataclass(slots=True)
class Gateway:
    """A gateway that is running: what a task, a test or the last report may look at."""

    store: Store
    engine: Engine
    pipeline: Pipeline
    health: Health
    pollers: dict[str, tuple[Poller, AnyLine]]
    links: list[Link] = field(default_factory=list)


async def run(
    site: Site, clock: Clock, systemd: Systemd, stop: asyncio.Event, socket: Path
) -> dict[str, Any]:
    """Run the gateway until `stop` is set; return its last report. A bug in any task comes out."""
    store = await Store.open(site.data, clock, limits_of(site))
    stopping = asyncio.Event()
    gateway = await build(site, clock, store)
    alarms = Alarms(gateway.engine, gateway.health.board, {n: place_of(d) for n, d in site.devices.items()})
    commands = Commands(site.devices, {name: poller for name, (poller, _) in gateway.pollers.items()}, clock)
    api = Api(
        Parts(
            gateway.health, alarms, gateway.pipeline, store, gateway.health.board, gateway.pollers, commands,
            clock, stopping,
        )
    ).app()  # fmt: skip
    try:
        async with asyncio.TaskGroup() as tasks:
            measuring = [tasks.create_task(p.run(), name=n) for n, (p, _) in gateway.pollers.items()]
            telling = [tasks.create_task(link.run(), name=link.name) for link in gateway.links]
            rest = [
                tasks.create_task(store.run(), name="store"),
                tasks.create_task(tick(gateway.pipeline, clock), name="tick"),
                tasks.create_task(gateway.health.run(), name="health"),
                tasks.create_task(gateway.health.host.measure_lag(), name="lag"),
                tasks.create_task(serve(api, socket, stopping), name="api"),
                tasks.create_task(housekeeping(site, gateway.health), name="housekeeping"),
                tasks.create_task(systemd.watch(lambda: gateway.pipeline.counts.steps), name="watchdog"),
            ]
            systemd.tell("READY=1", f"STATUS={len(site.devices)} devices on {len(site.lines)} lines")
            log.info(
                "ready site=%s gateway=%s epoch=%d devices=%d",
                site.site,
                site.gateway,
                store.epoch,
                len(site.devices),
            )
            await stop.wait()
            systemd.tell("STOPPING=1")
            await end(measuring)
            await store.flush()
            await drain(gateway)
            await end([*telling, *rest])
        return gateway.health.report()
    finally:
        await store.close()


async def build(site: Site, clock: Clock, store: Store) -> Gateway:
    """Make the objects of a site. Nothing is opened but the journal, which is open already."""
    board = Board(site.devices)
    facts = {name: facts_of(device) for name, device in site.devices.items()}
    facts |= {GATEWAY: encode.Facts("gateway")} | {
        line_device(line): encode.Facts("line") for line in site.lines
    }
    topics = encode.Topics(site.site, site.gateway)
    engine = Engine(
        [*site_specs(site), *specs(site.lines)],
        {(key[0], key[1]): state for key, state in (await store.load_states()).items()},
        counted_ids(store.epoch),
        clock.now(),
    )
    links: list[Link] = []
    lines_of = {name: telemetry.Encoder(d.profile.kind, name).encode for name, d in site.devices.items()}
    lines_of |= health_encoders(site.lines)
    pipeline = Pipeline(
        engine,
        store,
        board,
        clock,
        lines_of,
        partial(encode_event, facts, topics),
        lambda events: tell(links, events),
    )
    pollers = {name: make_poller(site, name, pipeline, clock) for name in site.lines}
    if site.mqtt is not None:
        lanes = {lane.value: await store.cursor("mqtt", lane) for lane in (Lane.ALARM, Lane.TELEMETRY)}
        links.append(
            MqttLink(
                broker_of(site.mqtt, topics, store.epoch, clock), topics, lanes, clock,
                epoch=store.epoch, version=__version__, board=board, facts=facts,
            )
        )  # fmt: skip
    health = Health(site, pollers, links, pipeline, (engine, store, board, Host(site.data)), clock)
    return Gateway(store, engine, pipeline, health, pollers, links)


def limits_of(site: Site) -> Limits:
    """Return the bounds of the journal."""
    kept = site.store
    telemetry = kept.telemetry
    return Limits(
        keep=telemetry.keep, max_bytes=telemetry.max, group=telemetry.group, events_keep=kept.events.keep
    )


def alarm_points(device: DeviceSettings) -> set[str]:
    """Return the points that rules judge: they are read first, at their own period."""
    return {point for rule in device.rules for point in rule.inputs()}


def make_poller(site: Site, name: str, pipeline: Pipeline, clock: Clock) -> tuple[Poller, AnyLine]:
    """Return the poller of one line, and its line."""
    settings = site.lines[name]
    line = make_line(settings)
    polled = []
    for device in site.devices.values():
        if device.line == name:
            driver = make_device(device.name, device.profile, int(device.address), line)
            reported = device.profile.reported
            polled.append(
                Polled(driver, groups(reported, alarm_points(device), device.every, device.alarm_every))
            )
    timing = Timing(timeout=settings.timeout, inflight=settings.inflight)
    return Poller(name, line, polled, pipeline.accept, clock, timing), line


def facts_of(device: DeviceSettings) -> encode.Facts:
    """Return what those outside need to know of a device."""
    area = {key: value for key, value in vars_of(device.area).items() if value}
    return encode.Facts(device.profile.kind, {}, place_of(device), area, device.zone, device.owner)


def place_of(device: DeviceSettings) -> dict[str, Any]:
    """Return where a device is, without what nobody said."""
    return {key: value for key, value in vars_of(device.place).items() if value not in {None, ""}}


def vars_of(settings: object) -> dict[str, Any]:
    """Return the fields of a slotted dataclass."""
    return {name: getattr(settings, name) for name in settings.__dataclass_fields__}  # type: ignore[attr-defined]  # a dataclass


def health_encoders(lines: Mapping[str, Any]) -> dict[str, Callable[[Sample], str]]:
    """Return what writes the gateway's and the lines' own samples."""

    def writer(measurement: str, tags: dict[str, str]) -> Callable[[Sample], str]:
        return lambda sample: telemetry.line(measurement, tags, sample.values, sample.at)

    found = {GATEWAY: writer(telemetry.GATEWAY_HEALTH, {})}
    return found | {line_device(name): writer(telemetry.LINE_HEALTH, {"line": name}) for name in lines}


def encode_event(facts: Mapping[str, encode.Facts], topics: encode.Topics, event: AlarmEvent) -> bytes:
    """Return the record of an event."""
    return encode.event(event, facts[event.device], topics)


def tell(links: Sequence[Link], events: Sequence[AlarmEvent]) -> None:
    """Let every link show the alarms as they stand after these events."""
    for link in links:
        link.alarms(events)


def broker_of(mqtt: MqttSettings, topics: encode.Topics, epoch: int, clock: Clock) -> Broker:
    """Return how to reach the broker. Raises SecretError."""
    will = encode.status("offline", epoch=epoch, at=clock.now().wall, version=__version__)
    return Broker(
        mqtt.url,
        f"tocsin-{topics.site}-{topics.gateway}",
        mqtt.username or "",
        "" if mqtt.password is None else reveal(mqtt.password),
        str(mqtt.ca or ""),
        str(mqtt.cert or ""),
        str(mqtt.key or ""),
        mqtt.keepalive,
        will=Message(topics.status, will, retain=True),
    )


async def tick(pipeline: Pipeline, clock: Clock) -> None:
    """Let time pass for the engine: at its deadlines, and at least once a second."""
    while True:
        deadline = await pipeline.tick()
        pause = 1.0 if deadline is None else min(max(deadline - clock.mono(), 0.01), 1.0)
        await asyncio.sleep(pause)


async def drain(gateway: Gateway) -> None:
    """Give what was just measured a little time to be confirmed; what is not stays in the journal."""
    deadline = asyncio.get_running_loop().time() + DRAIN
    while any(awaited(link.state()) for link in gateway.links):
        if asyncio.get_running_loop().time() > deadline:
            return
        await asyncio.sleep(0.05)


def awaited(state: LinkState) -> bool:
    """Return whether receipts may still come on this link."""
    return state.connected and any(lane.backlog for lane in state.lanes.values())


async def end(tasks: list[asyncio.Task[None]]) -> None:
    """Cancel tasks and wait until they have cleaned up."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
