"""Wiring, and nothing else: makes the objects, starts one flat group of tasks, stops them in order.

A task handles the failures it expects. One it does not expect ends the whole process with a non-zero status,
and the service manager starts a clean one: no task dies unseen.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from gateway import __version__
from gateway.board import Board
from gateway.commands import LONGEST, Checks, Commands
from gateway.config import SecretError, reveal
from gateway.console.alarms import Alarms
from gateway.console.api import Api, Parts
from gateway.console.office import office
from gateway.console.server import serve
from gateway.facts import event_writer, line_writers, site_facts, site_places
from gateway.faults import interlock_specs, specs
from gateway.health import Health
from gateway.host import Host
from gateway.housekeeping import housekeeping
from gateway.interlocks import Interlocking
from gateway.kept import load, mark_exercise, seal_told
from gateway.links import encode
from gateway.links.mqtt import MqttLink
from gateway.links.mqtt_broker import Broker, Message
from gateway.links.mqtt_orders import SIGNER, OrderInlet, Signer
from gateway.links.signed import SHORTEST_KEY
from gateway.owners import make_owner, polls_over_tcp
from gateway.people import telling
from gateway.pipeline import Pipeline
from gateway.rate import Rate
from gateway.remembered import ORDER, Remembered
from gateway.report import Report
from gateway.specs import judged_points, site_specs, site_tree
from gateway.station import Wakes
from gateway.store import Lane, Limits, Store
from rules.desk import Desk
from rules.engine import counted_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from drivers.line import AnyLine
    from gateway.clock import Clock
    from gateway.config import MqttSettings, Site
    from gateway.console.outputs import OutputDesk
    from gateway.links.link import Link, LinkState
    from gateway.model import AlarmEvent
    from gateway.notify import Systemd
    from gateway.owner import Owner
    from gateway.store.records import Record

log = logging.getLogger(__name__)

HAND_OVER = 0.0001  # seconds: the thread that commits an alarm waits for the interpreter several times
DRAIN = 5.0  # seconds at the end for what is still on its way


@dataclass(slots=True)
class Gateway:
    """The objects of a gateway, wired."""

    store: Store
    pipeline: Pipeline
    health: Health
    host: Host
    report: Report
    api: Parts
    pollers: dict[str, tuple[Owner, AnyLine]]
    interlocking: Interlocking
    links: list[Link] = field(default_factory=list)


async def run(
    site: Site, clock: Clock, systemd: Systemd, stop: asyncio.Event, socket: Path
) -> dict[str, Any]:
    """Run the gateway until `stop` is set; return its last report. A bug in any task comes out.

    Raises SecretError for a secret that cannot be read, OSError for a data folder that cannot be made.
    """
    store = await Store.open(site.data, clock, limits_of(site))
    try:
        gateway = await build(site, clock, store)
        keep_what_is()
        await work(site, gateway, systemd, stop, socket)
        return gateway.report.status()
    finally:
        await store.close()


def keep_what_is() -> None:
    """Take what the start has made out of the collector's sight: it stays, and a look through it takes 50 ms.

    `tocsin run` starts with the collector switched off.
    """
    gc.freeze()
    gc.enable()
    sys.setswitchinterval(HAND_OVER)


async def work(site: Site, gateway: Gateway, systemd: Systemd, stop: asyncio.Event, socket: Path) -> None:
    """Run every task until `stop` is set; then end measuring, let what was measured be told, end the rest."""
    pipeline, store, parts = gateway.pipeline, gateway.store, gateway.api
    async with asyncio.TaskGroup() as tasks:
        start = tasks.create_task
        measuring = [start(p.run(), name=name) for name, (p, _) in gateway.pollers.items()]
        measuring.append(start(tick(pipeline, parts.clock, gateway.interlocking.wake), name="tick"))
        measuring.append(start(gateway.health.run(), name="health"))
        acting = [start(gateway.interlocking.run(), name="interlocks")]
        rest = [start(link.run(), name=link.name) for link in gateway.links]
        rest += [
            start(store.run(), name="store"),
            start(gateway.host.measure_lag(), name="lag"),
            start(serve(Api(parts).app(), socket, parts.stopping), name="api"),
            start(parts.watch(), name="drill"),
            start(housekeeping(site, gateway.report), name="housekeeping"),
            start(systemd.watch(lambda: pipeline.counts.steps), name="watchdog"),
        ]
        systemd.tell("READY=1", f"STATUS={len(site.devices)} devices on {len(site.lines)} lines")
        ready = "ready site=%s gateway=%s epoch=%d devices=%d"
        log.info(ready, site.site, site.gateway, store.epoch, len(site.devices))
        await stop.wait()
        systemd.tell("STOPPING=1")
        parts.stopping.set()
        await end(acting)
        await gateway.interlocking.stop(site.interlocks)
        await end(measuring)
        await pipeline.settle()
        await store.flush()
        await drain(gateway.links)
        await end(rest)


async def build(site: Site, clock: Clock, store: Store) -> Gateway:
    """Make the objects of a site. Nothing is opened but the journal, which is open already."""
    board, facts, topics = Board(site.devices), site_facts(site), encode.Topics(site.site, site.gateway)
    states = {(key[0], key[1]): state for key, state in (await store.load_states()).items()}
    kept = await load(site, store, clock.now())
    mark_exercise(facts, kept.drills)
    orders = {name: states.pop((kind, name)) for kind, name in list(states) if kind == ORDER}
    counters = {name: states.pop((kind, name)) for kind, name in list(states) if kind == SIGNER}
    locks = site.interlocks
    alarms = [*kept.baselines.apply(site_specs(site)), *specs(site.lines), *interlock_specs(locks)]
    named_by = counted_ids(store.epoch)
    engine = Desk(alarms, states, named_by, clock.now(), site_tree(site), telling(site), locks)
    links: list[Link] = []
    bells: list[Callable[[], None]] = []

    def tell(events: Sequence[AlarmEvent], records: Sequence[Record]) -> None:
        for ring in bells:
            ring()
        kept.note(events)
        for link in links:
            link.fresh(records)
            link.alarms(events)

    writers = line_writers(site), event_writer(facts, topics)
    pipeline = Pipeline(engine, store, board, clock, *writers, tell)
    if kept.seal.fresh:
        await pipeline.note(seal_told(kept.seal))
    judged = judged_points(site)
    wakes = Wakes(polls_over_tcp(site))
    pollers = {name: make_owner(site, name, judged, pipeline, clock, wakes) for name in site.lines}
    host = Host(site.data)
    report = Report(site, pollers, links, (engine, store, board, host, pipeline.counts), kept, clock)
    health = Health(site, pollers, links, (pipeline, store, board, host, report), engine.roots, clock)
    checks = Checks(
        Rate(site.orders.pause, site.orders.per_hour),
        Remembered(partial(store.commit_alarms, ()), orders, clock, LONGEST),
        engine.interlocks.veto,
    )
    commands = Commands(site.devices, {name: poller for name, (poller, _) in pollers.items()}, clock, checks)
    shown = Alarms(engine, site_places(site))
    desks = office(site, (engine, pipeline, store, clock), commands, kept, facts)
    interlocking = Interlocking(engine, pipeline, commands, desks.deeds, clock)
    bells.append(interlocking.wake)
    if site.mqtt is not None:
        lanes = {lane.value: await store.cursor("mqtt", lane) for lane in (Lane.ALARM, Lane.TELEMETRY)}
        broker = broker_of(site.mqtt, topics, store.epoch, clock)
        named: dict[str, Any] = {"epoch": store.epoch, "version": __version__, "board": board, "facts": facts}
        inlet = order_inlet(site, topics, desks.outputs, counters, store, clock)
        links.append(MqttLink(broker, topics, lanes, clock, inlet=inlet, **named))
    tell(engine.standing(), ())  # a restart leaves what is shown of open alarms as it was
    api = Parts(report, shown, pipeline, store, board, pollers, commands, clock, asyncio.Event(), *desks)
    return Gateway(store, pipeline, health, host, report, api, pollers, interlocking, links)


def order_inlet(
    site: Site,
    topics: encode.Topics,
    desk: OutputDesk,
    counters: dict[str, dict[str, Any]],
    store: Store,
    clock: Clock,
) -> OrderInlet | None:
    """Return what takes orders over MQTT; None where nobody may sign any. Raises SecretError."""
    keys = {
        name: reveal(signer.key, f"orders.signers.{name}.key").encode()
        for name, signer in site.orders.signers.items()
    }
    for name, key in keys.items():
        if len(key) < SHORTEST_KEY:
            raise SecretError(f"orders.signers.{name}.key: shorter than {SHORTEST_KEY} characters")

    async def keep(name: str, counter: int) -> bool:
        await store.commit_alarms((), [((SIGNER, name), {"counter": counter})])
        return store.health.alarms_durable

    signers = {name: Signer(keys[name], signer.role) for name, signer in site.orders.signers.items()}
    last = {name: int(kept["counter"]) for name, kept in counters.items()}
    return OrderInlet(topics, signers, desk, last, keep, clock) if signers else None


def limits_of(site: Site) -> Limits:
    """Return the bounds of the journal."""
    kept = site.store
    telemetry = kept.telemetry
    return Limits(
        keep=telemetry.keep, max_bytes=telemetry.max, group=telemetry.group, events_keep=kept.events.keep
    )


def broker_of(mqtt: MqttSettings, topics: encode.Topics, epoch: int, clock: Clock) -> Broker:
    """Return how to reach the broker. Raises SecretError."""
    will = encode.status("offline", epoch=epoch, at=clock.now().wall, version=__version__)
    return Broker(
        mqtt.url,
        f"tocsin-{topics.site}-{topics.gateway}",
        mqtt.username or "",
        "" if mqtt.password is None else reveal(mqtt.password, "mqtt.password"),
        str(mqtt.ca or ""),
        str(mqtt.cert or ""),
        str(mqtt.key or ""),
        mqtt.keepalive,
        will=Message(topics.status, will, retain=True),
    )


async def tick(pipeline: Pipeline, clock: Clock, then: Callable[[], None] = lambda: None) -> None:
    """Let time pass for the engine: at its deadlines, and at least once a second."""
    while True:
        deadline = await pipeline.tick()
        then()
        pause = 1.0 if deadline is None else min(max(deadline - clock.mono(), 0.01), 1.0)
        await asyncio.sleep(pause)


async def drain(links: Sequence[Link]) -> None:
    """Give what was just measured a little time to be confirmed; what is not stays in the journal."""
    deadline = asyncio.get_running_loop().time() + DRAIN
    while any(awaited(link.state()) for link in links):
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
