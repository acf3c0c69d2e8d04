"""A small disk that can be filled, or taken away for writing. Needs root and leave to mount."""

from __future__ import annotations

import gc
import os
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def disk(folder: Path, megabytes: int) -> Iterator[None]:
    """Put a small disk at this folder while the block runs."""
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root mounts a small disk")
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"no tmpfs may be mounted here: {done.stderr.decode()}")
    try:
        yield
    finally:
        gc.collect()  # a statement that failed keeps its file open as long as its exception lives
        subprocess.run(["umount", str(folder)], check=True)


def remount(folder: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", folder], check=True)


def fill(folder: Path, leave: int) -> Path:
    """Let somebody else take the rest of the disk."""
    found = os.statvfs(folder)
    ballast = folder / "ballast"
    with ballast.open("wb") as file:
        try:
            file.write(bytes(max(0, found.f_bavail * found.f_frsize - leave)))
            if leave == 0:
                file.write(bytes(1 << 20))
        except OSError:
            pass  # full: that was the wish
    return ballast
