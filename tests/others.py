"""Modbus servers that others wrote, started with given registers: libmodbus (C), pymodbus, jsmodbus (Node.js).

    with started("libmodbus-rtu", {"holding": {5: 7}}, unit=17, folder=tmp_path) as settings:
        line = make_line(settings)

Skips the test, saying why, where a tool is missing.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from once import one_at_a_time

from drivers.line.settings import LineSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PEERS = Path(__file__).parent / "peers"
NODE = PEERS / "node"
NAMES = (
    "libmodbus-rtu",
    "libmodbus-tcp",
    "pymodbus-rtu",
    "pymodbus-tcp",
    "pymodbus-rtu-over-tcp",
    "jsmodbus-tcp",
)


@contextlib.contextmanager
def started(
    name: str, registers: Mapping[str, Mapping[int, int]], *, unit: int, folder: Path
) -> Iterator[LineSettings]:
    """Run the server `name` holding `registers` (table, address below 4096, value) and give a line to it."""
    file = folder / "registers.txt"
    file.write_text("".join(f"{t} {a} {v}\n" for t, held in registers.items() for a, v in held.items()))
    kind, _, way = name.partition("-")
    near = ""
    with contextlib.ExitStack() as stack:
        if kind == "jsmodbus":
            command = [*_node(), str(file)]
        elif kind == "pymodbus":
            framing = way.partition("-")[0]
            if way == "rtu":
                near, framing = stack.enter_context(_pty_pair(folder))
            command = [sys.executable, str(PEERS / "pymodbus_server.py"), framing, str(unit), str(file)]
        elif way == "tcp":
            command = [_libmodbus(folder), "tcp", "0", str(unit), str(file)]
        else:
            near, far = stack.enter_context(_pty_pair(folder))
            command = [_libmodbus(folder), "rtu", far, str(unit), str(file)]
        said = stack.enter_context(_running(command))
        if way == "rtu":
            yield LineSettings(name, "modbus-rtu", serial=near, baud=115200, timeout=1.0)
        else:
            protocol = "modbus-rtu" if "rtu" in way else "modbus-tcp"
            yield LineSettings(name, protocol, tcp=f"127.0.0.1:{said}", timeout=1.0)


@contextlib.contextmanager
def _running(command: list[str]) -> Iterator[str]:
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            said = process.stdout.readline().strip()
            assert said, f"{command[0]} ended with {process.poll()}"
            yield said
        finally:
            process.stdin.close()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()


@contextlib.contextmanager
def _pty_pair(folder: Path) -> Iterator[tuple[str, str]]:
    near, far = folder / "near", folder / "far"
    ends = [f"pty,raw,echo=0,link={link}" for link in (near, far)]
    with subprocess.Popen([_tool("socat", "socat"), *ends]) as process:
        try:
            deadline = time.monotonic() + 5
            while not (near.exists() and far.exists()):
                assert time.monotonic() < deadline, "socat made no ptys"
                time.sleep(0.01)  # waits for another process, with a deadline
            yield str(near), str(far)
        finally:
            process.terminate()


def _libmodbus(folder: Path) -> str:
    program = folder / "libmodbus_server"
    built = subprocess.run(
        [_tool("cc", "gcc"), "-O2", "-o", program, PEERS / "libmodbus_server.c", "-lmodbus"],
        capture_output=True,
        text=True,
        check=False,
    )
    if built.returncode:
        pytest.skip(f"libmodbus server does not compile; install libmodbus-dev: {built.stderr[:200]}")
    return str(program)


def _node() -> list[str]:
    node = _tool("node", "nodejs")
    with one_at_a_time("jsmodbus"):
        if not (NODE / "node_modules" / "jsmodbus").exists():
            done = subprocess.run(
                [_tool("npm", "npm"), "ci", "--no-audit", "--no-fund"],
                cwd=NODE,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                pytest.skip(f"npm ci failed: {done.stderr[-200:]}")
    return [node, str(NODE / "server.js")]


def _tool(name: str, package: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is missing; install {package}")
    return found
