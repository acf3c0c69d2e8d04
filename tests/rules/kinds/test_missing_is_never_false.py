"""Every rule type, from a standing alarm and from rest: input that goes away changes neither."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gateway.model import AlarmClass, EventKind, Instant, Quality, Sample
from rules import conditions as c
from rules.engine import Engine, counted_ids

if TYPE_CHECKING:
    from collections.abc import Iterator

WALL, NANO = 1_790_000_000 * 10**9, 10**9
HELPER = c.Limit(name="high", point="p", limit=50, level=4)
SECOND = c.Limit(name="second", point="q", limit=50, level=4)
TYPES: dict[str, tuple[c.Rule, ...]] = {
    "limit": (c.Limit(name="x", point="p", limit=50),),
    "state": (c.State(name="x", point="p", bit=6),),
    "deviation": (c.Deviation(name="x", points=("p",), limit=40, assume_zero=True),),
    "rate": (c.Rate(name="x", point="p", limit=10, window=20, per=60),),
    "window": (c.Window(name="x", point="p", stat="mean", window=10, limit=50),),
    "schedule": (
        c.Schedule(name="x", point="p", limit=80, hours=(c.Hours(begin="00:00", end="23:59", limit=50),)),
    ),
    "duration": (c.Duration(name="x", point="p", above=50, start_for=2, levels=(c.Span(after=5, level=3),)),),
    "accumulate": (
        c.Accumulate(
            name="x", point="p", quantity="minutes", above=50, limit=0.1, period="rolling", window=30
        ),
    ),
    "sibling": (c.Sibling(name="x", points=("p", "r", "s"), margin=20),),
    "evidence": (HELPER, SECOND, c.Evidence(name="x", of=("high", "second"), k=2, home="d")),
    "reconfirm": (HELPER, c.Reconfirm(name="x", of="high", blind=3, window=20, home="d")),
    "vote": (HELPER, c.Vote(name="x", of="high", devices="d", m=1, level=1, members=("d",))),
    "expr": (c.Expr(name="x", expr="d.p > 50"),),
}
OTHERS = {"stale", "bad_data", "watchdog"}, {"stuck", "baseline"}  # bad input is their alarm; need weeks


class Plant:
    def __init__(self, rules: tuple[c.Rule, ...]) -> None:
        self.engine = Engine([c.AlarmSpec("d", r) for r in rules], {}, counted_ids(1), Instant(0.0, WALL))
        self.kinds: list[EventKind] = []
        self.now = 0.0

    def run(self, entries: Iterator[Any]) -> None:
        for entry in entries:
            self.now += 1.0
            at = WALL + round(self.now * NANO)
            now = Instant(self.now, at)
            values: dict[str, Any] = {}
            bad: dict[str, Quality] = {}
            if isinstance(entry, Quality):
                bad = dict.fromkeys(("p", "q"), entry)
            elif entry is not None:
                values = {"p": entry, "q": entry, "r": 10.0, "s": 11.0}
            if values or bad:
                self.note(self.engine.observe([Sample("d", at, self.now, values, bad)], now))
            self.note(self.engine.tick(now))

    def note(self, events: list[Any]) -> None:
        self.kinds += [e.kind for e in events if e.rule == "x"]

    @property
    def live(self) -> bool:
        return next(a for a in self.engine.alarms() if a.key[1] == "x").state.live


def up(name: str) -> Iterator[Any]:
    yield from [10] * 20
    yield from [10 + 3 * i for i in range(30)] if name == "rate" else [70] * 15


def test_every_type_is_here() -> None:
    assert set(TYPES) | OTHERS[0] | OTHERS[1] == set(c.KINDS)


@pytest.mark.parametrize(
    "missing", [Quality.SENTINEL, Quality.NOT_A_NUMBER, Quality.NO_ANSWER, None, float("nan")]
)
@pytest.mark.parametrize("name", TYPES)
def test_what_goes_away_while_it_stands_never_clears_it(name: str, missing: Any) -> None:
    plant = Plant(TYPES[name])
    plant.run(up(name))
    assert plant.live, "the alarm must stand first"
    plant.run(missing for _ in range(200))
    assert plant.live
    assert EventKind.CLEAR not in plant.kinds


@pytest.mark.parametrize("missing", [Quality.SENTINEL, Quality.NO_ANSWER, None, float("nan")])
@pytest.mark.parametrize("name", TYPES)
def test_what_goes_away_at_rest_raises_nothing(name: str, missing: Any) -> None:
    plant = Plant(TYPES[name])
    plant.run(iter([10] * 25))
    plant.run(missing for _ in range(200))
    assert not plant.live
    assert plant.kinds == []


@pytest.mark.parametrize("name", TYPES)
def test_what_is_seen_to_be_normal_again_clears_it(name: str) -> None:
    plant = Plant(TYPES[name])
    plant.run(up(name))
    plant.run(iter([10] * 150))
    assert not plant.live, "else nothing above would mean anything"
    assert plant.kinds.count(EventKind.CLEAR) == 1 or plant.kinds[-1] is EventKind.COND_NORMAL


def test_gas_is_never_verified() -> None:
    with pytest.raises(ValueError, match="never verified"):
        c.Reconfirm(name="x", of="high", alarm_class=AlarmClass.GAS)
