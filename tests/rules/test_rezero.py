"""Where a sensor rests: the median of its samples, the short way round, and how still they were."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import AlarmClass, Instant, Sample
from rules.engine import Engine, counted_ids
from rules.kinds.deviation import Deviation
from rules.rezero import SPREAD, Rezero, rest
from rules.rule import AlarmSpec, Context

angles = st.floats(-179.0, 179.0)


@given(angles, angles, st.lists(st.floats(-0.2, 0.2), min_size=30, max_size=60))
def test_angles_rest_at_their_median(x: float, y: float, noise: list[float]) -> None:
    found = rest([(x + n, y - n) for n in noise])
    assert found.values == pytest.approx((x, y), abs=0.2001)
    assert found.spread <= 0.4001


def test_one_bad_look_does_not_move_the_median_but_the_spread_tells() -> None:
    found = rest([(1.0,)] * 29 + [(40.0,)])
    assert found.values == (1.0,)
    assert found.spread == 39.0
    assert found.spread >= SPREAD


def test_on_both_sides_of_180_degrees_is_near() -> None:
    found = rest([(179.9,), (-179.9,)] * 20)
    assert found.spread == pytest.approx(0.2)
    assert abs(found.values[0]) == pytest.approx(180.0, abs=0.11)


def test_a_gravity_vector_rests_where_it_points() -> None:
    found = rest([(0.0, 0.1 + 0.001 * (n % 2), 1.0) for n in range(30)])
    assert found.values == pytest.approx((0.0, 0.1005, 1.0))
    assert found.spread < SPREAD
    assert rest([(0.0, 0.0, 1.0)] * 29 + [(0.0, 1.0, 0.0)]).spread == pytest.approx(180.0)
    assert rest([(0.0, 0.0, 0.0)] * 30).spread == 360.0


def test_a_new_baseline_counts_at_once_and_survives_in_the_context_only() -> None:
    rule = Deviation(name="open", points=("x", "y"), limit=10.0, level=2, alarm_class=AlarmClass.SAFETY)
    spec = AlarmSpec("cover", rule, Context("°", {}, 1.0, {"x": 0.0, "y": 0.0}))
    engine = Engine([spec], {}, counted_ids(1), Instant(0.0, 0))

    def see(second: float) -> list[str]:
        sample = Sample("cover", round(second * 1e9), second, {"x": 20.0, "y": 0.0})
        return [e.kind.value for e in engine.observe([sample], Instant(second, round(second * 1e9)))]

    assert [*see(1), *see(2)] == ["raise"]
    reply = engine.act(
        ("cover", "open"), Rezero({"x": 20.0, "y": 0.0}, actor="wang"), Instant(3.0, 3 * 10**9)
    )
    assert [event.kind.value for event in reply.events] == ["rule_changed"]
    assert see(4) == ["clear"]
