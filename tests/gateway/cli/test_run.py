"""The shell around the daemon: what ends it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from small_gateway import SITE, write_site

from gateway.cli.output import Failure
from gateway.cli.run import _run
from gateway.config import load

if TYPE_CHECKING:
    from pathlib import Path


def boom() -> None:
    raise RuntimeError("a bug in a callback")


async def test_a_bug_in_a_callback_ends_the_daemon_with_a_failure(tmp_path: Path) -> None:
    """Nobody awaits a callback: what it served would stand still for ever, unseen."""
    site = load(write_site(tmp_path, SITE))
    loop = asyncio.get_running_loop()
    loop.call_later(0.5, boom)
    with pytest.raises(Failure, match="a bug in a callback"):
        await asyncio.wait_for(_run(site, tmp_path / "api.sock"), 20)
