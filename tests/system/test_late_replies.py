"""No late answer is credited to another register, where a plain client takes some: the trial of the bench."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.system

BENCH = Path(__file__).parents[1] / "bench" / "late_replies.py"


def trial(trials: int, lines: int) -> None:
    """Run the bench; its control, pymodbus, runs beside it and must get some wrong."""
    done = subprocess.run(
        [sys.executable, str(BENCH), str(trials), str(lines)], capture_output=True, text=True, check=False
    )
    print(f"\n{done.stdout}{done.stderr}")
    wrong = {
        name: int(count) for name, count in re.findall(r"^(\w+) .*wrong (\d+);", done.stdout, re.MULTILINE)
    }
    late = re.search(r"^tocsin .*late answers discarded (\d+)", done.stdout, re.MULTILINE)
    assert wrong["tocsin"] == 0
    assert wrong["pymodbus"] > 0, "a trial that a plain client passes too would prove nothing"
    assert late
    assert int(late[1]) > trials / 3, "hardly an answer came late"
    assert done.returncode == 0


def test_of_three_hundred_late_answers_none_goes_to_another_register() -> None:
    trial(300, 30)


@pytest.mark.slow
def test_of_ten_thousand_late_answers_none_goes_to_another_register() -> None:
    trial(10_000, 100)


def trial_of(protocol: str, trials: int, lines: int) -> None:
    """The same for answers that name more than a function, or less than an item: see the bench."""
    bench = BENCH.with_name("late_answers.py")
    done = subprocess.run(
        [sys.executable, str(bench), protocol, str(trials), str(lines)],
        capture_output=True,
        text=True,
        check=False,
    )
    print(f"\n{done.stdout}{done.stderr}")
    wrong = dict(re.findall(r"^(\w+) .*wrong (\d+);", done.stdout, re.MULTILINE))
    assert int(wrong["tocsin"]) == 0
    assert int(wrong["plain"]) > 0, "a trial that a plain client passes too would prove nothing"
    late = re.search(r"^tocsin .*late answers discarded (\d+)", done.stdout, re.MULTILINE)
    assert late
    assert int(late[1]) > trials / 3, "hardly an answer came late"
    assert done.returncode == 0


@pytest.mark.parametrize("protocol", ["dlt645", "tilt68"])
def test_of_a_hundred_late_answers_of_meters_and_of_inclinometers_none_goes_to_another_request(
    protocol: str,
) -> None:
    trial_of(protocol, 100, 20)


@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["dlt645", "tilt68"])
def test_of_ten_thousand_late_answers_of_meters_and_of_inclinometers_none_goes_to_another_request(
    protocol: str,
) -> None:
    trial_of(protocol, 10_000, 100)
