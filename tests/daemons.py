"""The daemon and the simulator as processes, for system tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from gateway.cli.client import Daemon
from gateway.cli.output import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

TOCSIN = (sys.executable, "-m", "gateway.cli")
ENV = {**os.environ, "TOCSIN_LANG": "en"}
ENV.pop("RUNTIME_DIRECTORY", None)


def tocsin(*argv: object, **more: Any) -> subprocess.CompletedProcess[str]:
    command = [*TOCSIN, *map(str, argv)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=ENV, check=False, **more)


def wait(what: Callable[[], Any], seconds: float = 60.0) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if found := what():
                return found
        except Failure:
            pass
        time.sleep(0.05)
    raise AssertionError("did not come true")


class Played:
    """The simulator as a process that takes orders."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def order(self, text: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(text + "\n")
        self._process.stdin.flush()


@contextmanager
def simulated(site: Path) -> Iterator[Played]:
    command = [*TOCSIN, "simulate", "-c", str(site)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=ENV, **pipes) as process:  # type: ignore[call-overload]  # by name
        try:
            assert process.stdout.readline()
            yield Played(process)
        finally:
            process.terminate()
            process.communicate(timeout=10)


class Run:
    """`tocsin run` as a process."""

    def __init__(self, site: Path, runtime: Path | None = None) -> None:
        self.log = site.parent / "run.log"
        self.site = site
        self.daemon = Daemon((runtime or site.parent / "data") / "api.sock", timeout=5)
        env = ENV if runtime is None else {**ENV, "RUNTIME_DIRECTORY": str(runtime)}
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [*TOCSIN, "run", "-c", str(site)], env=env, stdout=out, stderr=out
            )

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(15)


@contextmanager
def running(site: Path, runtime: Path | None = None) -> Iterator[Run]:
    """Run the gateway; `runtime`: where systemd would have it put its socket."""
    run = Run(site, runtime)
    try:
        wait(lambda: run.daemon.get("/status"), 40)
        yield run
    finally:
        if run.process.poll() is None:
            run.process.kill()
            run.process.wait(10)
