"""Baselines from the site and from the file: the later one counts, every version is kept."""

from __future__ import annotations

from gateway.baselines import KEPT, Baselines
from rules.kinds.deviation import Deviation
from rules.rule import AlarmSpec, Context

FILED = {"cover": {"x": 1.0, "y": 2.0}, "bare": {}}


def test_without_a_captured_one_the_file_counts() -> None:
    found = Baselines(None, FILED)
    assert found.of("cover") == {"x": 1.0, "y": 2.0}
    assert found.of("bare") == found.of("unknown") == {}


def test_a_captured_one_counts_until_the_file_is_edited() -> None:
    taken = Baselines(None, FILED)
    kept = taken.take("cover", {"x": 5.0}, {"by": "wang"})
    assert taken.of("cover") == {"x": 5.0, "y": 2.0}
    assert Baselines(kept, FILED).of("cover") == {"x": 5.0, "y": 2.0}
    assert Baselines(kept, {"cover": {"x": 9.0, "y": 2.0}}).of("cover") == {"x": 9.0, "y": 2.0}


def test_every_version_says_what_was_before() -> None:
    taken = Baselines(None, FILED)
    taken.take("cover", {"x": 5.0}, {"by": "wang"})
    kept = taken.take("cover", {"x": 6.0}, {"by": "li"})
    first, second = Baselines(kept, FILED).versions("cover")
    assert (first["version"], first["before"], first["by"]) == (1, {"x": 1.0, "y": 2.0}, "wang")
    assert (second["version"], second["before"]["x"], second["by"]) == (2, 5.0, "li")


def test_a_replaced_sensor_is_a_version_that_changes_no_value() -> None:
    taken = Baselines(None, FILED)
    taken.take("cover", {"x": 5.0}, {})
    again = Baselines(taken.void("cover", {"by": "li"}), FILED)
    assert again.of("cover") == {"x": 5.0, "y": 2.0}
    assert [(v["version"], v.get("void", False)) for v in again.versions("cover")] == [(1, False), (2, True)]


def test_many_versions_are_cut_but_go_on_counting() -> None:
    taken = Baselines(None, FILED)
    for n in range(KEPT + 5):
        taken.take("bare", {"x": float(n)}, {})
    assert [v["version"] for v in taken.versions("bare")] == list(range(6, KEPT + 6))


def test_specs_get_the_baseline_that_counts_and_only_those_concerned() -> None:
    rule = Deviation(name="open", points=("x", "y"), limit=10.0)
    specs = [
        AlarmSpec(name, rule, Context(baseline=FILED.get(name, {}))) for name in ("cover", "bare", "other")
    ]
    taken = Baselines(None, FILED)
    taken.take("cover", {"x": 5.0}, {})
    cover, bare, other = taken.apply(specs)
    assert cover.context.baseline == {"x": 5.0, "y": 2.0}
    assert bare is specs[1]
    assert other is specs[2]
