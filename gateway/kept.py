"""What the gateway remembers of its people's work: baselines, the drill, the figures; and its seal."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gateway.baselines import KEY as BASELINES
from gateway.baselines import Baselines
from gateway.drills import KEY as DRILL
from gateway.drills import SIGNALS, Drills, Kind
from gateway.kpi import Kpis, Step
from gateway.pipeline import Deed
from gateway.seal import Seal, open_seal
from gateway.store.chain import compact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.config import Site
    from gateway.links.encode import Facts
    from gateway.model import AlarmEvent, Instant
    from gateway.store.journal import Store

log = logging.getLogger(__name__)

PAST = 7 * 86400 * 10**9  # ns of events that figures are made of after a start
MOST_EVENTS = 20_000  # looked at: a second of a Raspberry Pi
PAGE = 1000
TOLD = frozenset(kind.value for kind in SIGNALS)


@dataclass(frozen=True, slots=True)
class Kept:
    """Baselines, drill, figures, and the seal."""

    baselines: Baselines
    drills: Drills
    kpis: Kpis
    seal: Seal

    def note(self, events: Sequence[AlarmEvent]) -> None:
        """Take in what has just been committed."""
        self.kpis.note(map(Step.of, events))
        self.drills.note(events)


async def load(site: Site, store: Store, now: Instant) -> Kept:
    """Return it as it was when the gateway ended."""
    filed = {name: device.baseline for name, device in site.devices.items()}
    seal = await asyncio.to_thread(open_seal, site.data)
    if seal.why:
        log.error(
            "the key of the seal is a new one (%s); the key in `tocsin status` is to be told anew", seal.why
        )
    baselines = Baselines(await store.get(BASELINES), filed)
    kept = Kept(baselines, Drills(await store.get(DRILL), now), Kpis(), seal)
    events = await _events(store, now.wall - PAST)
    kept.kpis.note(map(Step.parsed, events))
    for event in events:
        if event["status"] != "Actual" and event["event"] in TOLD:
            kept.drills.hear(event["device"], event["rule"], event["at"], event["level"], event["value"])
    return kept


async def _events(store: Store, since: int) -> list[dict[str, Any]]:
    """Return the newest events since a time, oldest first."""
    found: list[bytes] = []
    before = None
    while len(found) < MOST_EVENTS:
        records = await store.events(since=since, before=before, limit=PAGE)
        found += [record.payload for record in records]
        if len(records) < PAGE:
            break
        before = records[-1].place
    return [json.loads(payload) for payload in reversed(found)]


def seal_told(seal: Seal) -> Deed:
    """Return the entry of the audit that says which seal is this gateway's, and why it is another one."""
    return Deed(compact({"type": "seal", "key": seal.key, **({"why": seal.why} if seal.why else {})}), {})


def mark_exercise(facts: dict[str, Facts], drills: Drills) -> None:
    """Have the test events of those in an exercise told as Exercise; of all others, as Test."""
    drill = drills.drill
    inside = set(drill.devices) if drill is not None and drill.kind is Kind.EXERCISE else set()
    for name, fact in facts.items():
        if fact.exercise != (name in inside):
            facts[name] = replace(fact, exercise=name in inside)
