"""Whatever a card has done to alarms.db, the gateway starts and judges: a bit must not silence it for ever."""

from __future__ import annotations

import random
import shutil
import time
from typing import TYPE_CHECKING

import pytest
from small_gateway import Running

from gateway import app
from gateway.clock import SystemClock
from gateway.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.config import Site


def lived(folder: Path) -> Site:
    """A life before, with alarms that stand, one that was acknowledged, and what belongs to them."""
    with Running(folder) as run:
        run.wait(lambda: run.daemon.get("/status")["data"]["good"] == 6)
        for device in ("box-1", "box-2"):
            run.play(device, "lel", 40)
            run.wait(lambda device=device: run.alarm(device))  # type: ignore[misc]  # bound as it is now
        run.ask("POST", "/api/v1/alarms/box-1/lel-high/ack", b"{}")
        return run.site


async def started(site: Site) -> int:
    """Start as far as the network; return how many alarms are judged."""
    clock = SystemClock()
    store = await Store.open(site.data, clock, app.limits_of(site))
    try:
        gateway = await app.build(site, clock, store)
        [record] = await store.commit_alarms([b"{}"], [])
        assert record.durable, store.health
        return len(list(gateway.pipeline._engine.alarms()))
    finally:
        await store.close()


@pytest.mark.parametrize(
    "rounds", [range(60), pytest.param(range(1000, 3000), marks=pytest.mark.slow)], ids=["60", "2000"]
)
async def test_a_gateway_starts_whatever_has_become_of_its_alarms_file(tmp_path: Path, rounds: range) -> None:
    site = lived(tmp_path)
    shutil.copytree(site.data, tmp_path / "whole")
    alarms = await started(site)
    for seed in rounds:
        chance = random.Random(seed)
        shutil.rmtree(site.data)
        shutil.copytree(tmp_path / "whole", site.data)
        file = site.data / "alarms.db"
        data = bytearray(file.read_bytes())
        for _ in range(chance.randrange(1, 40)):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        file.write_bytes(data)
        begun = time.monotonic()
        assert await started(site) == alarms, seed
        assert time.monotonic() - begun < 10, seed
