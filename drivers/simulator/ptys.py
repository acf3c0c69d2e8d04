"""A serial line played on a pty, at the speed of a real one.

Bytes from the application arrive in one piece; they count as heard one character time after the other.
Silence of 3.5 characters ends a request. The answer leaves byte by byte. The speed is the one that the
application has set; a pty has no parity, but the note of it that our serial port leaves there is read.
"""

from __future__ import annotations

import asyncio
import heapq
import os
import termios
import time
import tty
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

from drivers.simulator import faults
from drivers.simulator.timer import ExactTimer

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.line.settings import LineSettings
    from drivers.simulator.pair import Pair
    from drivers.simulator.unit import Address

_SPEEDS = {
    getattr(termios, f"B{baud}"): baud
    for baud in (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800)
}
_FIXED_ABOVE = 19200  # baud: above it the silences are fixed (Modbus over serial line 2.5.1.1)
_FIXED_SILENCE = 0.00175
_PACKET = 0.00025  # seconds: bytes due within one such span leave together, as from a USB adapter's buffer

_BABBLE_EVERY = 0.05  # seconds between bursts of rubbish


class LinkTaken(Exception):
    """The path for a pty holds something that is not a link of ours."""


class PtyLine:
    """One serial line. `persona_time` turns monotonic seconds into those that personas are played by."""

    def __init__(self, settings: LineSettings, bus: Pair, persona_time: Callable[[float], float]) -> None:
        if settings.serial is None:
            raise ValueError(f"line {settings.name} has no serial port")
        self.name = settings.name
        self.bus = bus
        self.collisions = 0
        self.where = settings.serial
        self._link = Path(settings.serial)
        self._echo = settings.echo
        self._baud, self._parity = settings.baud, settings.parity
        self._bits = 1 + 8 + settings.stop
        self._persona_time = persona_time
        self._master = self._slave = -1
        self._heard = bytearray()
        self._heard_until = self._sent_until = 0.0
        self._out: deque[tuple[float, int]] = deque()  # when each byte leaves
        self._waiting: list[tuple[float, int, bytes]] = []  # answers that have not begun, a heap
        self._number = 0
        self._busy: dict[Address, float] = {}  # unit -> when its last answer begins: one after the other
        self._timer: ExactTimer | None = None

    async def open(self) -> None:
        """Make the pty and the link to it. Raises LinkTaken."""
        if self._link.is_symlink():
            if not (target := str(self._link.readlink())).startswith("/dev/pts/"):
                raise LinkTaken(f"{self._link} is a link to {target}, not to a pty: not replaced")
        elif self._link.exists():
            raise LinkTaken(
                f"{self._link} exists and is no link to a pty: not replaced; move it or name another"
            )
        self._master, self._slave = os.openpty()  # our own hold on the slave keeps the pty when nobody has it
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        try:
            self._link.parent.mkdir(parents=True, exist_ok=True)
            self._link.unlink(missing_ok=True)
            self._link.symlink_to(os.ttyname(self._slave))
        except OSError as error:
            raise LinkTaken(
                f"{self._link}: {error.strerror}: in a copy of the site give `serial:` a path where you "
                "may write, such as /tmp/rs485-1"
            ) from error
        self._timer = ExactTimer(self._due)
        asyncio.get_running_loop().add_reader(self._master, self._arrived)
        self.nudge()  # somebody may speak without being asked

    async def close(self) -> None:
        """Pull the adapter: pty and link are gone."""
        if self._timer is None:
            return
        if self._link.is_symlink() and str(self._link.readlink()) == os.ttyname(self._slave):
            self._link.unlink()
        asyncio.get_running_loop().remove_reader(self._master)
        self._timer.close()
        self._timer = None
        os.close(self._master)
        os.close(self._slave)
        for talk in (self._heard, self._out, self._waiting, self._busy):
            talk.clear()

    def speed(self) -> tuple[float, float]:
        """Return the seconds of a character and of the silence that ends a frame, as set just now."""
        mode = termios.tcgetattr(self._master)
        baud = _SPEEDS.get(mode[5], self._baud)  # a rate that has no code of its own: taken for the line's
        parity = "none" if not mode[0] & termios.INPCK else "odd" if mode[2] & termios.PARODD else "even"
        self.bus.tune(baud, parity)
        bits = self._bits + (parity != "none" or self._parity != "none")  # other masters leave no note
        if mode[2] & termios.CSTOPB:
            bits = max(bits, 11)
        character = bits / baud
        return character, _FIXED_SILENCE if baud > _FIXED_ABOVE else 3.5 * character

    def _arrived(self) -> None:
        try:
            data = os.read(self._master, 4096)
        except OSError:  # nothing there after all, or everybody has hung up
            return
        now = time.monotonic()
        character, silence = self.speed()
        start = max(now, self._heard_until)
        self._heard_until = start + len(data) * character
        self._begin(self._heard_until, character)
        talking = bool(self._out) and self._out[0][0] - character < self._heard_until
        if talking and not self._echo:  # both talk at once: neither is understood
            self.collisions += 1
            self._spoil()
            self._heard += b"\xff"
        self._heard += data
        if self._echo:
            self._begin_at(start + character, data, character)
        self._rearm(silence)

    def _due(self) -> None:
        now = time.monotonic()
        character, silence = self.speed()
        if self._heard and now >= self._heard_until + silence:
            frame = bytes(self._heard)
            self._heard.clear()
            # Reckoned from when the silence ended, so that a late wake-up does not add to the time.
            self._answer(frame, self._heard_until + silence, character)
        self._begin(now, character)
        self._speak(now, character)
        self._flush(now)
        babble = self.bus.faults.get("babble")
        if isinstance(babble, faults.Babble) and not self._out:
            count = max(1, int(_BABBLE_EVERY * babble.rate))
            self._begin_at(now + _BABBLE_EVERY, self.bus.rubbish(count), character)
        self._rearm(silence)

    def _answer(self, frame: bytes, heard: float, character: float) -> None:
        for said in self.bus.hear_frame(frame, self._persona_time(heard)):
            first = max(heard + said.wait, self._busy.get(said.address, 0.0)) + character
            self._busy[said.address] = first
            self._number += 1
            heapq.heappush(self._waiting, (first, self._number, said.data))

    def _speak(self, now: float, character: float) -> None:
        """Let units say what they say by themselves."""
        word = self.bus.next_word()
        if word is not None and word <= now:
            for data in self.bus.speak(now, self._persona_time(now)):
                self._begin_at(now, data, character)

    def _begin(self, until: float, character: float) -> None:
        """Let the answers whose time comes before `until` begin."""
        while self._waiting and self._waiting[0][0] <= until:
            first, _, data = heapq.heappop(self._waiting)
            self._begin_at(first, data, character)

    def _begin_at(self, first: float, data: bytes, character: float) -> None:
        first = max(first, self._sent_until + character)
        self._out.extend((first + i * character, byte) for i, byte in enumerate(data))
        self._sent_until = first + (len(data) - 1) * character

    def _spoil(self) -> None:
        noise = self.bus.rubbish(len(self._out))
        self._out = deque((due, byte ^ noise[i]) for i, (due, byte) in enumerate(self._out))

    def _rearm(self, silence: float) -> None:
        if self._timer is None:
            return
        wakes = []
        if self._heard:
            wakes.append(self._heard_until + silence)
        if self._out:
            wakes.append(min(self._out[0][0] + _PACKET, self._out[-1][0]))
        if self._waiting:
            wakes.append(self._waiting[0][0])
        if (word := self.bus.next_word()) is not None:
            wakes.append(word)
        self._timer.set(min(wakes, default=None))

    def _flush(self, now: float) -> None:
        ready = bytearray()
        while self._out and self._out[0][0] <= now:
            ready.append(self._out.popleft()[1])
        if ready:
            try:
                os.write(self._master, ready)
            except OSError:  # the buffer is full, nobody reads: lost, as on a real line
                return

    def nudge(self) -> None:
        """Look at the faults of the line again."""
        if self._timer is not None:
            self._timer.set(time.monotonic())
