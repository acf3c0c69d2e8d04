"""A serial port: opened and configured by pyserial in a thread, then read and written as a descriptor."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import termios
from pathlib import Path
from typing import TYPE_CHECKING, Any

import serial

from drivers.errors import LineDown
from drivers.line.port import Port

if TYPE_CHECKING:
    from drivers.line.port import Owner
    from drivers.line.settings import LineSettings

PTY_MAJORS = range(136, 144)  # Linux devices.txt: Unix98 pseudo-terminals
PARITIES = {"none": serial.PARITY_NONE, "even": serial.PARITY_EVEN, "odd": serial.PARITY_ODD}


class SerialPort(Port):
    """A tty of which nobody else gets hold while we have it (flock, and TIOCEXCL in the kernel)."""

    def __init__(self, settings: LineSettings, owner: Owner) -> None:
        super().__init__(settings.serial or "", owner)
        self._settings = settings

    async def open(self) -> None:
        """Open and configure it, in a thread: a USB adapter may take its time."""
        self._closed = False
        work = asyncio.get_running_loop().run_in_executor(None, _open, self._settings)
        try:
            fd = await asyncio.shield(work)
        except asyncio.CancelledError:
            work.add_done_callback(_close_result)
            raise
        if self._closed:
            os.close(fd)
            raise LineDown(f"{self.address}: closed while opening")
        self._adopt(fd)

    def tune(self, baud: int, parity: str, stop: int) -> None:
        """Talk at another rate from now on; what was not read yet is gone. Raises ValueError, LineDown."""
        speed = getattr(termios, f"B{baud}", None)
        if speed is None:
            raise ValueError(f"{self.address}: {baud} baud is no usual rate")
        try:
            mode = termios.tcgetattr(self._fd)
            mode[2] &= ~(termios.PARENB | termios.PARODD | termios.CSTOPB)
            mode[2] |= termios.CSTOPB if stop == 2 else 0
            mode[4] = mode[5] = speed
            if os.major(os.fstat(self._fd).st_rdev) in PTY_MAJORS:
                _mark_parity(mode, parity)
            elif parity != "none":
                mode[2] |= termios.PARENB | (termios.PARODD if parity == "odd" else 0)
            termios.tcsetattr(self._fd, termios.TCSADRAIN, mode)
            termios.tcflush(self._fd, termios.TCIFLUSH)
        except (OSError, termios.error) as error:
            raise LineDown(f"{self.address}: {error.args[-1]}") from None

    def _drop(self) -> None:
        if self._fd >= 0:
            with contextlib.suppress(OSError, termios.error):  # else closing waits for unsent bytes to drain
                termios.tcflush(self._fd, termios.TCIOFLUSH)
        super()._drop()


def _open(settings: LineSettings) -> int:
    """Return a configured descriptor that is ours alone."""
    path = settings.serial or ""
    try:
        pty = os.major(Path(path).stat().st_rdev) in PTY_MAJORS
        # A pty forces eight bits without parity, and the C library then calls a request for parity
        # EINVAL on every opening but the first: do not ask for it.
        parity = serial.PARITY_NONE if pty else PARITIES[settings.parity]
        with contextlib.closing(
            serial.Serial(path, settings.baud, parity=parity, stopbits=settings.stop, exclusive=True)
        ) as opened:
            fd = os.dup(opened.fileno())  # the flock goes with the open file, so it outlives `opened`
    except serial.SerialException as error:
        raise LineDown(f"{path}: {_plain(error)}") from None
    except (OSError, termios.error) as error:
        raise LineDown(f"{path}: {error.args[-1]}") from None
    try:
        _finish(fd, settings.parity if pty else None)
    except (OSError, termios.error) as error:
        os.close(fd)
        raise LineDown(f"{path}: {error.args[-1]}") from None
    return fd


def _mark_parity(mode: list[Any], parity: str) -> None:
    """Leave a note of the parity on a pty, which has none, for who plays devices at its other end.

    "Check parity" is the flag that goes with it; on a pty it changes nothing.
    """
    mode[0] &= ~termios.INPCK
    mode[0] |= termios.INPCK if parity != "none" else 0
    mode[2] &= ~termios.PARODD
    mode[2] |= termios.PARODD if parity == "odd" else 0


def _finish(fd: int, pty_parity: str | None) -> None:
    """Make the port raw and ours; `pty_parity` where it is a pty."""
    mode = termios.tcgetattr(fd)
    # At least one byte per read: with pyserial's zero an empty port and a vanished one look the same.
    mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0
    if pty_parity is not None:
        _mark_parity(mode, pty_parity)
    termios.tcsetattr(fd, termios.TCSANOW, mode)
    if pty_parity is None:  # a pty keeps the mark as long as its other end lives, and would shut us out too
        fcntl.ioctl(fd, termios.TIOCEXCL)
    os.set_blocking(fd, False)
    termios.tcflush(fd, termios.TCIFLUSH)


def _plain(error: serial.SerialException) -> str:
    return str(error.args[-1]).removeprefix("could not open port ")


def _close_result(work: asyncio.Future[int]) -> None:
    if not work.cancelled() and work.exception() is None:
        os.close(work.result())
