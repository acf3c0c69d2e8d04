"""`accumulate`: too much in a session, a day or the last hours: energy, starts, minutes. Pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from gateway.model import Quality
from rules.kinds.measured import Measured, number_of
from rules.rule import STRICT
from rules.session import Course, elapsed, kept
from rules.state import NANO
from rules.texts import span

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rules.look import Look

BUCKETS = 96
HOUR = 3600.0
QUANTITIES = {
    "delta": ("增量", "increase"),
    "starts": ("启动次数", "starts"),
    "minutes": ("分钟数", "minutes"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOf:
    """What makes a session, by a point of the same device."""

    point: str
    above: float
    below: float | None = None
    start_for: float = 30.0
    end_for: float = 60.0
    gap: float = 300.0

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT

    @property
    def course(self) -> Course:
        """The same, ready to be stepped."""
        below = self.above if self.below is None else self.below
        return Course(
            above=self.above, below=below, start_for=self.start_for, end_for=self.end_for, gap=self.gap
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Accumulate(Measured):
    """The sum over a `period` at or beyond the limit; it ends with the period.

    `delta` adds up what a counter counts, `starts` how often the point came to `above`, `minutes` how long
    it was there. A counter that falls has rolled over at `modulus`, if `max_rate` (units per hour) allows
    so much in the time; else it was reset, and what it shows is all that is added, if that is plausible.
    """

    type: Literal["accumulate"] = "accumulate"
    quantity: Literal["delta", "starts", "minutes"] = "delta"
    period: Literal["session", "day", "rolling"] = "day"
    window: float = 86400.0  # of `rolling`
    above: float | None = None
    modulus: float | None = None  # in units: 2^32 x scale for a 32-bit counter
    max_rate: float | None = None
    session: SessionOf | None = None

    keep_every: ClassVar[float] = 300.0

    def inputs(self) -> tuple[str, ...]:
        """Return the points."""
        return (self.point,) if self.session is None else (self.point, self.session.point)

    def mistakes(self) -> Iterable[str]:
        """Yield what does not go together."""
        yield from Measured.mistakes(self)
        if self.quantity != "delta" and self.above is None:
            yield f"{self.quantity} needs above"
        if self.modulus is not None and (self.max_rate is None or self.modulus <= 0):
            yield "modulus is above 0 and needs max_rate: else a reset looks like a rollover"
        if (self.period == "session") != (self.session is not None):
            yield "period session and the block session go together"
        if self.session is not None:
            yield from self.session.course.mistakes()
        if self.window <= 0 or (self.max_rate is not None and self.max_rate <= 0):
            yield "window and max_rate must be above 0"

    def measure(self, look: Look, value: float) -> float | None:
        """Add what came; return the sum."""
        memory = look.memory
        memory["of"] = f"{self.point} {self.quantity} {self.period}"
        if self.session is not None:
            running = number_of(look.sample, self.session.point)
            if running is None or isinstance(running, Quality):
                return None
            course = memory.setdefault("course", {})
            self.session.course.step(course, running, look, hold=look.phases[0].live)
        passed = elapsed(memory, look)
        added = self._added(memory, value, passed)
        if self.period == "rolling":
            return self._roll(memory, added, look)
        if self._over(memory, look):
            memory["sum"] = 0.0
        elif self.period == "day" or memory["course"].get("open"):
            memory["sum"] = memory.get("sum", 0.0) + added
        return float(memory.get("sum", 0.0))

    def _added(self, memory: dict[str, Any], value: float, passed: float | None) -> float:
        before = memory.get("before")
        memory["before"] = value
        if self.quantity == "delta":
            return 0.0 if before is None else self.delta(before, value, passed)
        on = value >= (self.above or 0.0)
        was = before is not None and before >= (self.above or 0.0)
        if self.quantity == "starts":
            return float(on and not was and before is not None)
        return (passed or 0.0) / 60 if on and was else 0.0

    def delta(self, before: float, value: float, passed: float | None) -> float:
        """Return what was counted between two readings `passed` seconds apart: never negative."""
        most = None if self.max_rate is None or passed is None else self.max_rate * max(passed, 1.0) / HOUR
        if value >= before:
            return value - before if self.max_rate is None or most is None or value - before <= most else 0.0
        if self.modulus is not None and most is not None and (value - before) % self.modulus <= most:
            return (value - before) % self.modulus
        if self.max_rate is None:
            return max(value, 0.0)  # a meter that began anew
        return value if most is not None and 0 <= value <= most else 0.0

    def _over(self, memory: dict[str, Any], look: Look) -> bool:
        """Return whether the period has ended; nobody knows the day while the clock is wrong."""
        if self.period == "session":
            return not memory["course"].get("open")
        if not look.synced:
            return False
        day = dt.datetime.fromtimestamp(look.wall / NANO, tz=look.zone or dt.UTC).date().isoformat()
        before = memory.get("day")
        memory["day"] = day
        return before is not None and before != day

    def _roll(self, memory: dict[str, Any], added: float, look: Look) -> float:
        buckets = memory.setdefault("buckets", [])  # [begin, sum], monotonic
        if not buckets or look.now - buckets[-1][0] >= self.window / BUCKETS:
            buckets.append([look.now, 0.0])
        buckets[-1][1] += added
        while buckets[0][0] <= look.now - self.window:
            buckets.pop(0)
        return float(sum(amount for _, amount in buckets))

    def keep(self, memory: dict[str, Any], now: float) -> dict[str, Any]:
        """Keep sums, with ages in place of monotonic times."""
        found = kept({name: value for name, value in memory.items() if name not in {"course", "buckets"}})
        if "course" in memory:
            found["course"] = kept(memory["course"])
        if "buckets" in memory:
            found["buckets"] = [[round(now - at, 3), round(amount, 6)] for at, amount in memory["buckets"]]
        return found

    def resume(self, kept: dict[str, Any], now: float) -> dict[str, Any]:
        """Take the sums up; time that nobody saw makes nothing older: the strict side."""
        found = dict(kept)
        if "buckets" in found:
            found["buckets"] = [[now - age, amount] for age, amount in found["buckets"]]
        return found

    def adopt(self, kept: dict[str, Any]) -> dict[str, Any]:
        """Go on with the sum when its limit is edited."""
        return dict(kept) if kept.get("of") == f"{self.point} {self.quantity} {self.period}" else {}

    def what(self) -> dict[str, str]:
        """Return it in words."""
        zh, en = QUANTITIES[self.quantity]
        over = {"session": ("本次", "in a session"), "day": ("当日", "in a day")}
        when = over.get(self.period, (f"近 {span(self.window)}", f"in {span(self.window)}"))
        return {"zh": f"{self.point} {when[0]}{zh}", "en": f"{en} of {self.point} {when[1]}"}
