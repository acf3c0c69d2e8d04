"""Reads a site in a process of its own, which takes the machinery of reading away with it when it ends.

pydantic, ruamel.yaml and what they leave behind are 20 MB that the daemon would carry for months. And the
other process reads while this one loads the rest of the program.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING

from gateway.config.report import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gateway.config.settings import Site


def load_apart(path: Path) -> Callable[[], Site]:
    """Begin to read a site file; the function returned waits for it and gives the site.

    It raises ConfigError with every mistake like `gateway.config.load`, and RuntimeError when the other
    process ended without a word: its traceback is on stderr then.
    """
    command = [sys.executable, "-P", "-m", __name__, str(path)]
    # The same code reads it, also in a checkout beside an installed package: a pickle of another version's
    # settings would be taken in without a word, each field in the place of its neighbour.
    places = filter(None, [os.environ.get("PYTHONPATH", ""), *sys.path])
    same = os.environ | {"PYTHONPATH": os.pathsep.join(places)}
    reading = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=same)  # noqa: S603 - ourselves

    def site() -> Site:
        said, _ = reading.communicate()
        if reading.returncode:
            raise RuntimeError(f"reading {path} ended with status {reading.returncode}")
        mistakes, found = pickle.loads(said)  # noqa: S301 - written by ourselves, over a pipe of our own
        if found is None:
            raise ConfigError(mistakes)
        return found  # type: ignore[no-any-return]  # what `main` has put there

    return site


def main(path: str) -> None:
    """Read the file and write what was found to stdout: the mistakes, and the site or None."""
    import gc  # noqa: PLC0415 - the daemon imports this module for the function above
    import pathlib  # noqa: PLC0415 - the same

    gc.disable()  # this process has ended before there is anything to collect
    from gateway.config.site import load  # noqa: PLC0415 - the same

    try:
        found: tuple[list[str], Site | None] = ([], load(pathlib.Path(path)))
    except ConfigError as error:
        found = (error.messages, None)
    sys.stdout.buffer.write(pickle.dumps(found, pickle.HIGHEST_PROTOCOL))


if __name__ == "__main__":
    main(sys.argv[1])
