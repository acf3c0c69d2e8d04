"""An alarm clock that rings to the microsecond, for silences shorter than the event loop can count.

asyncio waits in epoll, whose timeouts are whole milliseconds, rounded up: a silence of 1.75 ms would
last 2 to 3. A timerfd is a file that becomes readable at a moment of the monotonic clock; the loop wakes
for it like for any other file, without spinning. Where there is none, the loop's own timer serves.
"""

from __future__ import annotations

import ctypes
import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

CLOCK_MONOTONIC: Final = 1
TFD_TIMER_ABSTIME: Final = 1
TFD_FLAGS: Final = os.O_NONBLOCK | getattr(os, "O_CLOEXEC", 0)


class _Timespec(ctypes.Structure):
    _fields_ = (("sec", ctypes.c_long), ("nsec", ctypes.c_long))


class _Itimerspec(ctypes.Structure):
    _fields_ = (("interval", _Timespec), ("value", _Timespec))


_libc: Final = ctypes.CDLL(None, use_errno=True)


class Alarm:
    """Calls back once at a moment of the loop's clock, never early. One setting at a time."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._ring: Callable[[], None] | None = None
        self._handle: asyncio.TimerHandle | None = None
        self._spec = _Itimerspec()
        self._spec_ref = ctypes.byref(self._spec)
        self._fd = -1
        self._tried = False

    def at(self, when: float, ring: Callable[[], None]) -> None:
        """Call `ring` at `when` (monotonic seconds), instead of whatever was set before."""
        self._ring = ring
        if not self._tried:
            self._open()
        if self._fd < 0:
            self._cancel_handle()
            self._handle = self._loop.call_at(when, self._fire)
            return
        nanoseconds = max(1, int(when * 1e9) + 1)
        value = self._spec.value
        value.sec, value.nsec = divmod(nanoseconds, 1_000_000_000)
        _libc.timerfd_settime(self._fd, TFD_TIMER_ABSTIME, self._spec_ref, None)

    def cancel(self) -> None:
        """Forget what was set."""
        self._ring = None
        self._cancel_handle()

    def close(self) -> None:
        """Give the timer back; the next `at` gets a new one."""
        self.cancel()
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1
        self._tried = False

    def _open(self) -> None:
        self._tried = True
        self._fd = _timerfd()
        if self._fd >= 0:
            self._loop.add_reader(self._fd, self._readable)

    def _readable(self) -> None:
        try:
            os.read(self._fd, 8)
        except BlockingIOError:  # set anew between the wake-up and now: it will ring again
            return
        self._fire()

    def _fire(self) -> None:
        ring, self._ring = self._ring, None
        if ring is not None:
            ring()

    def _cancel_handle(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None


def _timerfd() -> int:
    """Return a new timerfd, or -1 where there is none."""
    try:
        return int(_libc.timerfd_create(CLOCK_MONOTONIC, TFD_FLAGS))
    except AttributeError:  # not Linux
        return -1
