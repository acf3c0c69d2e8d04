"""The figures of alarms.md 4.3 with the shipped presets: few activations, nothing missed. Synthetic data."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, Any

import pytest

from gateway.config import load_profile, rules_of
from gateway.model import EventKind, Instant, Sample
from gateway.specs import profile_specs
from rules.engine import Engine, counted_ids
from rules.look import Phase

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

WALL, NANO = 1_790_000_000 * 10**9, 10**9
# The control: what a bare threshold does, in a class of which chatter is never held.
PLAIN = {"deadband": 0, "on_delay": 0, "off_delay": 0, "class": "gas"}
DAY = 86_400
LORRIES = 2500


def run(
    profile: str, site: dict[str, Any], names: set[str], every: float, series: Iterable[dict[str, float]]
) -> dict[str, list[float]]:
    """Return when each of these rules of a profile became active."""
    shipped = load_profile(profile)
    rules = [rule for rule in rules_of(shipped, site) if rule.name in names]
    specs = profile_specs(shipped, rules, "d", every, {})
    engine = Engine(specs, {}, counted_ids(1), Instant(0.0, WALL))
    alarms = [alarm for alarm in engine.alarms() if alarm.key[1] in names]
    live, found = dict.fromkeys(names, False), {name: [] for name in names}  # type: dict[str, bool], dict[str, list[float]]
    for i, values in enumerate(series):
        at = i * every
        engine.observe(
            [Sample("d", WALL + round(at * NANO), at, values)], Instant(at, WALL + round(at * NANO))
        )
        for alarm in alarms:
            name = alarm.key[1]
            now = any(timer.phase in {Phase.ACTIVE, Phase.CLEARING} for timer in alarm.state.timers)
            if now and not live[name]:
                found[name].append(at)
            live[name] = now
    return found


def leakage(seconds: int, mean: float = 284.0) -> Iterator[dict[str, float]]:
    """The noise of the table: 9 mA that remembers some seconds, so that a bare threshold gives 1,500 a day."""
    chance, off, memory = random.Random(4), 0.0, 0.85
    for _ in range(seconds):
        off = memory * off + chance.gauss(0, 9.0 * math.sqrt(1 - memory * memory))
        yield {"residual_current": mean + off}


def hover(site: dict[str, Any], seconds: int = DAY) -> list[float]:
    return run("electrical_fire/generic", site, {"residual-high"}, 1.0, leakage(seconds))["residual-high"]


def test_a_leakage_that_hovers_for_a_day_activates_five_times_at_most() -> None:
    assert 1 <= len(hover({})) <= 5


def test_control_a_bare_threshold_activates_hundreds_of_times_in_two_hours() -> None:
    assert len(hover({"residual-high": PLAIN}, 7200)) > 80


def test_a_burst_of_three_seconds_over_the_upper_limit_is_raised_at_once() -> None:
    names = {"residual-high", "residual-high-high"}
    series = [{"residual_current": v} for v in [284.0] * 60 + [1100.0] * 3 + [284.0] * 120]
    found = run("electrical_fire/generic", {}, names, 1.0, series)
    assert found == {"residual-high": [], "residual-high-high": [60.0]}


def test_a_true_step_is_raised_within_ten_seconds() -> None:
    series = [*leakage(600), *({"residual_current": 420.0} for _ in range(30))]
    found = run("electrical_fire/generic", {}, {"residual-high"}, 1.0, series)["residual-high"]
    late = [at for at in found if at >= 600]
    assert late
    assert late[0] - 600 <= 10


# Manhole covers: a lorry shakes one for up to three samples of two seconds.


def shake(chance: random.Random) -> list[dict[str, float]]:
    tilt, samples = chance.expovariate(1 / 8.0), chance.choices([1, 2, 3], [52, 40, 8])[0]
    return [
        {"tilt_x": 0.4 + tilt * chance.uniform(0.8, 1.2), "tilt_y": chance.gauss(0, 1)}
        for _ in range(samples)
    ]


def still(chance: random.Random) -> dict[str, float]:
    return {"tilt_x": chance.gauss(0.4, 0.1), "tilt_y": chance.gauss(-0.3, 0.1)}


def traffic(quiet: int) -> Iterator[dict[str, float]]:
    chance = random.Random(11)
    for _ in range(LORRIES):
        yield from (still(chance) for _ in range(quiet))
        yield from shake(chance)


COVER = {"open", "displaced"}


def test_no_lorry_raises_an_alarm() -> None:
    """2,500 of them, twenty seconds apart: closer together than thirty days would be."""
    assert run("manhole/generic", {}, COVER, 2.0, traffic(10)) == {"open": [], "displaced": []}


def test_control_without_the_delay_every_third_lorry_would() -> None:
    eager = {"open": {"limit": 10, **PLAIN}}
    found = run("manhole/generic", eager, {"open"}, 2.0, traffic(10))["open"]
    assert 500 < len(found) < 1000


@pytest.mark.slow
def test_no_lorry_raises_an_alarm_in_thirty_days() -> None:
    per = 30 * DAY // 2 // LORRIES
    assert run("manhole/generic", {}, COVER, 2.0, traffic(per)) == {"open": [], "displaced": []}


@pytest.mark.parametrize("phase", [0.0, 0.7, 1.9])
def test_a_cover_that_is_lifted_is_raised_within_six_seconds(phase: float) -> None:
    chance = random.Random(3)
    lifted = [{"tilt_x": 30.0 + phase, "tilt_y": 2.0}] * 10
    found = run("manhole/generic", {}, COVER, 2.0, [*(still(chance) for _ in range(50)), *lifted])
    assert found["open"] == [106.0]
    assert 106.0 - 100.0 <= 6.0


# A cable joint that heats: two of own history, peers and rate, long before the absolute limit.


def test_a_heating_joint_is_told_by_its_evidence_long_before_the_limit() -> None:
    from gateway.config.bind import Binder  # noqa: PLC0415  only here
    from gateway.config.report import Report  # noqa: PLC0415
    from rules.site import Member  # noqa: PLC0415

    shipped = load_profile("electrical_fire/generic")
    names = ["joint", "peer-1", "peer-2"]
    report = Report()
    binder = Binder({n: Member(shipped.kind, "b1", frozenset(shipped.reported), {}) for n in names}, report)
    for name in names:
        for rule in rules_of(shipped, {}):
            binder.add(name, rule, _Nowhere(), ("rules", rule.name))
    bound = binder.bind()
    report.finish()
    specs = [spec for name in names for spec in profile_specs(shipped, bound[name], name, 10.0, {})]
    engine, told = Engine(specs, {}, counted_ids(1), Instant(0.0, WALL)), {}  # type: Engine, dict[str, float]
    chance = random.Random(2)
    for i in range(1, 720):
        at = i * 10.0
        heat = max(0.0, (at - 3600) / 60 * 1.0)  # from the first hour on, 1 degree a minute
        temps = {"joint": 38 + heat, "peer-1": 38.5, "peer-2": 37.6}
        now = Instant(at, WALL + round(at * NANO))
        samples = [
            Sample(
                n, now.wall, at, {"cable_temperature": t + chance.gauss(0, 0.2), "residual_current": 120.0}
            )
            for n, t in temps.items()
        ]
        for event in engine.observe(samples, now):
            if event.kind is EventKind.RAISE:
                told.setdefault(f"{event.device}/{event.rule}", at)
    assert {key.split("/")[0] for key in told} == {"joint"}
    lead = told["joint/temperature-high"] - told["joint/temperature-evidence"]
    assert lead >= 15 * 60, told


class _Nowhere:
    file = "test"

    def line(self, path: Any, *, key: bool = False) -> int:
        return 1

    def label(self, path: Any) -> str:
        return ".".join(map(str, path))
