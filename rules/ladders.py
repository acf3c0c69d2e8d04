"""Who is told, when, until what (alarms.md 6): the steps of a ladder, and one alarm's way up. Pure.

The clock of a ladder runs in seconds of its own: it stands while the alarm is acknowledged, and what it shows
is kept on disk, so neither a restart nor a wrong wall clock moves it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from gateway.model import AlarmClass
from rules.receipts import Receipt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.model import AlarmEvent, Instant
    from rules.verify import Verify

NO_RECEIPT = re.compile(r"no_receipt\(\s*([a-z0-9_-]+)\s*,\s*([a-z_]+)\s*\)")
WORDS = ("not dispositioned", "not acked")
NAMES = ("fire_gas_red", "red", "orange", "yellow", "blue", "fault")
EVERYBODY_AT_ONCE = frozenset({AlarmClass.FIRE, AlarmClass.GAS})
LEVELS = {1: "red", 2: "orange", 3: "yellow", 4: "blue", 0: "fault"}


@dataclass(frozen=True, slots=True)
class Step:
    """One step: whom to tell how long after the alarm, and what ends the way up."""

    at: float | None  # seconds; None: at the start of the next shift
    to: tuple[str, ...]
    until: Literal["ack", "accepted"] | None = None
    condition: str | None = None  # see `check_condition`


@dataclass(frozen=True, slots=True)
class Ladder:
    """The steps, the earliest first."""

    name: str
    steps: tuple[Step, ...]
    verify: Verify | None = None


DEFAULTS: dict[str, Ladder] = {
    ladder.name: ladder
    for ladder in (
        Ladder(
            "fire_gas_red",
            (
                Step(0, ("fire_center", "community_duty", "micro_station", "street"), "accepted"),
                Step(120, ("district",), condition="no_receipt(fire_center, accepted)"),
                Step(600, ("city",), condition="not dispositioned"),
            ),
        ),
        Ladder(
            "red",
            (
                Step(0, ("community_duty", "micro_station", "street"), "ack"),
                Step(60, ("community_manager",)),
                Step(300, ("district",)),
            ),
        ),
        Ladder(
            "orange",
            (
                Step(0, ("community_duty", "micro_station"), "ack"),
                Step(180, ("community_manager", "street")),
                Step(900, ("district",)),
            ),
        ),
        Ladder("yellow", (Step(0, ("community_duty", "maintenance")), Step(1800, ("street",)))),
        Ladder("blue", (Step(None, ("maintenance",)),)),
        Ladder("fault", (Step(0, ("maintenance",)), Step(86400, ("community_manager",)))),
    )
}


def check_condition(condition: str) -> str | None:
    """Return what is wrong with the `if` of a step; None when it can be decided."""
    found = NO_RECEIPT.fullmatch(condition.strip())
    if condition.strip() in WORDS:
        return None
    if found is None:
        return f"must be no_receipt(NAME, RECEIPT) or one of: {', '.join(WORDS)}"
    if found[2] not in {receipt.value for receipt in Receipt}:
        return f"{found[2]} is no receipt: {', '.join(Receipt)}"
    return None


def choose(ladders: Mapping[str, Ladder], level: int, alarm_class: AlarmClass) -> Ladder:
    """Return the ladder of an alarm: the site's own, else the one that comes with Tocsin."""
    name = LEVELS[level]
    if level == 1 and alarm_class in EVERYBODY_AT_ONCE:
        special = ladders.get("fire_gas_red")
        return special or ladders.get(name) or DEFAULTS["fire_gas_red"]
    return ladders.get(name) or DEFAULTS[name]


@dataclass(slots=True)
class Climb:
    """One announced alarm on its way up a ladder, and who knows of it."""

    device: str
    rule: str
    occurrence: str
    alarm_class: AlarmClass
    level: int
    title: dict[str, str]
    test: bool
    mark: float  # monotonic: up to when `elapsed` is right
    reminded: float  # monotonic: of the last reminder, or of the beginning
    elapsed: float = 0.0  # seconds on the ladder's clock
    taken: int = 0  # steps
    acked: bool = False
    accepted: bool = False
    disposed: bool = False
    verifying: bool = False  # somebody looks first: see `rules.verify`
    blind: bool = False  # a fault of what a protected alarm depends on (4.6)
    over: bool = False  # cleared; it stays until everybody who was told knows
    shift: int = 0  # wall nanoseconds of the shift it waits for
    told: dict[str, str] = field(
        default_factory=dict
    )  # person -> waiting, digest, sent, over (its CLEAR waits)
    receipts: dict[str, str] = field(default_factory=dict)  # person -> the furthest receipt

    @classmethod
    def of(cls, event: AlarmEvent, mono: float) -> Climb:
        """Begin the way of an alarm that was just announced."""
        return cls(
            event.device,
            event.rule,
            event.occurrence,
            event.alarm_class,
            event.level,
            dict(event.message),
            event.test,
            mono,
            mono,
        )

    @property
    def name(self) -> str:
        """How a notice names it."""
        return f"{self.device}/{self.rule}/{self.occurrence}"

    @property
    def urgent(self) -> bool:
        """Whether it is told without waiting for others: level 1 and 2, and a blind detector."""
        return self.level in {1, 2} or self.blind

    @property
    def unstoppable(self) -> bool:
        """Whether an acknowledgement on the spot stops nothing: fire and gas at level 1."""
        return self.level == 1 and self.alarm_class in EVERYBODY_AT_ONCE

    @property
    def stands(self) -> bool:
        """Whether the ladder's clock stands still."""
        return self.over or (self.acked and not self.unstoppable)

    def settle(self, mono: float) -> None:
        """Read the ladder's clock; to be called before anything that stops or starts it."""
        if not self.stands:
            self.elapsed += max(0.0, mono - self.mark)
        self.mark = mono

    def upgrade(self, event: AlarmEvent) -> None:
        """Begin again at the first step of the graver level (row 13)."""
        self.level, self.title = event.level, dict(event.message)
        self.elapsed, self.taken, self.acked, self.accepted, self.shift = 0.0, 0, False, False, 0
        self.verifying = False

    def begin(self) -> None:
        """Begin the ladder proper: whoever looked has looked long enough."""
        self.verifying, self.elapsed = False, 0.0

    def ready(self, ladder: Ladder, wall: int) -> Step | None:
        """Return the step that is due, whether or not its condition holds."""
        if self.over or self.verifying or self.taken >= len(ladder.steps):
            return None
        step = ladder.steps[self.taken]
        if self.taken and (self.stands or self._ended(ladder)):
            return None
        due = wall >= self.shift > 0 if step.at is None else self.elapsed >= step.at - 1e-6
        return step if due else None

    def left(self, ladder: Ladder, wall: int) -> float | None:
        """Return the seconds to the next step; None when it waits for nothing."""
        if (
            self.over
            or self.verifying
            or self.taken >= len(ladder.steps)
            or self.stands
            or (self.taken and self._ended(ladder))
        ):
            return None
        at = ladder.steps[self.taken].at
        return max(0.0, (self.shift - wall) / 1e9 if at is None else at - self.elapsed)

    def _ended(self, ladder: Ladder) -> bool:
        """Whether a step taken has reached what it waited for; a later `if` decides for itself."""
        untils = {step.until for step in ladder.steps[: self.taken]}
        explicit = any(step.condition for step in ladder.steps[self.taken :])
        return "accepted" in untils and self.accepted and not explicit

    def wanted(self, step: Step) -> bool:
        """Whether the `if` of a step holds."""
        condition = (step.condition or "").strip()
        if condition == "not dispositioned":
            return not self.disposed
        if condition == "not acked":
            return not self.acked
        if found := NO_RECEIPT.fullmatch(condition):
            return Receipt(self.receipts.get(found[1], "queued")).rank < Receipt(found[2]).rank
        return True

    def to_json(self, now: Instant) -> dict[str, Any]:
        """Return it for the disk."""
        self.settle(now.mono)
        data = {name: getattr(self, name) for name in self.__slots__}
        times = {"mark": now.wall if now.synced else None, "reminded": min(now.mono - self.reminded, 1e9)}
        return {**data, **times}

    @classmethod
    def from_json(cls, data: dict[str, Any], now: Instant) -> Climb:
        """Return it after a restart; the time slept through counts when the wall clock is trusted."""
        trusted = data["mark"] is not None and now.synced
        down = max(0.0, (now.wall - data["mark"]) / 1e9) if trusted else 0.0
        times = {"mark": now.mono - down, "reminded": now.mono - down - data["reminded"]}
        return cls(**{**data, **times, "alarm_class": AlarmClass(data["alarm_class"])})
