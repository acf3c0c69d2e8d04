"""One gateway per data folder: two would write one journal, and one of them would lose."""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOLDER = "lock"  # the file with the number of the process, for people to read


class Taken(Exception):
    """Another process holds the folder."""


@contextlib.contextmanager
def owned(folder: Path) -> Iterator[None]:
    """Hold the folder while the block runs; the kernel lets it go however the process ends.

    It is the folder itself that is locked: that works on a disk that is full or takes no writing, on which
    the gateway has to start too.

    Raises Taken when another process has it, OSError when the folder cannot be made or read.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Taken(_holder(folder)) from None
        with contextlib.suppress(OSError):
            (folder / HOLDER).write_text(f"{os.getpid()}\n", "ascii")
        yield
    finally:
        os.close(held)


def _holder(folder: Path) -> str:
    try:
        return (folder / HOLDER).read_text("ascii", "replace").strip() or "?"
    except OSError:
        return "?"
