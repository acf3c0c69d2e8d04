"""The rule types by the name a site writes in YAML: one frozen dataclass each, one line in `KINDS`.

A condition looks at a sample and says for each of its levels: true, false or unknown. Missing, bad
and stale input is unknown, never false (alarms.md 4.1). A rule in YAML

    lel-high: {type: limit, point: lel, limit: 25, level: 2, class: gas}

has the fields of the dataclass as keys; `type` may be left out for `limit`.
"""

from __future__ import annotations

from rules.kinds.deviation import Deviation
from rules.kinds.faults import BadData, Stale
from rules.kinds.limit import Level, Limit
from rules.kinds.state import Code, State, UnknownCode
from rules.rule import AlarmKey, AlarmSpec, Context, OnBad, OverRange, Rule

__all__ = [
    "KINDS",
    "AlarmKey",
    "AlarmSpec",
    "BadData",
    "Code",
    "Context",
    "Deviation",
    "Level",
    "Limit",
    "OnBad",
    "OverRange",
    "Rule",
    "Stale",
    "State",
    "UnknownCode",
]

KINDS: dict[str, type[Rule]] = {
    "limit": Limit,
    "state": State,
    "stale": Stale,
    "bad_data": BadData,
    "deviation": Deviation,
}
"""Every rule type; a new one is a dataclass and a line here."""
