"""What a profile may call the items of an inclinometer, and how its sensors are addressed. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drivers.family import Family
from drivers.tilt import frame as wire

if TYPE_CHECKING:
    from drivers.tilt.values import Tilt

_ANGLES: Final = {"x": "x", "y": "y", "z": "z", "temperature": "temperature"}
_GRAVITY: Final = {"gravity.x": "x", "gravity.y": "y", "gravity.z": "z"}
_FIELDS: Final = {wire.READ: _ANGLES, wire.GRAVITY: _GRAVITY}
"""By the command that brings them: items, and the fields of a `Tilt` they are."""


def commands(items: tuple[str, ...]) -> tuple[int, ...]:
    """Return the commands that bring the items."""
    return tuple(command for command, fields in _FIELDS.items() if fields.keys() & set(items))


def brought(command: int) -> tuple[str, ...]:
    """Return the items that a command brings."""
    return tuple(_FIELDS[command])


def told(command: int, tilt: Tilt) -> dict[str, float | None]:
    """Return what an answer says, by item; None for what this sensor does not tell.

    `command` is that of the request, or of the answer itself where nobody asked.
    """
    fields = _FIELDS[wire.READ if command == wire.ANGLES else command]
    return {item: getattr(tilt, field) for item, field in fields.items()}


def _check_68(item: str) -> str:
    return "" if item in _ANGLES else f"{item!r} is none: {', '.join(_ANGLES)}"


def _check_77(item: str) -> str:
    return "" if item in {*_ANGLES, *_GRAVITY} else f"{item!r} is none: {', '.join([*_ANGLES, *_GRAVITY])}"


def _check_write(_item: str) -> str:
    return "an inclinometer takes no orders here; set it up with its maker's program"


FAMILY_68: Final = Family("tilt68", _check_68, _check_write)
FAMILY_77: Final = Family("tilt77", _check_77, _check_write)


def address(given: int | str) -> int:
    """Return a sensor's address. Raises ValueError that says what is right."""
    if isinstance(given, int) and 0 <= given <= 255:
        return given
    raise ValueError("must be a whole number from 0 (as delivered) to 255")
