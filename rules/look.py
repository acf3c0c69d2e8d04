"""What a condition looks at, and what it says: the words between a rule and the machine of its alarm. Pure.

A `Look` and a `Verdict` are made for every reading that is not plainly normal, so they are tuples: a frozen
dataclass of this size costs five times as much to make.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from gateway.model import Quality

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping, Sequence

    from gateway.model import Sample, Value
    from rules.scene import Scene


class Phase(StrEnum):
    """Where the condition of one level stands (region C of alarms.md 3.1)."""

    NORMAL = "normal"
    PENDING = "pending"  # true, the on-delay runs
    ACTIVE = "active"
    CLEARING = "clearing"  # false, the off-delay runs

    @property
    def live(self) -> bool:
        """Whether the alarm stands."""
        return self is ACTIVE or self is CLEARING


NORMAL, PENDING, ACTIVE, CLEARING = Phase.NORMAL, Phase.PENDING, Phase.ACTIVE, Phase.CLEARING


@dataclass(frozen=True, slots=True)
class Stage:
    """One level of an alarm and its own timers. Delays in seconds."""

    level: int
    on_delay: float = 0.0
    off_delay: float = 0.0
    min_samples: int = 1  # true good samples needed, beside the delay
    limit: float | None = None
    message: Mapping[str, str] | None = None


class Verdict(NamedTuple):
    """What one look at the input says, for each stage: true, false, or unknown (None)."""

    truths: tuple[bool | None, ...]
    value: Value | None = None
    quality: Quality = Quality.GOOD
    wake: float | None = None  # monotonic: judge me then, even if no sample comes
    note: str = ""

    @property
    def known(self) -> bool:
        """Whether the input could be believed."""
        return self.truths[0] is not None


class Look(NamedTuple):
    """What a condition may look at. `sample` is None when only time has passed."""

    sample: Sample | None
    now: float  # monotonic seconds
    interval: float  # seconds between samples, as the device is really polled
    baseline: Mapping[str, float]
    memory: dict[str, Any]  # of this alarm; the condition may write in it
    phases: Sequence[Phase]  # of the stages before this look
    wall: int = 0  # nanoseconds since 1970 UTC
    synced: bool = True  # whether somebody vouches for `wall`
    zone: dt.tzinfo | None = None  # of the site; None: UTC
    scene: Scene | None = None  # other devices and other alarms
    real: bool = True  # neither in a drill nor out of service: what is seen may be learned


if TYPE_CHECKING:
    Calm = Callable[[Sample, dict[str, Any]], bool]
    """A cheap test of a sample that says "good and plainly normal"; the second is the memory of the alarm."""


def unknown(size: int, reason: Quality, value: Value | None = None) -> Verdict:
    """Return the verdict on input that cannot be believed."""
    return Verdict((None,) * size, value, reason)
