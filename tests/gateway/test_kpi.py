"""The figures of alarms.md 9.1, event by event; the same again from the journal."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.kpi import FLOOD, KEPT, NANO, STEP, Kpis, Step
from gateway.model import EventKind

DAY = 86400 * NANO
T0 = 1_790_000_000_000_000_000 // STEP * STEP


def step(
    kind: str, seconds: float, *, rule: str = "r", level: int = 2, occurrence: str = "1", **more: Any
) -> Step:
    at = T0 + round(seconds * NANO)
    return Step(
        EventKind(kind), "d", rule, occurrence, at, level, more.get("test", False), more.get("reason", "")
    )


def report(*steps: Step, after: float = 3600.0) -> dict[str, Any]:
    kpis = Kpis()
    kpis.note(steps)
    return kpis.report(T0 + round(after * NANO))


def test_nothing_has_no_figures() -> None:
    found = report()
    assert found["annunciated_day"] == 0
    assert found["ack_p95"] is None
    assert found["false_share"] is None
    assert found["mix"]["1"] is None
    assert not found["flood"]


def test_what_is_called_out_counts_and_what_is_only_noted_does_not() -> None:
    kinds = ["raise", "update", "upgrade", "ack", "clear", "repeat", "closed"]
    found = report(*(step(kind, n) for n, kind in enumerate(kinds)))
    assert found["annunciated_day"] == 3
    assert found["per_occurrence"] == 3.0


def test_a_drill_does_not_count() -> None:
    assert report(step("raise", 0, test=True))["annunciated_day"] == 0


def test_times_run_from_the_call_to_the_acknowledgement_and_to_normal() -> None:
    found = report(
        step("raise", 0, level=1),
        step("ack", 40, level=1),
        step("clear", 100, level=1),
        step("closed", 100, level=1),
    )
    assert (found["ack_p50"], found["ack_p95_level1"], found["normal_p50"]) == (40.0, 40.0, 100.0)


def test_an_acknowledgement_that_ran_out_is_counted_once() -> None:
    found = report(step("raise", 0), step("ack", 10), step("unack", 300), step("ack", 400))
    assert found["ack_p95"] == 10.0


def test_what_clears_before_anybody_could_act_is_fleeting() -> None:
    quick = [step("raise", 0, occurrence="1"), step("clear", 30, occurrence="1")]
    seen = [
        step("raise", 60, occurrence="2"),
        step("ack", 70, occurrence="2"),
        step("clear", 80, occurrence="2"),
    ]
    slow = [step("raise", 100, occurrence="3"), step("clear", 300, occurrence="3")]
    assert report(*quick, *seen, *slow)["fleeting"] == 1


@pytest.mark.parametrize(("gap", "chattering"), [(29.0, 1), (31.0, 0)])
def test_three_in_a_minute_chatter(gap: float, chattering: int) -> None:
    assert report(*(step("repeat", n * gap) for n in range(3)))["chattering"] == chattering


def test_a_flood_begins_above_ten_in_ten_minutes_and_ends_below_five() -> None:
    def burst(number: int, at: float) -> list[Step]:
        return [step("raise", at + n, rule=f"{at}-{n}") for n in range(number)]

    assert not report(*burst(FLOOD, 0), after=300)["flood"]
    assert report(*burst(FLOOD + 1, 0), after=300)["flood"]
    assert report(*burst(FLOOD + 1, 0), *burst(5, 600), after=1000)["flood"]
    found = report(*burst(FLOOD + 1, 0), *burst(4, 600), after=1300)
    assert not found["flood"]
    assert found["peak_10min"] == FLOOD + 1
    assert found["flood_share"] == pytest.approx(1 / 144, abs=1e-4)


def test_a_day_later_it_is_forgotten() -> None:
    kpis = Kpis()
    kpis.note([step("repeat", n) for n in range(5)])
    found = kpis.report(T0 + DAY + STEP)
    assert (found["annunciated_day"], found["chattering"], found["peak_10min"]) == (0, 0, 0)
    assert found["annunciated_hour"] == 0


def test_the_worst_sources_and_the_mix_of_levels() -> None:
    found = report(*(step("raise", n, rule="noisy", level=3) for n in range(9)), step("raise", 9, level=1))
    assert found["top"][0] == {"device": "d", "rule": "noisy", "count": 9}
    assert found["top10_share"] == 1.0
    assert (found["mix"]["3"], found["mix"]["1"]) == (0.9, 0.1)


def test_dispositions_are_words_with_or_without_a_comment() -> None:
    said = ["false: cooking", "real", "false", "other: bird"]
    assert report(*(step("disposition", n, reason=why) for n, why in enumerate(said)))["false_share"] == 0.5


def test_a_clock_set_back_loses_nothing() -> None:
    assert report(step("raise", 3000), step("raise", 0, rule="other"))["annunciated_day"] == 2


def test_it_stays_small_in_a_flood() -> None:
    kpis = Kpis()
    for n in range(20_000):
        key = str(n)
        kpis.note([step("raise", n, rule=key), step("ack", n + 1, rule=key), step("closed", n + 1, rule=key)])
    assert len(kpis._acks) == KEPT
    assert not kpis._open
    assert len(kpis._buckets) <= 144
    assert (
        sum(kpis._sources.values())
        == sum(bucket.calls for bucket in kpis._buckets)
        == sum(kpis._levels.values())
    )
    assert min(kpis._sources.values()) > 0


def test_the_journal_gives_the_same_step() -> None:
    event = {
        "event": "raise", "device": "d", "rule": "r", "occurrence": "1", "at": T0, "level": 2,
        "status": "Exercise", "reason": "", "title": {},
    }  # fmt: skip
    assert Step.parsed(event) == step("raise", 0, test=True)
