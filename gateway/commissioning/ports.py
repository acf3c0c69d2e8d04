"""Which serial ports this machine has, by the names that stay."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

DEV: Final = Path("/dev")
NAMES: Final = ("ttyUSB*", "ttyACM*", "ttyAMA*", "ttySC*")


def ports(more: Iterable[str] = (), dev: Path = DEV) -> list[str]:
    """Return the ports: those named, then by-id names, then those that have none."""
    by_id = sorted((dev / "serial" / "by-id").glob("*"))
    named = {link.resolve() for link in by_id}
    rest = [port for name in NAMES for port in sorted(dev.glob(name)) if port.resolve() not in named]
    return list(dict.fromkeys([*more, *map(str, by_id), *map(str, rest)]))
