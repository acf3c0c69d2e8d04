"""What truly happened in a rule test, beside what the rules said of it: missed, false, how late. Pure.

    incidents:
      - {from: 43200s, until: 43203s, rule: residual-high-high, within: 10s}

An incident must be told (raise, repeat or upgrade of that rule at that device) no later than `within`
after it began; whatever is told of its rules outside of all incidents is a false alarm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.model import EventKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rules.play import Seen

INCIDENT_KEYS = frozenset({"from", "until", "rule", "within", "device"})
TOLD = frozenset({EventKind.RAISE.value, EventKind.REPEAT.value, EventKind.UPGRADE.value})
COARSE = 0.0015  # seconds: times in files are rounded


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Something that happened from second `start` to `until`."""

    start: float
    until: float
    rule: str
    within: float
    device: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """How the rules did."""

    missed: tuple[Incident, ...]
    false: tuple[Seen, ...]
    delays: tuple[float, ...]  # seconds from the beginning of each incident until it was told
    told: int  # messages about these rules that go outside, all-clears among them


def judge(incidents: Sequence[Incident], seen: Iterable[Seen]) -> Judgement:
    """Compare what happened with what was said."""
    happened: dict[tuple[str, str], list[Incident]] = {}
    for incident in incidents:
        happened.setdefault((incident.device, incident.rule), []).append(incident)
    about = [event for event in seen if (event.device, event.rule) in happened]
    told = [event for event in about if event.event in TOLD]
    said: dict[tuple[str, str], list[Seen]] = {key: [] for key in happened}
    for event in told:
        said[event.device, event.rule].append(event)
    missed, delays = [], []
    for incident in incidents:
        spoke = said[incident.device, incident.rule]
        first = min((event.at for event in spoke if _of(event, incident)), default=None)
        if first is None or first > incident.start + incident.within + COARSE:
            missed.append(incident)
        else:
            delays.append(first - incident.start)
    false = [event for event in told if not any(_of(event, i) for i in happened[event.device, event.rule])]
    outside = sum(event.event in TOLD or event.event == EventKind.CLEAR.value for event in about)
    return Judgement(tuple(missed), tuple(false), tuple(delays), outside)


def _of(event: Seen, incident: Incident) -> bool:
    """Whether an event of its rule and device speaks of an incident: while it lasts, or as late as it may."""
    end = max(incident.until, incident.start + incident.within)
    return incident.start - COARSE <= event.at <= end + COARSE
