"""How the machine and this process are doing: memory, CPU, disk, temperature, clock, loop lag."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import resource
import time
from dataclasses import dataclass
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")
THERMAL = Path("/sys/class/thermal/thermal_zone0/temp")
TIMEX = 208  # sizeof(struct timex), rounded up for every machine
TIME_ERROR = 5  # <sys/timex.h>: STA_UNSYNC or STA_CLOCKERR: nobody disciplines the clock


@dataclass(frozen=True, slots=True)
class HostHealth:
    """One look at the host."""

    rss: int  # bytes
    cpu: float  # seconds of processor time used by this process so far
    disk_free: int  # bytes a non-root user may still write under the data folder
    temperature: float | None  # degrees Celsius of the processor
    clock_synced: bool
    loop_lag: float  # seconds: the worst since the last look


def resident() -> int:
    """Return the resident memory of this process in bytes."""
    with contextlib.suppress(OSError):
        return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * PAGE
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def clock_synced() -> bool:
    """Return whether the kernel says that somebody disciplines the wall clock (adjtimex(2))."""
    with contextlib.suppress(OSError, AttributeError):
        request = ctypes.create_string_buffer(TIMEX)  # modes = 0: only read
        return disciplined(ctypes.CDLL(None, use_errno=True).adjtimex(request))
    return False


def disciplined(state: int) -> bool:
    """Return what the answer of adjtimex means; -1, "not allowed to ask", is no proof either."""
    return state not in {-1, TIME_ERROR}


def temperature() -> float | None:
    """Return the processor's temperature in degrees Celsius, where the board tells it."""
    with contextlib.suppress(OSError, ValueError):
        return int(THERMAL.read_text("ascii")) / 1000
    return None


class Host:
    """Looks at the host; measures how late the event loop is between two looks."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._worst = 0.0
        self.last = HostHealth(0, 0.0, 0, None, clock_synced=False, loop_lag=0.0)

    async def measure_lag(self, every: float = 0.5) -> None:
        """Measure how late the loop wakes; runs until cancelled."""
        while True:
            due = time.monotonic() + every
            await asyncio.sleep(every)
            self._worst = max(self._worst, time.monotonic() - due)

    def look(self) -> HostHealth:
        """Return the figures of now; the lag is the worst since the last look."""
        lag, self._worst = self._worst, 0.0
        try:
            disk = os.statvfs(self._data)
            free = disk.f_bavail * disk.f_frsize
        except OSError:
            free = 0
        self.last = HostHealth(resident(), time.process_time(), free, temperature(), clock_synced(), lag)
        return self.last
