"""What rules that look at other alarms have in common: they wake when a "no" grows old. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rules.look import Stage
from rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rules.look import Look
    from rules.rule import AlarmKey

FOREVER = float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Following(Rule):
    """Judged when what it looks at changes, and when that grows too old. Base of several types."""

    on_delay: float = 0.0
    off_delay: float = 0.0

    timed: ClassVar[bool] = True
    wide: ClassVar[bool] = True

    def stages(self) -> tuple[Stage, ...]:
        """Return the one stage."""
        return (Stage(self.level, self.on_delay, self.off_delay),)

    def inputs(self) -> tuple[str, ...]:
        """Return none: it looks at alarms, not at points of its own device."""
        return ()


def truths(look: Look, keys: Iterable[AlarmKey]) -> tuple[list[bool | None], float]:
    """Return whether each alarm stands, and until when that may be believed."""
    if look.scene is None:
        return [None for _ in keys], FOREVER
    found = [look.scene.alarm(key, look.now) for key in keys]
    return [truth for truth, _ in found], min((until for _, until in found), default=FOREVER)


def moment(*times: float) -> float | None:
    """Return the earliest of some times to wake at; None for never."""
    first = min(times, default=FOREVER)
    return None if first == FOREVER else first


def at_least(wanted: int, found: list[bool | None]) -> bool | None:
    """Return whether so many are true, by Kleene: unknown while the unknown ones would decide."""
    true = sum(truth is True for truth in found)
    if true >= wanted:
        return True
    return None if true + sum(truth is None for truth in found) >= wanted else False
