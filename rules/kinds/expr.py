"""`expr`: a boolean expression over readings and alarms of any device. Pure; `rules.expression` parses it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from gateway.model import Quality
from rules.expression import Name, Wrong, evaluate, names, parse
from rules.kinds.following import FOREVER, Following, moment
from rules.look import Verdict
from rules.site import Missing, Unbound, find_point, find_rule
from rules.texts import delays

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.model import Value
    from rules.look import Look
    from rules.rule import AlarmKey, Rule
    from rules.site import Inventory

SELF = "self"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expr(Following):
    """The expression is true, by Kleene's logic: unknown unless what is known decides."""

    type: Literal["expr"] = "expr"
    expr: str
    home: str = field(default="", metadata={"yaml": False})

    def names(self) -> tuple[Name, ...]:
        """Return the names in it, `self` replaced."""
        return tuple(
            Name(self.home if n.device == SELF and self.home else n.device, n.what, n.alarm)
            for n in names(parse(self.expr))
        )

    def reads(self) -> tuple[tuple[str, str], ...]:
        """Return the readings it looks at."""
        return tuple((n.device, n.what) for n in self.names() if not n.alarm)

    def watched(self) -> tuple[str, ...]:
        """Return the devices whose readings it looks at."""
        return tuple(dict.fromkeys(device for device, _ in self.reads()))

    def follows(self) -> tuple[AlarmKey, ...]:
        """Return the alarms it looks at."""
        return tuple((n.device, n.what) for n in self.names() if n.alarm)

    def mistakes(self) -> Iterable[str]:
        """Yield what is wrong with the expression."""
        try:
            if not tuple(names(parse(self.expr))):
                yield "expr names no reading and no alarm"
        except Wrong as error:
            yield f"expr: {error}"

    def bind(self, home: str, site: Inventory) -> Rule:
        """Check every name in it."""
        bound = replace(self, home=home)
        missing: list[Missing] = []
        for n in bound.names():
            found: Missing | None
            if n.device == SELF:
                found = Missing("expr", "self is for rules of one device")
            elif n.alarm:
                found = find_rule(site, n.device, n.what, "expr")
            else:
                found = find_point(site, n.device, n.what, "expr")
            if found is not None:
                missing.append(found)
        if missing:
            raise Unbound(missing)
        return bound

    def judge(self, look: Look) -> Verdict | None:
        """Evaluate it on what is known now."""
        world = _Now(look, self.home)
        truth = evaluate(parse(self.expr), world)
        quality = world.worst if truth is None else Quality.GOOD
        return Verdict((truth,), None, quality, moment(world.until))

    def words(self) -> dict[str, str]:
        """Return it as it is written."""
        tail = delays(self.on_delay, self.off_delay)
        return {"zh": self.expr + tail["zh"], "en": self.expr + tail["en"]}


class _Now:
    """The scene, as an expression asks for it; notes until when the answers hold."""

    def __init__(self, look: Look, home: str) -> None:
        self._look, self._home = look, home
        self.until = FOREVER
        self.worst = Quality.NO_ANSWER

    def reading(self, device: str, point: str) -> Value | None:
        if self._look.scene is None:
            return None
        known = self._look.scene.reading(self._own(device), point, self._look.now)
        self.until = min(self.until, known.until)
        if known.value is None:
            self.worst = known.quality
        return known.value

    def alarm(self, device: str, rule: str) -> bool | None:
        if self._look.scene is None:
            return None
        truth, until = self._look.scene.alarm((self._own(device), rule), self._look.now)
        self.until = min(self.until, until)
        return truth

    def _own(self, device: str) -> str:
        return self._home if device == SELF else device
