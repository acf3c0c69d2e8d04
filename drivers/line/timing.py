"""How long characters and silences last on a serial wire. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from drivers.line.settings import LineSettings

FAST = 19200  # above this rate the silences are fixed (Modbus over serial line V1.02, 2.5.1.1)
FAST_SILENCE = 0.00175
SILENT_CHARACTERS = 3.5


def bits_per_character(settings: LineSettings) -> int:
    """Start bit, eight data bits, parity if any, stop bits."""
    return 9 + (settings.parity != "none") + settings.stop


def character(settings: LineSettings) -> float:
    """Return the seconds one character takes on the wire, or on the wire behind a converter."""
    return bits_per_character(settings) / settings.baud


def silence(settings: LineSettings) -> float:
    """Return the seconds the wire must be silent before a request: 3.5 characters, and the site's gap.

    A converter behind a TCP endpoint keeps the silence itself; there only the site's own gap counts.
    """
    gap = settings.gap or 0.0
    if not settings.serial:
        return gap
    if settings.baud > FAST:
        return FAST_SILENCE + gap
    return SILENT_CHARACTERS * character(settings) + gap
