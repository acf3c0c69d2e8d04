"""The rule types by the name a site writes in YAML: one frozen dataclass each, one line in `KINDS`.

A condition looks at a sample and says for each of its levels: true, false or unknown. Missing, bad
and stale input is unknown, never false (alarms.md 4.1). A rule in YAML

    lel-high: {type: limit, point: lel, limit: 25, level: 2, class: gas}

has the fields of the dataclass as keys; `type` may be left out for `limit`.
"""

from __future__ import annotations

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
from rules.rule import AlarmKey, AlarmSpec, Context, OnBad, OverRange, Rule

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
]

KINDS: dict[str, type[Rule]] = {
    "limit": Limit,
    "state": State,
    "stale": Stale,
    "bad_data": BadData,
    "deviation": Deviation,
    "rate": Rate,
    "window": Window,
    "stuck": Stuck,
    "schedule": Schedule,
    "duration": Duration,
    "accumulate": Accumulate,
    "baseline": Baseline,
    "sibling": Sibling,
    "evidence": Evidence,
    "reconfirm": Reconfirm,
    "vote": Vote,
    "expr": Expr,
    "watchdog": Watchdog,
}
"""Every rule type; a new one is a dataclass and a line here."""
