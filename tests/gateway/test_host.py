"""How the machine is, as far as it can be asked."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from gateway.clock import SystemClock
from gateway.host import TIME_ERROR, Host, disciplined, resident
from gateway.language import language


@pytest.mark.parametrize("state", [0, 1, 2, 3, 4])
def test_a_clock_that_somebody_disciplines_is_synchronised(state: int) -> None:
    assert disciplined(state)


@pytest.mark.parametrize("state", [TIME_ERROR, -1])
def test_a_clock_that_nobody_vouches_for_is_not_and_neither_is_one_that_cannot_be_asked(state: int) -> None:
    assert not disciplined(state)


def test_a_new_clock_vouches_for_nothing() -> None:
    assert not SystemClock().now().synced


def test_a_look_has_figures_of_this_process(tmp_path: Path) -> None:
    host = Host(tmp_path)
    seen = host.look()
    assert 5e6 < seen.rss < 2e9
    assert abs(resident() - seen.rss) < 50e6
    assert seen.disk_free > 0
    assert host.last is seen


def test_a_data_folder_that_is_gone_has_no_room() -> None:
    assert Host(Path("/nowhere/at/all")).look().disk_free == 0


async def test_a_loop_that_was_blocked_shows_once(tmp_path: Path) -> None:
    host = Host(tmp_path)
    measuring = asyncio.create_task(host.measure_lag(every=0.02))
    await asyncio.sleep(0.03)
    time.sleep(0.2)  # noqa: ASYNC251 - the block itself
    await asyncio.sleep(0.05)
    assert 0.1 < host.look().loop_lag < 5
    assert host.look().loop_lag < 0.1
    measuring.cancel()


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "TOCSIN_LANG": "en"}, "en"),
        ({"TOCSIN_LANG": "ZH"}, "zh"),
        ({"LC_MESSAGES": "", "LANG": "zh_TW"}, "zh"),
    ],
)
def test_the_language_is_the_one_asked_for(environment: dict[str, str], wanted: str) -> None:
    assert language(environment) == wanted
