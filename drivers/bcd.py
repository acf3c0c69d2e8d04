"""Packed decimal digits: two per byte, the high half first. Pure."""

from __future__ import annotations


def from_bcd(data: bytes) -> int | None:
    """Return the number; None when a half byte is no decimal digit."""
    text = data.hex()
    return int(text) if text.isdecimal() else None


def to_bcd(number: int, size: int) -> bytes:
    """Return `size` bytes, most significant first. Raises ValueError when the number does not fit."""
    if not 0 <= number < 100**size:
        raise ValueError(f"{number} does not fit into {2 * size} decimal digits")
    return bytes.fromhex(f"{number:0{2 * size}d}")
