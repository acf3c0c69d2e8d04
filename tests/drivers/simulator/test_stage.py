"""Scripts: what they may say, and that it is done when it is due."""

from __future__ import annotations

import random
from typing import Any

import pytest
from playing import unit

from drivers.simulator.bus import Bus
from drivers.simulator.faults import FaultError
from drivers.simulator.modbus import RTU
from drivers.simulator.script import Join, ScriptError, parse_entry
from drivers.simulator.stage import Stage


def stage(*entries: dict[str, Any], seed: int = 1) -> Stage:
    units = {name: unit(name, n) for n, name in enumerate(("gas-1", "gas-2"), 1)}
    bus = Bus(units.values(), RTU, random.Random(1))
    script = [entry for entry in map(parse_entry, entries) if not isinstance(entry, Join)]
    return Stage(units, {"rs485-1": bus}, script, random.Random(seed))


def told(playing: Stage, until: float) -> list[tuple[Any, ...]]:
    """Tick exactly at the deadlines, as the shell does."""
    found = []
    while (due := playing.next_deadline()) is not None and due <= until:
        found += [
            (h.t, h.event, h.device or h.line, h.drama or h.fault or h.point) for h in playing.tick(due)
        ]
    return found


def test_faults_begin_and_end_when_the_script_says() -> None:
    playing = stage(
        {"at": "10s", "device": "gas-1", "fault": "silent", "for": "30s"},
        {"at": "20s", "line": "rs485-1", "fault": "unplug", "for": "5s"},
        {"at": "1s", "device": "gas-2", "set": {"lel": 50}, "for": "2s"},
    )
    assert told(playing, 100) == [
        (1, "start", "gas-2", "lel"),
        (3, "end", "gas-2", "lel"),
        (10, "start", "gas-1", "silent"),
        (20, "start", "rs485-1", "unplug"),
        (25, "end", "rs485-1", "unplug"),
        (40, "end", "gas-1", "silent"),
    ]


def test_a_fault_of_devices_on_a_line_befalls_all_of_them() -> None:
    playing = stage({"at": 0, "line": "rs485-1", "fault": "noise", "probability": 0.1})
    assert [(e, d) for _, e, d, _ in told(playing, 1)] == [("start", "gas-1"), ("start", "gas-2")]


def test_the_end_of_an_older_fault_does_not_end_a_newer_one() -> None:
    playing = stage(
        {"at": 1, "device": "gas-1", "fault": "silent", "for": 10},
        {"at": 5, "device": "gas-1", "fault": "silent", "for": 20},
    )
    assert [(t, e) for t, e, _, _ in told(playing, 100)] == [(1, "start"), (5, "start"), (25, "end")]


def test_a_drama_every_minute_is_the_same_for_the_same_seed() -> None:
    runs = [told(stage({"every": "60s", "choose": "dramas"}, seed=seed), 600) for seed in (1, 1, 2)]
    assert runs[0] == runs[1] != runs[2]
    starts = [t for t, event, _, what in runs[0] if event == "start"]
    assert starts == [60.0 * n for n in range(1, 11)]
    assert sum(event == "end" for _, event, _, _ in runs[0]) == 9


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"at": "10s", "device": "gas-1"}, "exactly one of drama, fault, set"),
        ({"device": "gas-1", "drama": "leak"}, "at: is missing"),
        ({"at": "10s", "drama": "leak"}, "exactly one of device, line"),
        ({"at": "10s", "line": "rs485-1", "drama": "leak"}, "faults only"),
        ({"at": "10s", "device": "gas-1", "drama": "leak", "for": "3s"}, "as long as its profile"),
        ({"at": "10s", "device": "gas-1", "drama": "leak", "probability": 1}, "probability"),
        ({"at": "10s", "device": "gas-1", "fault": "tired"}, "no fault 'tired'"),
        ({"at": "10s", "device": "gas-1", "fault": "late", "hight": 1}, "hight"),
        ({"at": "10s", "device": "gas-1", "fault": "noise", "probability": 3}, "0 to 1"),
        ({"at": "soon", "device": "gas-1", "fault": "silent"}, "'soon'"),
        ({"every": "60s", "choose": "songs"}, "songs"),
        ({"every": "0s", "choose": "dramas"}, "every"),
    ],
)
def test_an_entry_that_means_nothing_is_refused(entry: dict[str, Any], reason: str) -> None:
    with pytest.raises(ScriptError, match=reason):
        parse_entry(entry)


@pytest.mark.parametrize(
    "entry",
    [
        {"at": 1, "device": "gas-9", "fault": "silent"},
        {"at": 1, "line": "rs485-9", "fault": "unplug"},
        {"at": 1, "device": "gas-1", "fault": "unplug"},
        {"at": 1, "device": "gas-1", "drama": "flood"},
        {"at": 1, "device": "gas-1", "set": {"lol": 1}},
    ],
)
def test_a_script_that_names_what_is_not_there_is_refused_before_it_runs(entry: dict[str, Any]) -> None:
    with pytest.raises(FaultError):
        stage(entry)
