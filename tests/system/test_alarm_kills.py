"""`kill -9` in the middle of a flood of alarms: nobody is told twice, nothing is left unsaid, nothing is forgotten."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from alarm_flood import ROUNDS, Flood

ROOT = Path(__file__).parents[2]
STEP = 0.02  # seconds, about what a busy step takes: the kill strikes anywhere in it
START = 0.8  # seconds until the first step, and
APART = 4  # steps: with every start an off-delay begins anew, and each alarm must end before its next
AT_START = 0.1  # of the kills strike in this time
LABELS = ("opened", "at", "saved", "id", "rule")
NAMES = ("asks",)  # of occurrences: whether there is one tells, which one does not


@dataclass(frozen=True)
class Outcome:
    """What a flood left behind."""

    kills: int
    sent: int  # to the receiver, repeats and all
    told: dict[tuple[str, str, str], Counter[str]]  # (device, rule, occurrence) -> kinds, without repeats
    final: dict[str, Any]


def start(data: Path, step: int, alarms: int, *, whole: bool) -> subprocess.Popen[bytes]:
    program = [sys.executable, str(ROOT / "tests/alarm_flood.py")]
    paths = os.pathsep.join((str(ROOT), str(ROOT / "tests")))
    return subprocess.Popen(
        [*program, str(data), str(step), str(alarms), "one" if whole else "two"],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": paths},
    )


def flood(data: Path, alarms: int, kills: int, seed: int, *, whole: bool = True) -> Outcome:
    """Play a flood to its end, killing the process `kills` times on the way."""
    chance = random.Random(seed)
    done = 0
    for mark in sorted(chance.sample(range(1, Flood(alarms).busy, APART), kills)):
        process = start(data, done + 1, alarms, whole=whole)
        early = chance.random() < AT_START
        done = max(done, 0 if early else wait_for(process, mark, done))
        time.sleep(chance.uniform(0, START if early else STEP))
        process.kill()
        done = max([done, *said(process)])
        assert process.wait() == -9, "it had ended already"
    process = start(data, done + 1, alarms, whole=whole)
    out, _ = process.communicate(timeout=600)
    assert process.returncode == 0
    assert out.endswith(b"D 0\n")
    return outcome(data, kills)


def wait_for(process: subprocess.Popen[bytes], mark: int, done: int) -> int:
    """Return the last step that is on disk, once it is near `mark`."""
    assert process.stdout is not None
    for line in process.stdout:
        word, number = line.split()
        done = int(number) if word == b"S" else done
        if done + 1 >= mark:
            break
    return done


def said(process: subprocess.Popen[bytes]) -> list[int]:
    """Return the steps that a killed process had already put on disk, and said so."""
    assert process.stdout is not None
    with process.stdout as rest:
        return [int(line.split()[1]) for line in rest.read().splitlines() if line.startswith(b"S ")]


def outcome(data: Path, kills: int) -> Outcome:
    sent = 0
    seen: set[tuple[str, str, str, int]] = set()
    told: dict[tuple[str, str, str], Counter[str]] = {}
    for line in (data / "delivered").read_bytes().splitlines():
        try:
            event = json.loads(line)
        except ValueError:  # cut off by the kill; it was not confirmed, so it comes again
            continue
        sent += 1
        key = event["device"], event["rule"], event["occurrence"]
        if (number := (*key, event["n"])) not in seen:
            seen.add(number)
            told.setdefault(key, Counter())[event["event"]] += 1
    return Outcome(kills, sent, told, json.loads((data / "final.json").read_text()))


@cache
def undisturbed(alarms: int) -> dict[str, Any]:
    """Return how the alarms stand after a flood that nobody interrupted."""
    with tempfile.TemporaryDirectory() as folder:
        final: dict[str, Any] = plain(flood(Path(folder), alarms, 0, 0).final)
        return final


def plain(value: Any) -> Any:
    """Return a state without names and labels of time, which tell one run from another."""
    if isinstance(value, dict):
        kept = {key: bool(item) if key in NAMES else item for key, item in value.items()}
        return {key: plain(item) for key, item in kept.items() if key not in LABELS}
    return [plain(item) for item in value] if isinstance(value, list) else value


def faults(found: Outcome, alarms: int) -> list[str]:
    """Say what is wrong; nothing, when every alarm was told once and taken back once."""
    wrong = [
        f"{key}: {dict(kinds)}"
        for key, kinds in found.told.items()
        if (kinds["raise"], kinds["clear"], kinds["repeat"], kinds["closed"]) != (1, 1, 0, 1)
    ]
    devices = Counter(device for device, _, _ in found.told)
    wrong += [f"{device}: {n} occurrences" for device, n in devices.items() if n != ROUNDS]
    if len(found.told) != alarms:
        wrong.append(f"{len(found.told)} occurrences of {alarms}")
    if plain(found.final) != undisturbed(alarms):
        wrong.append("the alarms do not stand as they would have without the kills")
    return wrong


def test_five_kills_in_a_flood_of_alarms(tmp_path: Path) -> None:
    assert faults(flood(tmp_path, 400, 5, seed=5), 400) == []


def test_control_states_and_events_in_two_transactions_are_caught(tmp_path: Path) -> None:
    for seed in range(5):
        found = flood(tmp_path / str(seed), 400, 4, seed, whole=False)
        if wrong := faults(found, 400):
            print(wrong[:3])
            return
    pytest.fail("twenty kills between two transactions, and nothing was wrong: this test finds nothing")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_two_hundred_kills_in_floods_of_ten_thousand_alarms(tmp_path: Path, seed: int) -> None:
    found = flood(tmp_path, 10_000, 25, seed)
    repeats = found.sent - sum(kinds.total() for kinds in found.told.values())
    print(
        f"{found.kills} kills, {len(found.told)} occurrences, {found.sent} events sent, {repeats} of them twice"
    )
    assert faults(found, 10_000) == []
