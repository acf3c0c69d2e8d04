"""Frames of protocols that carry a mark, a length and a checksum, taken out of a wire's bytes. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from drivers.cutter import Cutter

if TYPE_CHECKING:
    from drivers.cutter import Framing

F = TypeVar("F")


def take(framing: Framing[F], buffer: bytearray, *, final: bool) -> tuple[list[F], bytes]:
    """Take whole frames from the front of `buffer`; return them, and what was taken if noise was among it.

    A frame that has only begun stays in the buffer, unless `final`: then the wire is silent, and the frame
    never will be whole.
    """
    cutter = Cutter(framing)
    frames = cutter.feed(bytes(buffer))
    if final:
        frames += cutter.flush()
    taken = len(buffer) - cutter.pending
    garbage = bytes(buffer[:taken]) if cutter.noise else b""
    del buffer[:taken]
    return frames, garbage
