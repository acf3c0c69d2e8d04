"""The life of one interlock: how far its order has come. Pure.

    cause     one activation of one of its alarms: (occurrence, number of the activation)
    errand    an order that must get done: carried out, read back, and only then over

    cause stands for `delay`          an errand that acts; causes that come before it is proven join it
    not proven                        again after 0.5, 1, 2 ... 15 s, for as long as a cause stands, and until
                                      `give_up` after the last one is over
    not proven `within` its time      it has failed: that is an alarm of its own
    no cause for `release.after`      an errand back, where the site wants one, `per_hour` at most

So each cause has exactly one errand, and an errand writes only what is not so already. The limit of
`per_hour` counts what goes back: an output that was put back too often stays safe until a person comes.
Nothing here ever holds back an order to the safe side.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from rules.interlock import HOUR
from rules.rule import EPSILON
from rules.state import NANO

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.model import Instant, Value
    from rules.interlock import Cause, Interlock
    from rules.rule import AlarmKey

FIRST, SLOWEST = 0.5, 15.0  # seconds between tries: doubled from the one to the other
NAMED = 20  # causes named with an errand


class Phase(StrEnum):
    """How an interlock stands, for people."""

    IDLE = "idle"
    WAITING = "waiting"  # the delay runs
    ACTING = "acting"
    ACTED = "acted"
    RELEASING = "releasing"
    FAILED = "failed"


@dataclass(slots=True)
class Errand:
    """An order that must get done."""

    id: str
    act: bool  # False: back again
    value: Value
    since: float  # monotonic second at which it fell due
    at: int  # wall nanoseconds of that
    causes: list[str] = field(default_factory=list)
    tries: int = 0
    retry: float = 0.0  # monotonic second before which it is not tried again
    why: str = ""  # of the last try

    def to_json(self, mono: float) -> dict[str, Any]:
        """Return it for the disk."""
        plain = {name: getattr(self, name) for name in ("id", "act", "value", "at", "causes", "tries", "why")}
        return {**plain, "age": mono - self.since}

    @classmethod
    def from_json(cls, data: dict[str, Any], mono: float, down: float) -> Errand:
        """Return it after a restart; it is due at once."""
        plain = {name: data[name] for name in ("id", "act", "value", "at", "causes", "tries", "why")}
        return cls(**plain, since=mono - data["age"] - down)


class Guard:
    """The life of one interlock."""

    def __init__(self, interlock: Interlock) -> None:
        self.interlock = interlock
        self.causes: dict[AlarmKey, Cause] = {}
        self.errand: Errand | None = None
        self.failed = False
        self.acted = False  # on the safe side since its last errand, or on the way there
        self.last: dict[str, Any] = {}  # the last errand that is over, for people
        self.dirty = False
        self.busy = False  # somebody is at it now
        self._served: dict[AlarmKey, tuple[str, int]] = {}  # the cause of each alarm that had its errand
        self._waiting: dict[AlarmKey, tuple[str, int, float]] = {}  # causes whose delay runs, and since when
        self._quiet: float | None = None  # since when no cause stands; None: one does, or never did
        self._released: deque[float] = deque(maxlen=max(1, interlock.per_hour))
        self._count = 0

    # What happens.

    def look(self, causes: Mapping[AlarmKey, Cause | None], now: Instant) -> None:
        """Take in how some of its alarms stand now."""
        for key, cause in causes.items():
            if cause is None:
                self.causes.pop(key, None)
                self._waiting.pop(key, None)
                continue
            self.causes[key] = cause
            self._note(key, cause, now.mono)
        quiet = None if self.causes else now.mono
        if (quiet is None) is not (self._quiet is None):
            self._quiet, self.dirty = quiet, True
        self.advance(now)

    def _note(self, key: AlarmKey, cause: Cause, mono: float) -> None:
        """Begin the delay of a cause that had no errand yet."""
        named = cause[:2]
        waits = self._waiting.get(key)
        if waits is not None and (waits[:2] != named or not cause.live):
            del self._waiting[key]
        if cause.live and self._served.get(key) != named and key not in self._waiting:
            self._waiting[key] = (*named, mono)
            self.dirty = True

    def advance(self, now: Instant) -> None:
        """Let time pass."""
        ends = now.mono - self.interlock.delay + EPSILON
        for key in [key for key, (_, _, since) in self._waiting.items() if since <= ends]:
            occurrence, activation, _ = self._waiting.pop(key)
            self._act(key, occurrence, activation, now)
        self._give_up(now)
        if self._release_due(now.mono):
            self._release(now)
        errand = self.errand
        if errand is not None and errand.act and not self.failed:
            self.failed = now.mono >= errand.since + self.interlock.within - EPSILON
            self.dirty |= self.failed

    def begun(self) -> None:
        """Note that the errand is being carried out."""
        assert self.errand is not None
        self.busy, self.dirty = True, True
        self.errand.tries += 1

    def ended(self, name: str, *, proven: bool, why: str, now: Instant) -> None:
        """Take in what became of a try of errand `name`; one that another has replaced does not count."""
        self.busy, self.dirty = False, True
        errand = self.errand
        if errand is None or errand.id != name:
            return
        errand.why = why
        if proven:
            self._over(errand, now, proven=True)
            return
        errand.retry = now.mono + min(SLOWEST, FIRST * 2.0 ** min(errand.tries - 1, 10))

    def veto(self, value: Value) -> str:
        """Return which alarm stands against another value than the one it orders; "" when none does."""
        if not self.interlock.hold or value == self.interlock.order.value or not self.causes:
            return ""
        return "/".join(next(iter(self.causes)))

    # What is to be done, and when.

    def due(self, mono: float) -> Errand | None:
        """Return the errand to carry out now."""
        errand = self.errand
        return errand if errand is not None and not self.busy and errand.retry <= mono + EPSILON else None

    def next_try(self) -> float | None:
        """Return the monotonic second from which on there is something to carry out."""
        return None if self.errand is None or self.busy else self.errand.retry

    def next_deadline(self) -> float | None:
        """Return the monotonic second at which `advance` has something to do."""
        moments = [since + self.interlock.delay for _, _, since in self._waiting.values()]
        errand = self.errand
        if errand is not None and errand.act and not self.failed:
            moments.append(errand.since + self.interlock.within)
        if errand is not None and self._quiet is not None and not self.busy:
            moments.append(max(errand.since, self._quiet) + self.interlock.give_up)
        release = self.interlock.release
        if release is not None and self.acted and errand is None and self._quiet is not None:
            moments.append(max(self._quiet + release.after, self._may_release()))
        return min(moments, default=None)

    def _act(self, key: AlarmKey, occurrence: str, activation: int, now: Instant) -> None:
        self._served[key] = (occurrence, activation)
        self.acted, self.dirty = True, True
        name = f"{'/'.join(key)} {occurrence} x{activation}"
        if self.errand is None or not self.errand.act:
            self.errand = self._errand(now, act=True)
        if len(self.errand.causes) < NAMED:
            self.errand.causes.append(name)

    def _errand(self, now: Instant, *, act: bool) -> Errand:
        self._count += 1
        release = self.interlock.release
        value = self.interlock.order.value if act or release is None else release.value
        return Errand(f"{self.interlock.name}.{self._count}", act, value, now.mono, now.wall)

    def _give_up(self, now: Instant) -> None:
        errand = self.errand
        if errand is None or self._quiet is None or self.busy:
            return
        if now.mono >= max(errand.since, self._quiet) + self.interlock.give_up - EPSILON:
            self.failed |= errand.act
            self._over(errand, now, proven=False)

    def _release_due(self, mono: float) -> bool:
        release = self.interlock.release
        if release is None or not self.acted or self.errand is not None or self._quiet is None:
            return False
        return mono >= max(self._quiet + release.after, self._may_release()) - EPSILON

    def _may_release(self) -> float:
        """Return from when on the hourly limit allows to go back."""
        full = len(self._released) == self._released.maxlen
        return self._released[0] + HOUR if full else float("-inf")

    def _release(self, now: Instant) -> None:
        self._released.append(now.mono)
        self.errand, self.dirty = self._errand(now, act=False), True

    def _over(self, errand: Errand, now: Instant, *, proven: bool) -> None:
        self.errand, self.dirty = None, True
        if errand.act:
            self.failed = self.failed and not proven
        else:
            self.acted = False
        self.last = {
            "act": errand.act,
            "value": errand.value,
            "causes": errand.causes,
            "due": errand.at,
            "at": now.wall,
            "tries": errand.tries,
            "proven": proven,
            "why": errand.why,
        }

    # For people, and for the disk.

    @property
    def phase(self) -> Phase:
        """How it stands."""
        if self.failed:
            return Phase.FAILED
        if self.errand is not None:
            return Phase.ACTING if self.errand.act else Phase.RELEASING
        if self._waiting:
            return Phase.WAITING
        return Phase.ACTED if self.acted else Phase.IDLE

    def held_back(self, mono: float) -> bool:
        """Whether the hourly limit keeps it on the safe side."""
        wanted = self.interlock.release is not None and self.acted and self.errand is None
        return wanted and not self.causes and self._may_release() > mono

    def to_json(self, now: Instant) -> dict[str, Any]:
        """Return it for the disk."""
        mono = now.mono
        return {
            "served": [[*key, *named] for key, named in self._served.items()],
            "waiting": [[*key, o, a, mono - since] for key, (o, a, since) in self._waiting.items()],
            "errand": None if self.errand is None else self.errand.to_json(mono),
            "failed": self.failed,
            "acted": self.acted,
            "quiet": None if self._quiet is None else mono - self._quiet,
            "released": [mono - then for then in self._released],
            "count": self._count,
            "last": self.last,
            "saved": now.wall if now.synced else None,
        }

    def restore(self, data: dict[str, Any], now: Instant) -> None:
        """Take up what was left: an errand that is not proven is due again, and looks before it writes."""
        trusted = data["saved"] is not None and now.synced
        down = max(0.0, (now.wall - data["saved"]) / NANO) if trusted else 0.0
        mono = now.mono
        self._served = {(d, r): (o, a) for d, r, o, a in data["served"] if (d, r) in self.interlock.when}
        self._waiting = {
            (d, r): (o, a, mono - age) for d, r, o, a, age in data["waiting"] if (d, r) in self.interlock.when
        }
        if data["errand"] is not None:
            self.errand = Errand.from_json(data["errand"], mono, down)
            if self.errand.act:
                self.errand.value = self.interlock.order.value  # as the site says now
        self.failed, self.acted, self.last = data["failed"], data["acted"], data["last"]
        self._quiet = None if data["quiet"] is None else mono - data["quiet"] - down
        self._released.extend(mono - age - down for age in data["released"])
        self._count = data["count"]
