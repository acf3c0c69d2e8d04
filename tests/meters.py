"""DL/T 645 meters and clients that others wrote (PyPI dlt645), each in a process of its own.

The package and another one share an import name, and it logs into its own folder: so it lives in an environment
of its own within the one that runs the tests, made when it is first needed.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from once import one_at_a_time
from others import _pty_pair
from servers import REQUIRED

from drivers.line.settings import LineSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

PEERS = Path(__file__).parent / "peers"
HOME = Path(sys.prefix) / "peers" / "dlt645"
REQUIREMENTS = PEERS / "dlt645" / "requirements.txt"
PROGRAM = str(PEERS / "dlt645_peer.py")
WAYS = ("tcp", "pty")


def python() -> str:
    """The interpreter that has the package; skips the test without one, or fails where servers are required."""
    with one_at_a_time("dlt645"):
        if not (HOME / "ready").exists():
            _install()
    return str(HOME / "bin" / "python")


def _install() -> None:
    steps = (
        [sys.executable, "-m", "venv", "--clear", str(HOME)],
        [
            str(HOME / "bin" / "python"),
            "-m",
            "pip",
            "install",
            "-q",
            "--require-hashes",
            "-r",
            str(REQUIREMENTS),
        ],
    )
    for step in steps:
        done = subprocess.run(step, capture_output=True, text=True, check=False)
        if done.returncode:
            why = f"the other DL/T 645 cannot be installed: {done.stderr[-300:]}"
            if os.environ.get(REQUIRED) == "1":
                pytest.fail(why)
            pytest.skip(why)
    (HOME / "ready").touch()


@contextlib.contextmanager
def meter(way: str, address: str, values: dict[str, Any], folder: Path) -> Iterator[LineSettings]:
    """Run a meter of theirs that holds `values` (identifier, value) and give a line to it."""
    file = folder / "values.json"
    file.write_text(json.dumps(values), encoding="utf-8")
    with contextlib.ExitStack() as stack:
        near, far = stack.enter_context(_pty_pair(folder)) if way == "pty" else ("", "tcp")
        command = [python(), PROGRAM, "serve", far, address, str(file)]
        process = stack.enter_context(
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            said = next((line for line in process.stdout if line.startswith("ready ")), "")
            assert said, f"it ended with {process.poll()}"
            where = {"serial": near} if way == "pty" else {"tcp": f"127.0.0.1:{said.split()[1]}"}
            yield LineSettings("theirs", "dlt645", baud=115200, timeout=2.0, **where)  # type: ignore[arg-type]
        finally:
            process.stdin.close()
            process.stdout.close()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()


def read(where: str, address: str, identifiers: list[str]) -> dict[str, Any]:
    """Read identifiers with a client of theirs, from a port of this machine or a pty."""
    command = [python(), PROGRAM, "read", where, address, *identifiers]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    said = next(line for line in done.stdout.splitlines() if line.startswith("read "))
    found: dict[str, Any] = json.loads(said.removeprefix("read "))
    return found
