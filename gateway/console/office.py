"""The desks at which people do things, put together: who asks, who may, and the routes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from gateway.console.baseline import BaselineDesk
from gateway.console.books import Books
from gateway.console.deeds import Deeds
from gateway.console.drill import DrillDesk
from gateway.console.outputs import OutputDesk
from gateway.console.peers import People
from gateway.console.sealing import SealDesk
from gateway.console.work import Work

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from starlette.routing import Route

    from gateway.clock import Clock
    from gateway.commands import Commands
    from gateway.config import Site
    from gateway.kept import Kept
    from gateway.links.encode import Facts
    from gateway.pipeline import Pipeline
    from gateway.store.journal import Store
    from rules.desk import Desk


class Office(NamedTuple):
    """Who asks, what he may, and where."""

    people: People
    deeds: Deeds
    outputs: OutputDesk
    routes: Sequence[Route]
    watch: Callable[[], Coroutine[Any, Any, None]]  # to be run beside them


def office(
    site: Site,
    parts: tuple[Desk, Pipeline, Store, Clock],
    commands: Commands,
    kept: Kept,
    facts: dict[str, Facts],
) -> Office:
    """Put it together."""
    engine, pipeline, store, clock = parts
    people, devices = People(site.people), site.devices
    deeds = Deeds(engine, pipeline, clock, store.epoch)
    drill = DrillDesk(deeds, people, devices, (kept.drills, facts), clock)
    outputs = OutputDesk(deeds, people, commands, engine.interlocks, clock)
    desks = (
        outputs,
        Work(deeds, people, devices),
        drill,
        BaselineDesk(deeds, people, devices, kept.baselines, store, clock),
        Books(store, clock),
        SealDesk(deeds, people, kept.seal, site, (store, clock)),
    )
    return Office(people, deeds, outputs, [route for desk in desks for route in desk.routes()], drill.watch)
