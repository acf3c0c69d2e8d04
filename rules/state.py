"""What is kept of an alarm: its five regions and its open occurrence, as data and as JSON. Pure.

    C  condition        one `Timer` per level                changed by the evaluation only
    A  acknowledgement  in the occurrence                    people, re-activation, a rising level
    L  latch            in the occurrence                    return to normal, reset
    V  visibility       shelf, roots, out of service, drill  people, root causes, drills
    Q  input            good, bad, not yet verified          the samples

They are stored; the letter that is shown (ISA-18.2, alarms.md 3.2) is derived. Monotonic times go to the
disk as what is left of them, beside the wall time at which they end: whichever comes first counts, so a
wrong clock can shorten a silence but never lengthen it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from rules.chatter import Chatter
from rules.look import ACTIVE, CLEARING, NORMAL, PENDING
from rules.rule import gravity
from rules.stage import Timer

if TYPE_CHECKING:
    from gateway.model import Instant, Value
    from rules.look import Phase, Stage

NANO = 1_000_000_000
NO_CHATTER: dict[str, Any] = {"ages": (), "held": False}


class Input(StrEnum):
    """Region Q: whether the input can be believed."""

    GOOD = "good"
    BAD = "bad"
    UNVERIFIED = "unverified"  # no good sample since the start


GOOD, BAD = Input.GOOD, Input.BAD


@dataclass(slots=True)
class Hold:
    """Something people put on an alarm, which ends by itself."""

    until: float  # monotonic seconds
    until_wall: int  # nanoseconds since 1970 UTC
    by: str
    why: str
    approved_by: str = ""

    def over(self, now: Instant) -> bool:
        """Whether it has ended, on either clock."""
        return now.mono >= self.until or (now.synced and now.wall >= self.until_wall)

    def to_json(self, mono: float) -> dict[str, Any]:
        """Return it for the disk."""
        left = max(0.0, self.until - mono)
        words = {"by": self.by, "why": self.why, "approved_by": self.approved_by}
        return {"left": left, "until_wall": self.until_wall, **words}

    @classmethod
    def from_json(cls, data: dict[str, Any], mono: float) -> Hold:
        """Return it after a restart."""
        return cls(mono + data["left"], data["until_wall"], data["by"], data["why"], data["approved_by"])


@dataclass(slots=True)
class Occurrence:
    """One life of an alarm, from its first activation until it is closed."""

    id: str
    level: int  # as it stands
    worst: int  # the gravest it has been
    opened: int = 0  # wall nanoseconds of its first activation
    trigger: Value | None = None  # the value that opened it
    test: bool = False  # born in a drill
    activations: int = 1
    acked: bool = False
    acked_by: str = ""
    ack_until: float | None = None  # monotonic time at which the acknowledgement runs out
    latched: bool = False
    sticky: bool = False  # was beyond the sensor's range: latches whatever the rule says (alarms.md 3.6)
    raised: bool = False  # told outside at least once
    owed: bool = False  # told outside and not cleared since: a CLEAR is owed
    raised_level: int = 0
    disposition: str = ""
    unsure: bool = False  # nobody vouched for the clock of `opened`

    def relabel(self, seconds: float) -> bool:
        """Move the label by what the clock was wrong; return whether it was in doubt."""
        was, self.unsure = self.unsure, False
        self.opened += round(seconds * NANO) if was else 0
        return was

    def to_json(self, mono: float) -> dict[str, Any]:
        """Return it for the disk."""
        data = {name: getattr(self, name) for name in self.__slots__}
        data["ack_until"] = None if self.ack_until is None else max(0.0, self.ack_until - mono)
        return data

    @classmethod
    def from_json(cls, data: dict[str, Any], mono: float) -> Occurrence:
        """Return it after a restart."""
        left = data["ack_until"]
        # The clock of another run cannot be compared with this one: what is in doubt stays as it is.
        return cls(**{**data, "unsure": False, "ack_until": None if left is None else mono + left})


@dataclass(slots=True)
class AlarmState:
    """All that is known of one alarm. Changed by `rules.alarm` and `rules.actions` only."""

    timers: list[Timer]  # C
    occurrence: Occurrence | None = None  # A and L
    shelf: Hold | None = None  # V
    out_of_service: Hold | None = None
    drill: Hold | None = None
    roots: dict[str, float | None] = field(default_factory=dict)  # root -> end of its grace, if it is over
    input: Input = Input.UNVERIFIED  # Q
    run: int = 0  # good samples since the last bad one
    bad_since: float = 0.0
    n: int = 0  # events so far
    at: int = 0  # wall time of the last event
    silenced: bool = False
    asks: str = ""  # the last closed occurrence of level 1 or 2 of which nobody has said what it was (row 20)
    chatter: Chatter = field(default_factory=Chatter)
    memory: dict[str, Any] = field(default_factory=dict)

    # Asked for every reading of an alarm that is not at rest: written to be quick, without generators.

    @property
    def live(self) -> bool:
        """Whether the condition stands."""
        for timer in self.timers:  # noqa: SIM110  any() costs three times as much
            if timer.phase is ACTIVE or timer.phase is CLEARING:
                return True
        return False

    @property
    def phase(self) -> Phase:
        """The condition of the alarm as a whole: the most advanced of its levels."""
        if len(self.timers) == 1:
            return self.timers[0].phase
        phases = [timer.phase for timer in self.timers]
        return next((phase for phase in (ACTIVE, CLEARING, PENDING) if phase in phases), NORMAL)

    @property
    def held(self) -> bool:
        """Whether people put something on the alarm."""
        return self.shelf is not None or self.out_of_service is not None or self.drill is not None

    def standing(self, stages: tuple[Stage, ...]) -> Stage | None:
        """Return the gravest level that stands."""
        worst: Stage | None = None
        for stage, timer in zip(stages, self.timers, strict=True):
            live = timer.phase is ACTIVE or timer.phase is CLEARING
            if live and (worst is None or gravity(stage.level) < gravity(worst.level)):
                worst = stage
        return worst

    def hidden(self, *, protected: bool) -> bool:
        """Whether nothing but a CLEAR is told outside."""
        if self.out_of_service is not None:
            return True
        return not protected and (self.shelf is not None or bool(self.roots))

    def letter(self, *, protected: bool) -> str:
        """Return the ISA-18.2 letter to show (alarms.md 3.2)."""
        if self.out_of_service is not None:
            return "I"
        if self.hidden(protected=protected):
            return "H" if self.shelf is None else "G"
        o = self.occurrence
        if o is None:
            return "A"
        returned = "AD" if not o.latched else "FE"
        return ("CB" if self.live else returned)[not o.acked]

    def to_json(self, now: Instant) -> dict[str, Any]:
        """Return the state for the disk."""
        holds = {"shelf": self.shelf, "out_of_service": self.out_of_service, "drill": self.drill}
        return {
            "timers": [timer.to_json() for timer in self.timers],
            "occurrence": None if self.occurrence is None else self.occurrence.to_json(now.mono),
            "holds": {name: hold.to_json(now.mono) for name, hold in holds.items() if hold is not None},
            "roots": {
                root: None if end is None else max(0.0, end - now.mono) for root, end in self.roots.items()
            },
            "n": self.n,
            "at": self.at,
            **({"asks": self.asks} if self.asks else {}),
            **({"chatter": self.chatter.to_json(now.mono)} if self.chatter.recent else {}),
            "saved": now.wall if now.synced else None,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any], now: Instant) -> AlarmState:
        """Return the state after a restart (row 28): unverified, and nothing announced."""
        saved = data["saved"]
        down = (now.wall - saved) / NANO if saved is not None and now.synced else None
        if down is not None and down < 0:
            down = None  # the clock went back: nobody knows how long
        holds = {name: Hold.from_json(hold, now.mono) for name, hold in data["holds"].items()}
        occurrence = data["occurrence"]
        return cls(
            timers=[Timer.from_json(timer, down) for timer in data["timers"]],
            occurrence=None if occurrence is None else Occurrence.from_json(occurrence, now.mono),
            roots={root: None if left is None else now.mono + left for root, left in data["roots"].items()},
            n=data["n"],
            at=data["at"],
            asks=data.get("asks", ""),
            chatter=Chatter.from_json(data.get("chatter", NO_CHATTER), now.mono, down or 0.0),
            shelf=holds.get("shelf"),
            out_of_service=holds.get("out_of_service"),
            drill=holds.get("drill"),
        )
