"""Some of the disk kept back, so that a full disk still takes alarms and gap records."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_SIZE = 1 << 20  # bytes


class Reserve:
    """A file that holds nothing but room. Given up when an alarm finds the disk full, made again later."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def make(self) -> None:
        """Keep the room back, if there is any."""
        if self._path.exists():
            return
        try:
            fd = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                os.posix_fallocate(fd, 0, _SIZE)
            finally:
                os.close(fd)
        except OSError:
            self.give_up()

    def give_up(self) -> bool:
        """Free the room; tell whether there was any to free."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True
