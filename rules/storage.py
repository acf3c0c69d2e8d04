"""Alarms back from the disk: the same rule, an edited rule, a rule that is no more. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.model import AlarmClass, AlarmEvent, EventKind, Quality
from rules.look import Stage
from rules.stage import refit
from rules.state import AlarmState

if TYPE_CHECKING:
    from gateway.model import Instant
    from rules.rule import AlarmKey, AlarmSpec
    from rules.worked import Worked


def restore(spec: AlarmSpec, worked: Worked, saved: dict[str, Any], now: Instant) -> tuple[AlarmState, str]:
    """Return the state as it was left (row 28), and a note when its rule has been edited since (row 29)."""
    state = AlarmState.from_json(saved, now)
    state.memory = dict(saved["memory"])
    if saved["rule"] == worked.fingerprint:
        return state, ""
    before = tuple(Stage(level) for level in saved["levels"])
    state.timers = refit(state.timers, before, worked.stages)
    state.memory = spec.rule.adopt(state.memory)
    return state, "caused by rule change"


def close_orphan(key: AlarmKey, saved: dict[str, Any], now: Instant) -> list[AlarmEvent]:
    """Return the end of an occurrence whose rule was deleted while the gateway was down (row 30)."""
    o = saved["occurrence"]
    if o is None:
        return []
    kinds = [EventKind.CLEAR, EventKind.CLOSED] if o["owed"] else [EventKind.CLOSED]
    text = {"zh": f"{key[0]}：规则 {key[1]} 已删除", "en": f"{key[0]}: rule {key[1]} was deleted"}
    return [
        AlarmEvent(
            kind=kind,
            device=key[0],
            rule=key[1],
            occurrence=o["id"],
            n=saved["n"] + i,
            at=max(now.wall, saved["at"]) + i,
            mono=now.mono,
            alarm_class=AlarmClass(saved["class"]),
            level=o["level"],
            letter="A",
            active=False,
            acked=True,
            latched=False,
            activation=o["activations"],
            value=None,
            limit=None,
            unit="",
            quality=Quality.DISABLED,
            test=o["test"],
            actor="",
            reason="config",
            message=text,
            synced=now.synced,
        )
        for i, kind in enumerate(kinds, 1)
    ]
