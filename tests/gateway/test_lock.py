"""One gateway per data folder."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from gateway.lock import Taken, owned

if TYPE_CHECKING:
    from pathlib import Path


def test_a_second_owner_is_refused_and_told_who_the_first_is(tmp_path: Path) -> None:
    with owned(tmp_path), pytest.raises(Taken, match=str(os.getpid())), owned(tmp_path):
        pass
    with owned(tmp_path):
        pass


def test_a_killed_owner_leaves_nothing_locked(tmp_path: Path) -> None:
    code = f"""
import pathlib, time
from gateway.lock import owned
with owned(pathlib.Path({str(tmp_path)!r})):
    print("has it", flush=True)
    time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        with pytest.raises(Taken), owned(tmp_path):
            pass
        process.kill()
    with owned(tmp_path):
        pass
