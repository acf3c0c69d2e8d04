"""One silent unit among sixteen at 9600 baud, on a pty at the speed of the wire: the others do not notice."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from pace import compiler, paced_pair

from drivers.line.settings import LineSettings
from drivers.profile import Point, Profile
from drivers.registers import PointType
from drivers.registry import make_device, make_line
from gateway.clock import SystemClock
from gateway.liveness import Timing
from gateway.poller import Polled, Poller
from gateway.turns import Group

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gateway.model import Sample

UNITS = 15
ADDRESSES = (*range(1, 8), 16, *range(8, 16))  # nobody is at 16, in the middle of the round
SECONDS = 40.0


@pytest.mark.slow
@pytest.mark.skipif(compiler() is None, reason="needs a C compiler for the paced line")
async def test_one_silent_unit_among_sixteen_at_9600_baud_costs_the_others_nothing(tmp_path: Path) -> None:
    points = {f"p{n}": Point(f"holding:{n}", PointType.UINT16) for n in range(10)}
    profile = Profile(kind="meter", name={}, source="", points=points)
    taken: dict[str, list[float]] = {}

    async def accept(samples: Sequence[Sample]) -> None:
        for sample in samples:
            if sample.values:
                taken.setdefault(sample.device, []).append(sample.mono)

    with paced_pair(9600, 10, tmp_path / "log", units=UNITS) as paced:
        settings = LineSettings("rs485-1", "modbus-rtu", serial=paced.app, baud=9600, timeout=0.3)
        line = make_line(settings)
        shape = (Group(tuple(points), 1.0, alarm=True),)
        polled = [Polled(make_device(f"d{n}", profile, n, line), shape) for n in ADDRESSES]
        poller = Poller("rs485-1", line, polled, accept, SystemClock(), Timing(timeout=0.3))
        task = asyncio.ensure_future(poller.run())
        await asyncio.sleep(SECONDS)
        health = poller.health()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    gaps = sorted(b - a for times in taken.values() for a, b in pairwise(times))
    mean, p95 = sum(gaps) / len(gaps), gaps[int(len(gaps) * 0.95)]
    print(f"mean {mean:.3f} s, p95 {p95:.3f} s, worst {gaps[-1]:.3f} s, {health.utilisation:.0%} busy")
    assert len(taken) == UNITS
    assert list(health.lost()) == ["d16"]
    assert 0.9 < mean < 1.1
    assert p95 < 1.1
