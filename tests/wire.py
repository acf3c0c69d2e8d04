"""The far end of a wire, played from a script. The second of the two fakes of this suite.

A script is lines of `>> hex` (what must come from us), `<< hex` (what the far end sends then) and
`wait 50ms`. A `<<` line sends at once after the line before it is done. `hang up` closes the far end.
The whole script must be played, and nothing but the script said: `close` asserts it.
"""

from __future__ import annotations

import asyncio
import os
import pty
import tty
from typing import TYPE_CHECKING, Self

from drivers.modbus.pdu import crc

if TYPE_CHECKING:
    from collections.abc import Iterator


def rtu(*body: int) -> bytes:
    """An RTU frame with its checksum."""
    return bytes(body) + crc(bytes(body))


def hexed(*body: int) -> str:
    return rtu(*body).hex(" ")


class ScriptedWire:
    """A pty whose far end follows a script; `path` is what a serial line opens."""

    def __init__(self, script: str) -> None:
        self._steps = list(parse(script))
        self._near, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._near, False)
        self.path = os.ttyname(self._slave)
        self._came = bytearray()
        self._arrived = asyncio.Event()
        self._player: asyncio.Task[None] | None = None
        self._at = 0
        self.wrong: list[str] = []

    async def __aenter__(self) -> Self:
        asyncio.get_running_loop().add_reader(self._near, self._read)
        self._player = asyncio.create_task(self._play())
        return self

    async def __aexit__(self, kind: object, *rest: object) -> None:
        assert self._player is not None
        if kind is None:
            _, late = await asyncio.wait({self._player}, timeout=1)
            if late:
                self.wrong.append(f"the script stands at step {self._at + 1}: {self._steps[self._at]}")
        self._player.cancel()
        if self._came:
            self.wrong.append(f"not in the script: {self._came.hex(' ')}")
        if self._near >= 0:
            asyncio.get_running_loop().remove_reader(self._near)
            os.close(self._near)
        if self._slave >= 0:
            os.close(self._slave)
        if kind is None:
            assert not self.wrong, "; ".join(self.wrong)

    def _read(self) -> None:
        try:
            self._came += os.read(self._near, 4096)
        except OSError:
            return
        self._arrived.set()

    async def _play(self) -> None:
        for at, (what, data) in enumerate(self._steps):
            self._at = at
            if what == "wait":
                await asyncio.sleep(float(data))
            elif what == "<<":
                os.write(self._near, bytes.fromhex(data))
            elif what == "hang up":
                asyncio.get_running_loop().remove_reader(self._near)
                os.close(self._near)
                os.close(self._slave)
                self._near = self._slave = -1
            else:
                await self._expect(bytes.fromhex(data))

    async def _expect(self, wanted: bytes) -> None:
        while len(self._came) < len(wanted):
            self._arrived.clear()
            await self._arrived.wait()
        came = bytes(self._came[: len(wanted)])
        del self._came[: len(wanted)]
        if came != wanted:
            self.wrong.append(f"step {self._at + 1}: {came.hex(' ')} came, not {wanted.hex(' ')}")


def parse(script: str) -> Iterator[tuple[str, str]]:
    for line in script.strip().splitlines():
        text = line.split("#")[0].strip()
        if not text:
            continue
        if text == "hang up":
            yield text, ""
        elif text.startswith("wait "):
            yield "wait", str(float(text.removeprefix("wait ").removesuffix("ms")) / 1000)
        elif text[:2] in {">>", "<<"}:
            yield text[:2], text[2:]
        else:
            raise ValueError(f"not a step of a wire script: {line!r}")
