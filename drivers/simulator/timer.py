"""An alarm clock for asyncio that is exact to some microseconds: a Linux timerfd.

The event loop's own timers are rounded up to a millisecond by epoll: eleven characters at 115200 baud.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_LIBC = ctypes.CDLL(None, use_errno=True)
_ABSOLUTE = 1


class _Spec(ctypes.Structure):
    _fields_ = (
        ("every_s", ctypes.c_long),
        ("every_ns", ctypes.c_long),
        ("at_s", ctypes.c_long),
        ("at_ns", ctypes.c_long),
    )


class ExactTimer:
    """Calls `wake` at the monotonic time it was last set to."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        # Python has os.timerfd_create from 3.13 on; we start at 3.11.
        self._fd: int = _LIBC.timerfd_create(time.CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._fd, self._rung)

    def set(self, at: float | None) -> None:
        """Ring at monotonic second `at` (at once when it is past); None: not at all."""
        nanos = 0 if at is None else max(1, int(at * 1e9))
        spec = _Spec(0, 0, nanos // 1_000_000_000, nanos % 1_000_000_000)
        _LIBC.timerfd_settime(self._fd, _ABSOLUTE, ctypes.byref(spec), None)

    def close(self) -> None:
        """Never ring again."""
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1

    def _rung(self) -> None:
        try:
            os.read(self._fd, 8)
        except BlockingIOError:  # it was set anew between the event and this call
            return
        self._wake()
