"""The scenarios of alarms.md 9.2 as files: played by the engine, and the one about the uplink through the journal."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from clock import FakeClock
from journals import everything

from gateway.cli import main
from gateway.cli.rulecases import load_cases
from gateway.links import encode
from gateway.store import Lane, Store
from rules.casefile import parse
from rules.conditions import AlarmSpec, Limit
from rules.incidents import judge
from rules.made import made
from rules.play import compare, play

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.model import AlarmEvent

FOLDER = Path(__file__).parents[1] / "cases/scenarios"
FILES = sorted(FOLDER.glob("*.yaml"))
AWAY = 3600.0, 90_000.0  # seconds: the uplink of S8
TOPICS, NOBODY = encode.Topics("site", "gw"), encode.Facts("trial")
RULE = AlarmSpec("d", Limit(name="high", point="p", limit=50.0, on_delay=2.0))
STORY: dict[str, Any] = {
    "name": "x",
    "device": "d",
    "series": {"p": ["10 x5", "60 x5", "10 x5"]},
    "expect": [{"at": 7, "rule": "high", "event": "raise"}, {"at": 10, "rule": "high", "event": "clear"}],
}


def test_there_is_a_file_for_each_scenario() -> None:
    assert [file.name[:3] for file in FILES] == [f"s{n:02d}" for n in range(1, 13)]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_scenario(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert all(case.incidents for case, _ in load_cases(file).cases)
    assert main(["rules", "test", str(file)]) == 0, capsys.readouterr().out


@pytest.mark.parametrize(
    ("incident", "missed", "false"),
    [
        ({"from": 5, "until": 10, "rule": "high", "within": 2}, 0, 0),
        ({"from": 5, "until": 10, "rule": "high", "within": 1}, 1, 0),
        ({"from": 0, "until": 4, "rule": "high", "within": 2}, 1, 1),
    ],
)
def test_what_was_missed_or_false_fails_the_case(
    incident: dict[str, object], missed: int, false: int
) -> None:
    case = parse([{**STORY, "incidents": [incident]}])[0]
    seen = play(case, [RULE])
    truth = judge(case.incidents, seen)
    assert (len(truth.missed), len(truth.false)) == (missed, false)
    assert compare(case, seen)[0] is (missed == false == 0)


def test_copies_are_devices_of_their_own() -> None:
    [case] = parse(
        [{**STORY, "copies": 3, "expect": [{**wanted, "device": "*"} for wanted in STORY["expect"]]}]
    )
    specs = [AlarmSpec(name, RULE.rule) for name in case.series]
    assert list(case.series) == ["d-1", "d-2", "d-3"]
    assert compare(case, play(case, specs))[0]


def test_described_series_are_the_same_every_time() -> None:
    noise = made({"noise": [284, 9], "count": 10_000, "seed": 7})
    assert noise == made({"noise": [284, 9], "count": 10_000, "seed": 7})
    assert noise[:3] == [288.645, 295.728, 276.589]
    assert abs(sum(noise) / len(noise) - 284) < 0.3
    assert made({"ramp": [0, 10], "count": 6}) == [0, 2, 4, 6, 8, 10]
    assert len(made({"shakes": [10, 45], "times": 10, "rest": 7})) == 10 * 7 + 15


@pytest.mark.parametrize(
    "item",
    [
        {},
        {"noise": [1]},
        {"noise": [1, "x"]},
        {"noise": [1, 2], "ramp": [1, 2]},
        {"noise": [1, 2], "times": 3},
        {"ramp": [1, 2], "count": "x"},
    ],
)
def test_a_description_that_is_none_is_refused(item: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        made(item)


# S8, through the journal.


async def through_the_journal(
    folder: Path, events: Sequence[AlarmEvent], killed_at: float
) -> list[dict[str, object]]:
    """Commit events as they happen; a link that is away from 1 h to 25 h sends what it finds. Return what arrived.

    Receipts for the first batch after the loss are lost, so it is sent again; the gateway is killed once.
    """
    clock, arrived, begin = FakeClock(), list[dict[str, object]](), events[0].mono - 1810
    store = await Store.open(folder, clock)
    killed = False
    for event in events:
        at = event.mono - begin
        if at > killed_at and not killed:
            killed = True
            await store.close()
            store = await Store.open(folder, clock)
        cursor = await store.cursor("mqtt", Lane.ALARM)
        await store.commit_alarms([encode.event(event, NOBODY, TOPICS)], [], event.at)
        if not AWAY[0] < at < AWAY[1]:
            for record in await everything(cursor):
                arrived.append(json.loads(record.payload))
                await cursor.confirm(record.epoch, [(record.seq, record.seq)])
    cursor = await store.cursor("mqtt", Lane.ALARM)
    for receipts in (False, True):
        for record in await everything(cursor):
            arrived.append(json.loads(record.payload))
            if receipts:
                await cursor.confirm(record.epoch, [(record.seq, record.seq)])
    await store.close()
    return arrived


async def test_after_a_day_without_uplink_everything_comes_once_in_order_with_its_own_time(
    tmp_path: Path,
) -> None:
    [(case, specs)] = load_cases(FOLDER / "s08-uplink-lost.yaml").cases
    events: list[AlarmEvent] = []
    play(case, specs, events.extend)
    [kill] = [do.at for do in case.do if do.word == "restart"]
    arrived = await through_the_journal(tmp_path, events, kill)
    once = {str(event["dedup"]): event for event in arrived}
    assert len(arrived) > len(once) == len(events), (
        "what was sent again has the same dedup, and nothing is missing"
    )
    for key in {(event.device, event.rule) for event in events}:
        told = [e for e in once.values() if (e["device"], e["rule"]) == key]
        here = [e for e in events if (e.device, e.rule) == key]
        assert [(e["n"], e["event"], e["at"]) for e in told] == [(e.n, e.kind.value, e.at) for e in here]
    counts = Counter(str(event["event"]) for event in once.values())
    assert counts["raise"] == 10
    assert counts["raise"] + counts["repeat"] == counts["clear"] + 5  # five latch, and wait for people
