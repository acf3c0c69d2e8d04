"""What a disk still holds that takes nothing any more, from a copy in memory. Lives in the store's thread."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import Final

from gateway.store.alarm_file import AlarmFile
from gateway.store.files import copy_into
from gateway.store.records import Damaged, DiskRefused

MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a folder made private, emptied before it is used
MOST: Final = 64 << 20  # bytes: several hundred thousand events


def copied(path: Path) -> AlarmFile | None:
    """Return the alarms file, opened for reading from memory; None when that is not to be had.

    SQLite opens a file with a log only where it can write beside it, which a disk that is full or read-only
    refuses. The alarms that stand, what was not delivered yet and the counters of signed orders are on it
    all the same, and must not be forgotten.
    """
    with contextlib.suppress(OSError, DiskRefused, Damaged):
        if not path.is_file() or path.stat().st_size > MOST:
            return None
        # The names go at once; what is open stays.
        with tempfile.TemporaryDirectory(prefix="tocsin-", dir=MEMORY) as folder:
            copy = AlarmFile(copy_into(Path(folder), path))
            copy.open()
            return copy
    return None
