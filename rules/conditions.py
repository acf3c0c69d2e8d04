"""The rule types by the name a site writes in YAML: one frozen dataclass each, one line in `KINDS`.

A condition looks at a sample and says for each of its levels: true, false or unknown. Missing, bad
and stale input is unknown, never false (alarms.md 4.1). A rule in YAML

    lel-high: {type: limit, point: lel, limit: 25, level: 2, class: gas}

has the fields of the dataclass as keys; `type` may be left out for `limit`.

A type is loaded when it is first asked for: a site uses a few of them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from rules.rule import AlarmKey, AlarmSpec, Context, OnBad, OverRange, Rule

if TYPE_CHECKING:
    from rules.kinds.accumulate import Accumulate, SessionOf
    from rules.kinds.baseline import Baseline
    from rules.kinds.deviation import Deviation
    from rules.kinds.duration import Duration, Float, Span
    from rules.kinds.evidence import Evidence
    from rules.kinds.expr import Expr
    from rules.kinds.faults import BadData, Stale
    from rules.kinds.limit import Level, Limit
    from rules.kinds.rate import Rate
    from rules.kinds.reconfirm import Reconfirm
    from rules.kinds.schedule import Hours, Schedule
    from rules.kinds.sibling import Sibling
    from rules.kinds.state import Code, State, UnknownCode
    from rules.kinds.stuck import Stuck, While
    from rules.kinds.vote import Vote
    from rules.kinds.watchdog import Watchdog
    from rules.kinds.window import Window

__all__ = [
    "KINDS",
    "Accumulate",
    "AlarmKey",
    "AlarmSpec",
    "BadData",
    "Baseline",
    "Code",
    "Context",
    "Deviation",
    "Duration",
    "Evidence",
    "Expr",
    "Float",
    "Hours",
    "Level",
    "Limit",
    "OnBad",
    "OverRange",
    "Rate",
    "Reconfirm",
    "Rule",
    "Schedule",
    "SessionOf",
    "Sibling",
    "Span",
    "Stale",
    "State",
    "Stuck",
    "UnknownCode",
    "Vote",
    "Watchdog",
    "While",
    "Window",
    "kind_of",
]

KINDS = {
    "limit": "Limit",
    "state": "State",
    "stale": "Stale",
    "bad_data": "BadData",
    "deviation": "Deviation",
    "rate": "Rate",
    "window": "Window",
    "stuck": "Stuck",
    "schedule": "Schedule",
    "duration": "Duration",
    "accumulate": "Accumulate",
    "baseline": "Baseline",
    "sibling": "Sibling",
    "evidence": "Evidence",
    "reconfirm": "Reconfirm",
    "vote": "Vote",
    "expr": "Expr",
    "watchdog": "Watchdog",
}
"""Every rule type and its class; a new one is a dataclass and a line here."""

_HOMES = {
    "accumulate": ("Accumulate", "SessionOf"),
    "duration": ("Duration", "Float", "Span"),
    "faults": ("BadData", "Stale"),
    "limit": ("Level", "Limit"),
    "schedule": ("Hours", "Schedule"),
    "state": ("Code", "State", "UnknownCode"),
    "stuck": ("Stuck", "While"),
}  # the others stand alone in a module of their name
_HOME_OF = {
    **{name: kind for kind, name in KINDS.items()},
    **{name: home for home, names in _HOMES.items() for name in names},
}


def kind_of(name: str) -> type[Rule]:
    """Return the class of a rule type. Raises KeyError for one that there is not."""
    found: type[Rule] = getattr(importlib.import_module(f"rules.kinds.{_HOME_OF[KINDS[name]]}"), KINDS[name])
    return found


def __getattr__(name: str) -> object:
    """Import what is asked for from where it lives (PEP 562)."""
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(importlib.import_module(f"rules.kinds.{home}"), name)
    globals()[name] = found
    return found
