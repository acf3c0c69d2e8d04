"""Codecs with a defect each: the fuzzer must find them, or its silence about the real ones means nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.dlt645.frame import decode_frame

if TYPE_CHECKING:
    from collections.abc import Callable


def raises(frame: bytes) -> None:
    """Trip over an answer to one identifier that is a byte too short, as hasty code does."""
    data = decode_frame(frame).data
    if data[:2] == b"\x02\x00" and data[2:4] == b"\x80\x02":
        data[5]  # the defect


def hangs(frame: bytes) -> None:
    """Walk over objects whose size the frame itself gives; one of size 0 is never over."""
    data = decode_frame(frame).data
    at = 0
    while at < len(data) and data[0] == 0x15:
        at += data[at]


PLANTED: dict[str, Callable[[bytes], None]] = {"planted-raise": raises, "planted-hang": hangs}
